//===- Console.cpp - Progress for people, a log for programs ------------------------------------------------------===//

#include "Console.h"
#include "core/OutputFile.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace txrun {

Console::Console(bool mute) : isMute(mute), isTerminal(!mute && ::isatty(STDOUT_FILENO)) {}

Console::~Console() {
  if (pending)
    (void)writeAll(STDOUT_FILENO, "\n", 1);
}

void Console::put(const std::string &text) {
  if (isMute || writeAll(STDOUT_FILENO, text.data(), text.size()))
    return;
  pending = false;
  if (errno == EPIPE) // `tx-run ... | head`
    throw OutputClosed();
  fail(TXRT_IO, "writing to standard output failed: %s", std::strerror(errno));
}

// "\r\33[K" goes to the line's start and clears it.
void Console::line(const std::string &text) {
  put((pending ? "\r\33[K" : "") + printable(text, std::string::npos) + "\n");
  pending = false;
}

void Console::progress(const std::string &text) {
  if (!isTerminal)
    return;
  // Cuts the text to the terminal's width: a line that wraps could not be rewritten.
  struct winsize size;
  size_t columns = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79u;
  put("\r\33[K" + printable(text, std::string::npos).substr(0, columns));
  pending = true;
}

Progress Console::progressOfBytes() {
  using Clock = std::chrono::steady_clock;
  static constexpr auto pause = std::chrono::milliseconds(200);
  return [this, next = Clock::now() + pause](const char *what, uint64_t done, uint64_t all) mutable {
    const Clock::time_point now = Clock::now();
    if (now < next)
      return;
    next = now + pause;
    progress(format("%s: %s of %s", what, readableBytes(double(done)).c_str(), readableBytes(double(all)).c_str()));
  };
}

void Console::raw(const std::string &text) { put(text); }

void JsonLine::key(const char *name) { body += (body.empty() ? "\"" : ", \"") + std::string(name) + "\": "; }

JsonLine &JsonLine::text(const char *name, const std::string &value) {
  key(name);
  body += nlohmann::json(value).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  return *this;
}

JsonLine &JsonLine::number(const char *name, double value) {
  return json(name, std::isfinite(value) ? shortest(value) : "null");
}

JsonLine &JsonLine::number(const char *name, float value) {
  return json(name, std::isfinite(value) ? shortest(value) : "null");
}

JsonLine &JsonLine::integer(const char *name, int64_t value) { return json(name, std::to_string(value)); }

JsonLine &JsonLine::json(const char *name, const std::string &json) {
  key(name);
  body += json;
  return *this;
}

Log::Log(const std::string &path) : path(path) {
  if (path.empty())
    return;
  std::string shown = printable(path, 200);
  // O_NONBLOCK: opening a FIFO without a reader would wait for ever.
  descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0666);
  if (descriptor < 0)
    fail(TXRT_IO, "%s: cannot be written: %s", shown.c_str(), std::strerror(errno));
  struct stat info;
  const char *problem = nullptr;
  if (::fstat(descriptor, &info) || !S_ISREG(info.st_mode))
    problem = "is no regular file; a log is appended to one";
  else if (!(info.st_mode & 0222))
    problem = "cannot be written: it is read-only"; // checked by mode bits, since root could write it
  else if (::flock(descriptor, LOCK_EX | LOCK_NB))
    problem = "another run writes it; name another file or wait until that "
              "run has ended";
  if (problem) {
    ::close(descriptor);
    descriptor = -1;
    fail(TXRT_IO, "%s: %s", shown.c_str(), problem);
  }
  char last = '\n';
  if (info.st_size > 0)
    (void)::pread(descriptor, &last, 1, info.st_size - 1);
  isTorn = last != '\n';
}

Log::~Log() {
  if (descriptor >= 0)
    ::close(descriptor);
}

void Log::write(const JsonLine &line) {
  if (descriptor < 0)
    return;
  std::string text = (isTorn ? "\n" : "") + line.str() + "\n";
  isTorn = false;
  if (!writeAll(descriptor, text.data(), text.size()))
    fail(TXRT_IO, "%s: writing failed: %s", printable(path, 200).c_str(), std::strerror(errno));
}

} // namespace txrun
