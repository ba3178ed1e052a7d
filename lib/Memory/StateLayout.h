//===- StateLayout.h - Where state lies -----------------------------------------------------------------*- C++ -*-===//
//
// State (all globals) lives from the first step to the last, so its addresses follow from an order and need no search:
//
//   | parameters | gradients | moments | masters |      roles in their order
//
// Within a role, globals that an op takes as one row (see ViewOpInterface) lie side by side in the row's order; the
// others lie in the order of the module.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_MEMORY_STATELAYOUT_H
#define TX_LIB_MEMORY_STATELAYOUT_H

#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/StringMap.h"

namespace tx::memory {

class StateLayout {
public:
  /// Fails with an error on an op that takes a row of values that are not state, or of state that another op takes in
  /// another order.
  static llvm::FailureOr<StateLayout> compute(mlir::ModuleOp module);

  /// The global's offset in bytes from the start of the persistent segment.
  int64_t getOffset(llvm::StringRef global) const { return offsets.lookup(global); }
  /// The bytes of all globals, with padding between them.
  int64_t getBytes() const { return bytes; }

private:
  llvm::StringMap<int64_t> offsets;
  int64_t bytes = 0;
};

/// The name of the global in whose bytes the value lies: the value was loaded from it, or continues the loaded value in
/// place. Empty if there is none.
llvm::StringRef findState(mlir::Value value);

} // namespace tx::memory

#endif // TX_LIB_MEMORY_STATELAYOUT_H
