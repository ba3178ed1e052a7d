//===- Targets.h - What a step is compiled for ----------------------------------------------------------*- C++ -*-===//
//
// The one list of backends that the compiler knows; --target chooses:
//
//   llvm::Expected<Target> target = parseTarget(options);
//   FailureOr<TargetCode> code = target->compile(program);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_TARGETS_H
#define TX_LIB_PIPELINE_TARGETS_H

#include "tx/Frontend/CompileOptions.h"
#include "tx/Target/TargetCode.h"

#include "mlir/Support/LLVM.h"

#include <functional>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tx {
namespace step {
class ProgramOp;
} // namespace step

struct Target {
  /// Adds the passes that join ops of the joint functions where that changes numbers, before anything is recomputed;
  /// null: there are none.
  std::function<void(mlir::OpPassManager &manager)> joinOps;
  /// Adds the passes that give ops the forms that the target's libraries and kernels have, before fusion; null: there
  /// are none.
  std::function<void(mlir::OpPassManager &manager)> chooseForms;
  /// Adds the pass that says what else the target's libraries compute, and what scratch they get; null: they need none.
  std::function<void(mlir::OpPassManager &manager)> planLibraries;
  /// The code of a program's kernels. Diagnosed on failure.
  std::function<mlir::FailureOr<TargetCode>(step::ProgramOp program)> compile;
};

/// Of --target and what belongs to it; an error names what would work.
llvm::Expected<Target> parseTarget(const CompileOptions &options);

} // namespace tx

#endif // TX_LIB_PIPELINE_TARGETS_H
