//===- Console.h - Progress for people, a log for programs ----------------------------------------------*- C++ -*-===//

#ifndef TXRUN_CONSOLE_H
#define TXRUN_CONSOLE_H

#include "Error.h"
#include "train/Notes.h"

#include <cstdint>
#include <string>

namespace txrun {

/// Writes to standard output. On a terminal `progress` rewrites one line in place; elsewhere only whole lines are
/// written. Throws OutputClosed if the reader of a pipe has gone.
class Console {
public:
  /// A console that is mute drops all output.
  explicit Console(bool mute = false);
  ~Console();
  /// Writes a line that stays.
  void line(const std::string &text);
  /// Writes a line that the next line replaces. Dropped if standard output is no terminal.
  void progress(const std::string &text);
  /// Writes bytes as they are, immediately.
  void raw(const std::string &text);
  bool terminal() const { return isTerminal; }
  /// Shows how far loading or saving is, on a terminal and if it takes a while.
  Progress progressOfBytes();

private:
  void put(const std::string &text);
  bool isMute, isTerminal, pending = false;
};

/// One JSON object on one line. Its fields are in the order in which they were added.
class JsonLine {
public:
  JsonLine &text(const char *name, const std::string &value);
  /// Writes the shortest digits that give the same bits; null if the value is not finite.
  JsonLine &number(const char *name, double value);
  JsonLine &number(const char *name, float value);
  JsonLine &integer(const char *name, int64_t value);
  /// `json` is inserted as it is.
  JsonLine &json(const char *name, const std::string &json);
  std::string str() const { return "{" + body + "}"; }

private:
  void key(const char *name);
  std::string body;
};

/// A log file in JSONL. Each line is one write() at the end of the file, so lines stay whole, and other programs can
/// read a line as soon as write() has returned. The file is locked against a second run. If a crash has cut off the
/// last line, it stays as it is, and the next line begins below it.
class Log {
public:
  /// An empty path makes a log that drops everything.
  explicit Log(const std::string &path);
  ~Log();
  Log(const Log &) = delete;
  Log &operator=(const Log &) = delete;
  void write(const JsonLine &line);

private:
  std::string path;
  int descriptor = -1;
  bool isTorn = false; // the file's last line has no newline
};

} // namespace txrun

#endif // TXRUN_CONSOLE_H
