//===- Console.h - Progress for people, a log for programs ----------------------------------------------*- C++ -*-===//

#ifndef TXRUN_CONSOLE_H
#define TXRUN_CONSOLE_H

#include "Error.h"

#include <cstdint>
#include <string>

namespace txrun {

/// Standard output. On a terminal `progress` rewrites one line in place; elsewhere nothing but whole lines leaves.
/// Throws OutputClosed when the reader has gone.
class Console {
public:
  /// One that is mute drops everything.
  explicit Console(bool mute = false);
  ~Console();
  /// A line that stays.
  void line(const std::string &text);
  /// The line that the next one replaces; dropped when this is no terminal.
  void progress(const std::string &text);
  /// Bytes as they are, at once.
  void raw(const std::string &text);
  bool terminal() const { return isTerminal; }

private:
  void put(const std::string &text);
  bool isMute, isTerminal, pending = false;
};

/// One JSON object with the fields in the order they were added.
class JsonLine {
public:
  JsonLine &text(const char *name, const std::string &value);
  /// Shortest digits that give the same bits; null when not finite.
  JsonLine &number(const char *name, double value);
  JsonLine &number(const char *name, float value);
  JsonLine &integer(const char *name, int64_t value);
  /// `json` is put in as it is.
  JsonLine &json(const char *name, const std::string &json);
  std::string str() const { return "{" + body + "}"; }

private:
  void key(const char *name);
  std::string body;
};

/// A JSONL file: each line is one write at the end of the file, so lines stay whole, and a line that was returned from
/// is readable by others. Locked against a second run. A last line that a crash has cut off stays as it is, and the
/// next one begins below it.
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
  bool isTorn = false; // what is there does not end with a line's end
};

} // namespace txrun

#endif // TXRUN_CONSOLE_H
