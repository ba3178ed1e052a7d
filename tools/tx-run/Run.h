//===- Run.h - tx-run without its main ------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_RUN_H
#define TXRUN_RUN_H

#include "Error.h"
#include "Options.h"

namespace txrun {

/// Does what the options ask for, or throws.
txrt_status run(const Options &options);

} // namespace txrun

#endif // TXRUN_RUN_H
