//===- Functions.h - Entries, their names, their state --------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_AUTODIFF_FUNCTIONS_H
#define TX_LIB_AUTODIFF_FUNCTIONS_H

#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace tx {

/// Marks the function to differentiate.
constexpr llvm::StringLiteral kTrainAttr = "tx.train";
constexpr llvm::StringLiteral kMicrobatch = "microbatch";
/// What the entries take beside the loss's arguments.
constexpr llvm::StringLiteral kLossScaleName = "loss_scale", kFirstName = "first", kLearningRateName = "lr",
                              kStepName = "step";
constexpr llvm::StringLiteral kTrainingArguments[] = {kLossScaleName, kFirstName, kLearningRateName, kStepName};

/// The one function marked `tx.train`, checked for its form; null if there is none.
mlir::FailureOr<mlir::func::FuncOp> findLoss(mlir::ModuleOp module);

/// What tx-autodiff makes of the loss; null if there is none. Another function may have its name, but neither takes a
/// scale of the loss nor stands in a module with gradients.
mlir::func::FuncOp findMicrobatch(mlir::ModuleOp module);

/// Whether every axis of the mesh is one over which a step can be trained.
mlir::LogicalResult verifyTrainedAxes(mlir::ModuleOp module);

/// An op's own attributes without its scope.
mlir::DictionaryAttr formOf(mlir::Operation *op);
/// Whether each recompute op is a forward op once more. Of a function of one block.
mlir::LogicalResult verifyRecompute(mlir::func::FuncOp function);

/// A module's symbols by name. It is made once: a model has a thousand globals for each hundred layers, and who walks
/// over all of them to find or to add one does work that grows with their square.
class ModuleSymbols {
public:
  explicit ModuleSymbols(mlir::ModuleOp module);

  mlir::Operation *lookup(llvm::StringRef name) const { return table.lookup(name); }
  GlobalOp lookupGlobal(llvm::StringRef name) const { return table.lookup<GlobalOp>(name); }
  /// Adds a global behind the others; its name must be free.
  GlobalOp addGlobal(GlobalOp of, llvm::StringRef suffix, GlobalRole role, mlir::Type type);

private:
  mlir::SymbolTable table;
  mlir::OpBuilder builder; // behind the last global
};

/// Erases ops that nothing needs, users before what they use.
void eraseDeadOps(mlir::func::FuncOp function);

} // namespace tx

#endif // TX_LIB_AUTODIFF_FUNCTIONS_H
