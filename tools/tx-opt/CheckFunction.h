//===- CheckFunction.h - A test's function, apart from what it expects ----------------------------------*- C++ -*-===//
//
//   func.func @gelu() {                                    func.func @gelu(%x: tensor<2xf32>) -> tensor<2xf32> {
//     %x = arith.constant dense<[0.0, 1.0]>   becomes        %y = tx.gelu %x
//     %y = tx.gelu %x                                        return %y
//     check.near %y, dense<[0.0, 0.84]>                    }    with inputs and comparisons beside it
//     return
//   }
//
// So backends run it as any function, and none of them folds what is written into the code.
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

/// What one check op compares: results of the function by their numbers, or written values.
struct Comparison {
  check::CompareOpInterface op;
  unsigned found;
  std::optional<unsigned> other;
  Tensor written;
};

struct CheckFunction {
  mlir::func::FuncOp source;   ///< as written
  mlir::func::FuncOp function; ///< what is run
  std::vector<Tensor> inputs;
  std::vector<Comparison> comparisons;
  /// f64 is the reference's alone.
  bool runsOnHost = true;
};

/// Takes a function apart; `builder` stands where the new one goes. Fails with an error at what a check cannot have.
mlir::FailureOr<CheckFunction> takeApart(mlir::func::FuncOp source, mlir::OpBuilder &builder);

} // namespace tx

#endif // TX_OPT_CHECKFUNCTION_H
