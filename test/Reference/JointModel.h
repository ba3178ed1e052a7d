//===- JointModel.h - A differentiated model on the reference -------------------------------------------*- C++ -*-===//
//
// Test support: a module with a marked loss, its `microbatch`, and its state.
//
//   JointModel model(context, parseSourceString<ModuleOp>(text, &context));
//   model.fillParameters(/*seed=*/1, /*spread=*/0.5);
//   MicrobatchResult result = *model.runMicrobatch(batch, /*lossScale=*/1.0);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_REFERENCE_JOINTMODEL_H
#define TX_TEST_REFERENCE_JOINTMODEL_H

#include "tx/Reference/Interpreter.h"

#include "mlir/IR/OwningOpRef.h"

#include <optional>

namespace tx {

struct Batch {
  Tensor tokens, targets;
  Tensor key = {{4}, {1234, 5, 3, 0}};
};

/// Tokens, and targets of which every fifth is ignored.
Batch makeBatch(int64_t batch, int64_t sequence, int64_t vocabulary, uint64_t seed);

struct MicrobatchResult {
  double lossSum, validCount;
};

class JointModel {
public:
  /// Differentiates the module's loss and verifies what comes out; `isValid` says whether that went well.
  JointModel(mlir::MLIRContext &context, mlir::OwningOpRef<mlir::ModuleOp> module);

  bool isValid() const { return valid; }
  mlir::ModuleOp getModule() { return *module; }
  mlir::func::FuncOp getFunction(llvm::StringRef name) { return module->lookupSymbol<mlir::func::FuncOp>(name); }
  State &getState() { return state; }
  std::vector<std::string> getParameters();

  /// Every parameter at random around its start, further apart than a model's real start, so that no gradient is small.
  void fillParameters(uint64_t seed, double spread);
  /// Stale content, which the reset bit has to remove.
  void fillGradients(double value);

  /// The marked function; it is the truth that gradients are compared with.
  std::optional<MicrobatchResult> runLoss(const Batch &batch);
  std::optional<MicrobatchResult> runMicrobatch(const Batch &batch, double lossScale, bool first = true);

private:
  std::optional<MicrobatchResult> run(llvm::StringRef name, llvm::ArrayRef<Tensor> arguments);

  mlir::OwningOpRef<mlir::ModuleOp> module;
  State state;
  bool valid;
};

/// The largest |gradient - central difference| / (1 + |central difference|) over all elements of all parameters, with
/// its place for the message.
struct GradientError {
  double error = 0;
  double norm = 0; ///< of the gradient: a check of zeros checks nothing
  std::string place;
};
GradientError compareWithDifferences(JointModel &model, const Batch &batch);

} // namespace tx

#endif // TX_TEST_REFERENCE_JOINTMODEL_H
