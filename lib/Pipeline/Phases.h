//===- Phases.h - The passes of each phase --------------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_PIPELINE_PHASES_H
#define TX_LIB_PIPELINE_PHASES_H

#include "tx/Autodiff/Passes.h"
#include "tx/Parallel/Passes.h"

#include <functional>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tx {

void addParallelPasses(mlir::OpPassManager &manager, const TxDataParallelPassOptions &data);
void addJointPasses(mlir::OpPassManager &manager);
/// What the passes of `joint` promise, of IR that comes from elsewhere.
void addJointVerifier(mlir::OpPassManager &manager);
void addEntryPasses(mlir::OpPassManager &manager, const TxMakeEntriesPassOptions &optimizer);
/// All passes of the phase `step`: these three one after another.
void addStepPasses(mlir::OpPassManager &manager);
/// `planLibraries` adds the target's pass, if it has one.
void addPlacementPasses(mlir::OpPassManager &manager,
                        const std::function<void(mlir::OpPassManager &)> &planLibraries = nullptr);
void addPlacementVerifier(mlir::OpPassManager &manager);
void addLaunchPasses(mlir::OpPassManager &manager);

} // namespace tx

#endif // TX_LIB_PIPELINE_PHASES_H
