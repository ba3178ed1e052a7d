//===- CheckFunction.h - A test's function, apart from what it expects ----------------------------------*- C++ -*-===//
//
//   func.func @gelu() {                                    func.func @gelu(%x: tensor<2xf32>) -> tensor<2xf32> {
//     %x = arith.constant dense<[0.0, 1.0]>   becomes        %y = tx.gelu %x
//     %y = tx.gelu %x                                        return %y
//     check.near %y, dense<[0.0, 0.84]>                    }    with inputs and comparisons beside it
//     return
//   }
//
// So backends run it as any other function, and none of them can fold the constants into its code.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_OPT_CHECKFUNCTION_H
#define TX_OPT_CHECKFUNCTION_H

#include "tx/Dialect/Check/IR/CheckOps.h"
#include "tx/Reference/Interpreter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <optional>
#include <vector>

namespace tx {

/// What one check op compares: result number `found` of the function with result number `other` or, if there is none,
/// with the constant `written`.
struct Comparison {
  check::CompareOpInterface op;
  unsigned found;
  std::optional<unsigned> other;
  Tensor written;
};

struct CheckFunction {
  mlir::func::FuncOp source;   ///< the function as the test has it
  mlir::func::FuncOp function; ///< the function that runs
  std::vector<Tensor> inputs;
  std::vector<Comparison> comparisons;
  /// Whether the host can run it: only the reference has f64.
  bool runsOnHost = true;
};

/// Takes a function apart and creates the new function at `builder`. Fails with an error at an op that a check cannot
/// have, or if the function has no check.
mlir::FailureOr<CheckFunction> takeApart(mlir::func::FuncOp source, mlir::OpBuilder &builder);

} // namespace tx

#endif // TX_OPT_CHECKFUNCTION_H
