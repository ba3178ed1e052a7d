//===- Times.h - How long the step takes on a device ----------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_PIPELINE_TIMES_H
#define TX_LIB_PIPELINE_TIMES_H

#include "tx/Plan/Seconds.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace tx {

/// What the report says of time.
struct StepTimes {
  std::string device;
  plan::Seconds seconds;
  int measuredProducts = 0, estimatedProducts = 0; ///< different shapes
};

/// The times of the module's step on the device: of the entry `step`, else of a microbatch and its update. The module's
/// ops are in groups, as fusion leaves them. Fails, with a diagnostic, on a module that is no plain step.
mlir::FailureOr<StepTimes> computeTimes(mlir::ModuleOp module, const plan::Device &device);

/// The bytes of the arena that the module will have if nothing is recomputed beyond what its ops say. Its ops are those
/// that the target has, and are in no groups yet.
std::optional<int64_t> computePeak(mlir::ModuleOp module);

} // namespace tx

#endif // TX_LIB_PIPELINE_TIMES_H
