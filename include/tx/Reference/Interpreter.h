//===- Interpreter.h - What a function of tx ops computes -----------------------------------------------*- C++ -*-===//
//
// The meaning of the ops, in double and as plainly as possible: what every backend is compared with. It takes functions
// of the phases model, joint and remat. An op's bf16 result is rounded to bf16; f32 is not rounded to.
//
//   State state = createState(module, /*seed=*/1);
//   auto results = interpret(microbatch, {tokens, targets, key, scale, first}, state);
//   if (succeeded(results)) use((*results)[0], state["wte.weight.grad"]);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REFERENCE_INTERPRETER_H
#define TX_REFERENCE_INTERPRETER_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <string>
#include <vector>

namespace tx {

/// Row-major. Integers and bits are doubles too: all of i32 is exact.
struct Tensor {
  llvm::SmallVector<int64_t, 4> shape;
  std::vector<double> values;

  static Tensor zeros(llvm::ArrayRef<int64_t> shape);
  static Tensor scalar(double value) { return {{}, {value}}; }

  int64_t getColumns() const { return shape.empty() ? 1 : shape.back(); }
  int64_t getRows() const { return static_cast<int64_t>(values.size()) / getColumns(); }
};

/// Rounds to a tensor type of bf16. All other types leave numbers as they are: what f32 is compared with shall be
/// better than f32, but where bf16 rounds is a part of what a program means.
void roundTo(mlir::Type type, Tensor &tensor);

/// The globals by name.
using State = std::map<std::string, Tensor>;

/// All globals of the module as they start; `normal` ones depend on the seed.
State createState(mlir::ModuleOp module, uint64_t seed);

/// Runs a function of one block. Fails with an error on the op that cannot be computed (a token outside of the
/// vocabulary), on the function for arguments that do not fit.
mlir::FailureOr<llvm::SmallVector<Tensor>> interpret(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> arguments,
                                                     State &state);

/// The same on all ranks of the module's mesh in lockstep, op by op: a list of arguments, a state and a list of results
/// for each, in the order of ranks. Also fails, with an error on the function, for another number of them.
mlir::FailureOr<std::vector<llvm::SmallVector<Tensor>>>
interpretRanks(mlir::func::FuncOp function, llvm::ArrayRef<llvm::SmallVector<Tensor>> arguments,
               llvm::MutableArrayRef<State> states);

} // namespace tx

#endif // TX_REFERENCE_INTERPRETER_H
