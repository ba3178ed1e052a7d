//===- ReadStep.h - From IR to the step as plain data ---------------------------------------------------*- C++ -*-===//

#ifndef TX_PLAN_READSTEP_H
#define TX_PLAN_READSTEP_H

#include "tx/Plan/Step.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace tx {

/// The IR of an entry: `ops[i]` is the entry's op number i, `values[i]` its value number i. A value that a group gives
/// is the group's result.
struct EntryIR {
  mlir::func::FuncOp function;
  std::vector<mlir::Operation *> ops;
  std::vector<mlir::Value> values;
};

struct StepIR {
  plan::Step step;
  std::vector<EntryIR> entries;
};

enum class ReadNames { No, Yes };

/// Reads all functions that have a body and all globals. Asks ops through their interfaces only.
///
///  - An op without a scope and without operands gives values that nobody computes: a load, state.
///  - A store and the return take values out of the entry; they are no ops.
///  - Another op without a scope belongs to backward if one of its operands comes from backward, else to forward.
///  - Ops in a step.group are read as if they stood in the function; Op::group says which group they are in.
///
/// Fails, with a diagnostic, on a function of several blocks or with values that are no static tensors.
mlir::FailureOr<StepIR> readStep(mlir::ModuleOp module, ReadNames names = ReadNames::Yes);
/// Reads some functions of a module, and all globals.
mlir::FailureOr<StepIR> readStep(mlir::ModuleOp module, llvm::ArrayRef<mlir::func::FuncOp> functions,
                                 ReadNames names = ReadNames::Yes);

} // namespace tx

#endif // TX_PLAN_READSTEP_H
