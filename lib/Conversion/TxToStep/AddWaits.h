//===- AddWaits.h - Launches say what they wait for ----------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_TXTOSTEP_ADDWAITS_H
#define TX_LIB_CONVERSION_TXTOSTEP_ADDWAITS_H

#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

/// Gives the launches of a program, which have their numbers, what they wait for (Plan/Waits.h).
void addWaits(step::ProgramOp program);

} // namespace tx

#endif // TX_LIB_CONVERSION_TXTOSTEP_ADDWAITS_H
