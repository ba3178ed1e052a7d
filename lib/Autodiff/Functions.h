//===- Functions.h - Entries, their names, their state --------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_AUTODIFF_FUNCTIONS_H
#define TX_LIB_AUTODIFF_FUNCTIONS_H

#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace tx {

/// The attribute that marks the function to differentiate.
constexpr llvm::StringLiteral kTrainAttr = "tx.train";
constexpr llvm::StringLiteral kMicrobatch = "microbatch";
/// The names of the arguments that entries take in addition to the loss's arguments.
constexpr llvm::StringLiteral kLossScaleName = "loss_scale", kFirstName = "first", kLearningRateName = "lr",
                              kStepName = "step", kRowName = "row";
constexpr llvm::StringLiteral kEntryArguments[] = {kLossScaleName, kFirstName, kLearningRateName, kStepName, kRowName};

/// Finds the one function marked `tx.train` and checks its form. Null if there is none; fails, with a diagnostic, on a
/// bad form.
mlir::FailureOr<mlir::func::FuncOp> findLoss(mlir::ModuleOp module);

/// Finds the function `microbatch` that tx-autodiff has made of the loss; null if there is none. A user's own function
/// may have this name too; but it takes no argument named loss_scale, and its module has no gradients.
mlir::func::FuncOp findMicrobatch(mlir::ModuleOp module);

/// Fails, with a diagnostic, if the mesh has an axis over which a step cannot be trained.
mlir::LogicalResult verifyTrainedAxes(mlir::ModuleOp module);

/// An op's inherent attributes, without its scope.
mlir::DictionaryAttr formOf(mlir::Operation *op);
/// Checks that each op of the recompute segment computes a forward op again. The function must have one block.
mlir::LogicalResult verifyRecompute(mlir::func::FuncOp function);

/// A module's symbols by name. Make it once for a module: a model has about a thousand globals for each hundred layers,
/// so a walk over all globals for each global would take time that grows with their square.
class ModuleSymbols {
public:
  explicit ModuleSymbols(mlir::ModuleOp module);

  mlir::Operation *lookup(llvm::StringRef name) const { return table.lookup(name); }
  GlobalOp lookupGlobal(llvm::StringRef name) const { return table.lookup<GlobalOp>(name); }
  /// Adds a global behind the others. Its name is that of `of` with `suffix`, and must be free.
  GlobalOp addGlobal(GlobalOp of, llvm::StringRef suffix, GlobalRole role, mlir::Type type);

private:
  mlir::SymbolTable table;
  mlir::OpBuilder builder; // behind the last global
};

/// Erases ops whose results nobody uses, from the last to the first.
void eraseDeadOps(mlir::func::FuncOp function);

} // namespace tx

#endif // TX_LIB_AUTODIFF_FUNCTIONS_H
