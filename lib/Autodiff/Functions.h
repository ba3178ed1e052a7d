//===- Functions.h - Entries, their names, their state ----------*- C++ -*-===//

#ifndef TX_LIB_AUTODIFF_FUNCTIONS_H
#define TX_LIB_AUTODIFF_FUNCTIONS_H

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace tx {

/// Marks the function to differentiate.
constexpr llvm::StringLiteral kTrainAttr = "tx.train";
/// The name of an argument or a result in the artifact.
constexpr llvm::StringLiteral kNameAttr = "tx.name";
constexpr llvm::StringLiteral kMicrobatch = "microbatch";
/// What the entries take beside the loss's arguments.
constexpr llvm::StringLiteral kLossScaleName = "loss_scale", kFirstName = "first", kLearningRateName = "lr",
                              kStepName = "step";
constexpr llvm::StringLiteral kTrainingArguments[] = {kLossScaleName, kFirstName, kLearningRateName, kStepName};

/// The one function marked `tx.train`, checked for its form; null if there is
/// none.
mlir::FailureOr<mlir::func::FuncOp> findLoss(mlir::ModuleOp module);

mlir::LogicalResult verifyOneBlock(mlir::func::FuncOp function);

/// Adds a global after the existing ones.
GlobalOp addGlobal(mlir::ModuleOp module, GlobalOp of, llvm::StringRef suffix, GlobalRole role, mlir::Type type);

/// Erases ops that nothing needs, users before what they use.
void eraseDeadOps(mlir::func::FuncOp function);

} // namespace tx

#endif // TX_LIB_AUTODIFF_FUNCTIONS_H
