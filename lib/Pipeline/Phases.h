//===- Phases.h - The passes of each phase ----------------------*- C++ -*-===//

#ifndef TX_LIB_PIPELINE_PHASES_H
#define TX_LIB_PIPELINE_PHASES_H

#include "tx/Autodiff/Passes.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tx {

void addJointPasses(mlir::OpPassManager &manager);
void addEntryPasses(mlir::OpPassManager &manager, const TxMakeEntriesPassOptions &optimizer);
void addStepPasses(mlir::OpPassManager &manager);

} // namespace tx

#endif // TX_LIB_PIPELINE_PHASES_H
