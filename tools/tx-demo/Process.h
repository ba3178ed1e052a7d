//===- Process.h - Run Tx's own programs ----------------------------------------------------------------*- C++ -*-===//

#ifndef TXDEMO_PROCESS_H
#define TXDEMO_PROCESS_H

#include <stdexcept>
#include <string>
#include <vector>

namespace txdemo {

/// An error: main prints its message and exits with its code.
struct Failure : std::runtime_error {
  Failure(int code, const std::string &message) : std::runtime_error(message), code(code) {}
  int code;
};

using Command = std::vector<std::string>;

/// The command as a person would type it in a shell.
std::string shown(const Command &command);

/// Runs the command with this program's standard output, so that people see its progress. Throws a Failure if it fails.
void run(const Command &command);

/// Runs the command with its output in a file. If it fails, throws a Failure with the last lines of the file.
void runQuietly(const Command &command, const std::string &outputFile);

std::string readFile(const std::string &path);

} // namespace txdemo

#endif // TXDEMO_PROCESS_H
