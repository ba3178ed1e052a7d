//===- Interpreter.h - What a function of tx ops computes -----------------------------------------------*- C++ -*-===//
//
// The reference interpreter defines what each op computes. It computes in double and as plainly as possible; tests
// compare every backend with it. It runs functions of the phases model, joint and remat. It rounds an op's bf16 result
// to bf16, but does not round results to f32.
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

/// A row-major tensor. Integers and bits are doubles too; a double holds every i32 exactly.
struct Tensor {
  llvm::SmallVector<int64_t, 4> shape;
  std::vector<double> values;

  static Tensor zeros(llvm::ArrayRef<int64_t> shape);
  static Tensor scalar(double value) { return {{}, {value}}; }

  int64_t getColumns() const { return shape.empty() ? 1 : shape.back(); }
  int64_t getRows() const { return static_cast<int64_t>(values.size()) / getColumns(); }
};

/// Rounds the values to bf16 if `type` is a tensor of bf16; does nothing for other types. f32 results are compared with
/// the interpreter's, which should be more precise than f32. But where a program rounds to bf16 is a part of its
/// meaning.
void roundTo(mlir::Type type, Tensor &tensor);

/// The globals by name.
using State = std::map<std::string, Tensor>;

/// All globals of the module with their initial values. Globals of the init kind `normal` get random values from the
/// seed.
State createState(mlir::ModuleOp module, uint64_t seed);

/// Runs a function of one block and returns its results. Fails with an error on an op that cannot be computed (a token
/// outside of the vocabulary), or on the function if number or shapes of the arguments are wrong.
mlir::FailureOr<llvm::SmallVector<Tensor>> interpret(mlir::func::FuncOp function, llvm::ArrayRef<Tensor> arguments,
                                                     State &state);

/// Runs a function on all ranks of the module's mesh, op by op in lockstep. Each rank has a list of arguments, a state
/// and a list of results, in the order of ranks. Also fails, with an error on the function, if the number of lists or
/// states is not the number of ranks.
mlir::FailureOr<std::vector<llvm::SmallVector<Tensor>>>
interpretRanks(mlir::func::FuncOp function, llvm::ArrayRef<llvm::SmallVector<Tensor>> arguments,
               llvm::MutableArrayRef<State> states);

} // namespace tx

#endif // TX_REFERENCE_INTERPRETER_H
