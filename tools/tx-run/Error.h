//===- Error.h - What ends tx-run, in one line ----------------------------------------------------------*- C++ -*-===//
//
//   fail(TXRT_BAD_INPUT, "%s: %zu bytes are no .npy file", path, n);
//
// tx-run throws the runtime's Failure. main catches it, prints its one line, and exits with its status as the exit
// code.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_ERROR_H
#define TXRUN_ERROR_H

#include "core/Failure.h"

#include <string>

namespace txrt::train {} // namespace txrt::train

namespace txrun {

// tx-run is a console for the runtime's library for training, so it uses that library's names throughout.
using namespace txrt;
using namespace txrt::train;

/// Ends tx-run without a message: another message has been printed, or nobody reads the output.
class QuietFailure : public Failure {
  using Failure::Failure;
};

/// Standard output has no reader any more.
class OutputClosed : public QuietFailure {
public:
  OutputClosed() : QuietFailure(TXRT_IO, "standard output was closed") {}
};

/// Prints one line on standard error; `text` may have any bytes: complain("warning", "...").
void complain(const char *kind, const std::string &text);

} // namespace txrun

#endif // TXRUN_ERROR_H
