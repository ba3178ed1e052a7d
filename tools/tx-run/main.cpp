//===- main.cpp - tx-run ------------------------------------------------------------------------------------------===//

#include "Interrupt.h"
#include "RankWorld.h"
#include "Run.h"

#include <fcntl.h>
#include <unistd.h>

/// Opens /dev/null for each standard descriptor that is closed. Else the first file that the program opens would get
/// this number, and the program's progress would be written into it.
static void fillStandardDescriptors() {
  for (int descriptor = 0; descriptor < 3; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0)
      (void)::open("/dev/null", O_RDONLY);
}

int main(int argc, char **argv) {
  using namespace txrun;
  fillStandardDescriptors();
  catchInterrupts();
  txrt_status code;
  bool isQuiet = false;
  std::string message;
  try {
    return run(parseOptions({argv + (argc > 0), argv + argc}));
  } catch (const Failure &failure) {
    code = failure.code;
    message = failure.what();
    isQuiet = dynamic_cast<const QuietFailure *>(&failure);
  } catch (...) {
    txrt_error error;
    code = statusOfException(&error);
    message = error.message;
  }
  // Messages of the runtime may begin with the rank's prefix already: do not print it twice.
  const std::string prefix = rankPrefix();
  const bool hasPrefix = message.compare(0, prefix.size(), prefix) == 0;
  if (!isQuiet)
    complain("error", (hasPrefix ? "" : prefix) + message);
  leaveRanks(code, message);
  return code;
}
