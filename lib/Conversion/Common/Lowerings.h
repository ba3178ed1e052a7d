//===- Lowerings.h - Functions that write the code of ops -----------------------------------------------*- C++ -*-===//
//
// Maps an op's name to the function that lowers the op:
//
//   Lowerings<RowProgram &> rows;
//   rows.add(lowerSoftmax);         // void lowerSoftmax(SoftmaxOp op, RowProgram &row)
//   if (const auto *lower = rows.find(op))
//     (*lower)(op, row);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_COMMON_LOWERINGS_H
#define TX_LIB_CONVERSION_COMMON_LOWERINGS_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/StringMap.h"

#include <functional>

namespace tx::emit {

template <typename... Arguments> class Lowerings {
public:
  using Function = std::function<void(mlir::Operation *, Arguments...)>;

  template <typename OpT> void add(void (*lower)(OpT, Arguments...)) {
    functions[OpT::getOperationName()] = [lower](mlir::Operation *op, Arguments... arguments) {
      lower(llvm::cast<OpT>(op), std::forward<Arguments>(arguments)...);
    };
  }
  /// The function that lowers the op; null if there is none.
  const Function *find(mlir::Operation *op) const {
    auto found = functions.find(op->getName().getStringRef());
    return found == functions.end() ? nullptr : &found->second;
  }

private:
  llvm::StringMap<Function> functions;
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_LOWERINGS_H
