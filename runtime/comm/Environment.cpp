#include "comm/Environment.h"
#include "core/Failure.h"

#include <cerrno>
#include <cstdlib>

using namespace txrt;

static bool parse(const char *text, int64_t least, int64_t most, int64_t &value) {
  char *end = nullptr;
  errno = 0;
  value = strtoll(text, &end, 10);
  return end != text && *end == 0 && errno == 0 && value >= least && value <= most;
}

int64_t txrt::numberFromEnvironment(const char *name, int64_t least, int64_t most, int64_t otherwise) {
  const char *text = getenv(name);
  if (!text)
    return otherwise;
  int64_t value;
  if (!parse(text, least, most, value))
    fail(TXRT_USAGE, "the environment's %s is '%s', must be %lld to %lld", name, printable(text).c_str(),
         static_cast<long long>(least), static_cast<long long>(most));
  return value;
}

int txrt::ranksFromEnvironment(const char *name) {
  const char *text = getenv(name);
  int64_t value;
  return text && parse(text, 1, 1 << 20, value) ? static_cast<int>(value) : 0;
}
