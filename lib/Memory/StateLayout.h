//===- StateLayout.h - Where state lies -----------------------------------------------------------------*- C++ -*-===//
//
// State lives from the first step to the last, so it needs addresses but no placement:
//
//   | parameters | gradients | moments | masters |      roles in their order
//
// and within a role side by side what an op takes as one row (see ViewOpInterface), else in the order of the module.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_MEMORY_STATELAYOUT_H
#define TX_LIB_MEMORY_STATELAYOUT_H

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/StringMap.h"

namespace tx::memory {

class StateLayout {
public:
  /// Fails with an error on an op that wants a row of what is no state, or of state that another op wants in another
  /// order.
  static llvm::FailureOr<StateLayout> compute(mlir::ModuleOp module);

  /// In bytes from the start of the persistent segment.
  int64_t getOffset(llvm::StringRef global) const { return offsets.lookup(global); }
  /// Behind the last global.
  int64_t getBytes() const { return bytes; }

private:
  llvm::StringMap<int64_t> offsets;
  int64_t bytes = 0;
};

/// The global in whose place a value lies: it was loaded, or continues in place what was. Empty if there is none.
llvm::StringRef findState(mlir::Value value);

} // namespace tx::memory

#endif // TX_LIB_MEMORY_STATELAYOUT_H
