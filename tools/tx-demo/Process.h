//===- Process.h - Run Tx's own programs ----------------------------------------------------------------*- C++ -*-===//

#ifndef TXDEMO_PROCESS_H
#define TXDEMO_PROCESS_H

#include <stdexcept>
#include <string>
#include <vector>

namespace txdemo {

/// What main prints and the code it leaves with.
struct Failure : std::runtime_error {
  Failure(int code, const std::string &message) : std::runtime_error(message), code(code) {}
  int code;
};

using Command = std::vector<std::string>;

/// As a person would type it in a shell.
std::string shown(const Command &command);

/// Runs it with our own output, so that its progress is seen.
void run(const Command &command);

/// Runs it with its output in a file; the last lines of the file become part of the error when it fails.
void runQuietly(const Command &command, const std::string &outputFile);

std::string readFile(const std::string &path);

} // namespace txdemo

#endif // TXDEMO_PROCESS_H
