//===- main.cpp - tx-run --------------------------------------------------===//

#include "Interrupt.h"
#include "Run.h"

#include <cstdio>
#include <fcntl.h>
#include <new>
#include <unistd.h>

/// A program that is started with a closed standard output would open its first
/// file under that number, and write its progress into it.
static void fillStandardDescriptors() {
  for (int descriptor = 0; descriptor < 3; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0)
      (void)::open("/dev/null", O_RDONLY);
}

int main(int argc, char **argv) {
  using namespace txrun;
  fillStandardDescriptors();
  catchInterrupts();
  ExitCode code;
  std::string message;
  try {
    return static_cast<int>(
        run(parseOptions({argv + (argc > 0), argv + argc})));
  } catch (const OutputClosed &error) {
    return static_cast<int>(error.code);
  } catch (const Error &error) {
    code = error.code;
    message = error.what();
  } catch (const std::bad_alloc &) {
    code = ExitCode::OutOfMemory;
    message = "this machine has too little memory for it";
  } catch (const std::exception &error) {
    code = ExitCode::BadInput;
    message = error.what();
  }
  std::fprintf(stderr, "tx-run: error: %s\n", message.c_str());
  return static_cast<int>(code);
}
