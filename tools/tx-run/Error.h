//===- Error.h - What ends tx-run, in one line ----------------------------------------------------------*- C++ -*-===//
//
//   fail(TXRT_BAD_INPUT, "%s: %zu bytes are no .npy file", path, n);
//
// Errors are the runtime's: main catches them, prints the one line and leaves with the status as the exit code.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_ERROR_H
#define TXRUN_ERROR_H

#include "core/Failure.h"

#include <string>

namespace txrt::train {} // namespace txrt::train

namespace txrun {

// tx-run is the runtime's library for training with a console around it.
using namespace txrt;
using namespace txrt::train;

/// Ends tx-run without a word: it has been said, or nobody listens.
class QuietFailure : public Failure {
  using Failure::Failure;
};

/// Standard output has no reader any more.
class OutputClosed : public QuietFailure {
public:
  OutputClosed() : QuietFailure(TXRT_IO, "standard output was closed") {}
};

/// One line on standard error, whatever the text is made of:
/// complain("warning", "...").
void complain(const char *kind, const std::string &text);

} // namespace txrun

#endif // TXRUN_ERROR_H
