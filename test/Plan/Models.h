//===- Models.h - Models as a plain step, and on their way through the stages ---------------------------*- C++ -*-===//

#ifndef TX_TEST_PLAN_MODELS_H
#define TX_TEST_PLAN_MODELS_H

#include "tx/Frontend/CompileOptions.h"
#include "tx/Plan/ReadStep.h"
#include "tx/Plan/Replay.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <random>
#include <string>
#include <vector>

namespace tx {

using Flags = std::vector<std::string>;

/// A model where recomputation is decided.
class Model {
public:
  explicit Model(const Flags &flags);

  /// Runs the stages from `first` to `last`.
  void run(mlir::ModuleOp on, llvm::StringRef first, llvm::StringRef last);

  mlir::MLIRContext context{mlir::MLIRContext::Threading::DISABLED};
  CompileOptions options;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  StepIR read;
};

/// Small odd sizes, in the forms that presets have.
Flags drawModel(std::mt19937_64 &random);

/// Decides about each value for itself; of those that may be computed again so many percent are.
plan::Choices drawChoices(const plan::Entry &entry, std::mt19937_64 &random, unsigned percent);

} // namespace tx

#endif // TX_TEST_PLAN_MODELS_H
