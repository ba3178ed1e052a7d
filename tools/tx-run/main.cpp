//===- main.cpp - tx-run --------------------------------------------------===//

#include "Interrupt.h"
#include "Run.h"

#include <cstdio>
#include <new>

int main(int argc, char **argv) {
  using namespace txrun;
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
