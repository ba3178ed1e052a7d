//===- Functions.h - Entries, their names, their state ----------*- C++ -*-===//

#ifndef TX_LIB_AUTODIFF_FUNCTIONS_H
#define TX_LIB_AUTODIFF_FUNCTIONS_H

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace tx {

/// Marks the function to differentiate.
constexpr llvm::StringLiteral kTrainAttr = "tx.train";
/// The name of an argument or a result in the artifact.
constexpr llvm::StringLiteral kNameAttr = "tx.name";

/// The one function marked `tx.train`; null if there is none.
inline mlir::FailureOr<mlir::func::FuncOp> findLoss(mlir::ModuleOp module) {
  mlir::func::FuncOp loss;
  for (auto function : module.getOps<mlir::func::FuncOp>()) {
    if (!function->hasAttr(kTrainAttr))
      continue;
    if (loss)
      return function.emitError("@") << function.getSymName() << " is marked " << kTrainAttr << ", and so is @"
                                     << loss.getSymName() << "; a step has one loss";
    loss = function;
  }
  return loss;
}

/// Adds a global after the existing ones.
inline GlobalOp addGlobal(mlir::ModuleOp module, GlobalOp of, llvm::StringRef suffix, GlobalRole role,
                          mlir::Type type) {
  auto builder = mlir::OpBuilder::atBlockBegin(module.getBody());
  for (auto global : module.getOps<GlobalOp>())
    builder.setInsertionPointAfter(global);
  return GlobalOp::create(builder, of.getLoc(), builder.getStringAttr(of.getSymName() + suffix),
                          GlobalRoleAttr::get(builder.getContext(), role),
                          InitKindAttr::get(builder.getContext(), InitKind::Zeros), builder.getF64FloatAttr(0.0),
                          mlir::FlatSymbolRefAttr::get(of.getSymNameAttr()), /*decay=*/{}, mlir::TypeAttr::get(type));
}

/// Erases ops that nothing needs, users before what they use.
inline void eraseDeadOps(mlir::func::FuncOp function) {
  for (mlir::Operation &op : llvm::make_early_inc_range(llvm::reverse(function.front())))
    if (mlir::isOpTriviallyDead(&op))
      op.erase();
}

} // namespace tx

#endif // TX_LIB_AUTODIFF_FUNCTIONS_H
