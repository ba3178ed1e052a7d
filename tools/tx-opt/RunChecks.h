//===- RunChecks.h - tx-opt --tx-run-checks -------------------------------------------------------------*- C++ -*-===//
//
// The pass runs the functions of a test on the reference and on the host, and compares what they compute with what
// their check ops expect (docs/Reference/check-dialect.md). It lies in tools/tx-opt and not in lib/, since it needs the
// runtime to run code: the compiler's libraries include only one header of the runtime, txrt/abi.h.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_OPT_RUNCHECKS_H
#define TX_OPT_RUNCHECKS_H

namespace tx {

/// Adds --tx-run-checks to the registry of passes.
void registerRunChecksPass();

} // namespace tx

#endif // TX_OPT_RUNCHECKS_H
