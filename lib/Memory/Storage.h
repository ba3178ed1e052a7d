//===- Storage.h - Which values share bytes, and for how long -------------------------------------------*- C++ -*-===//
//
// A storage is a piece of memory with one lifetime. Values lie in storages:
// most have their own; accumulators, views and in-place results share one. All state
// is one: it is there from start to end, so only addresses tell globals apart.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_MEMORY_STORAGE_H
#define TX_LIB_MEMORY_STORAGE_H

#include "StateLayout.h"

#include "tx/Dialect/Step/IR/StepOps.h"

#include "txrt/abi.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tx::memory {

struct Storage {
  step::ArenaSegment segment;
  int64_t bytes = 0;
  int64_t alignment = TXRT_BUFFER_ALIGNMENT;
  int64_t lower = 0; // first op that writes it
  int64_t upper = 0; // behind the last op that uses it
};

/// Where a value lies in its storage: the first column's bytes and the row stride in elements (0: rows follow each
/// other).
struct Place {
  int storage = -1;
  int64_t byteOffset = 0;
  int64_t rowStride = 0;

  bool operator==(const Place &other) const {
    return storage == other.storage && byteOffset == other.byteOffset && rowStride == other.rowStride;
  }
};

class StorageAnalysis {
public:
  /// Fails with an error on the op that asks for something impossible.
  static llvm::FailureOr<StorageAnalysis> compute(mlir::func::FuncOp func, const StateLayout &layout);

  std::vector<Storage> storages;
  llvm::DenseMap<mlir::Value, Place> places;
  llvm::DenseMap<mlir::Operation *, int> scratch; // of ops that have some: their storage

private:
  explicit StorageAnalysis(const StateLayout &layout) : layout(layout) {}

  void numberUses(mlir::Block &block);
  mlir::LogicalResult planParts(mlir::Block &block);
  mlir::LogicalResult visit(mlir::Operation *op);
  void placeParts(ViewOpInterface op);
  void placeResult(mlir::OpResult result);
  void placeScratch(mlir::Operation *op);
  std::optional<Place> findDyingInput(step::GroupOp group, unsigned output);
  int addStorage(step::ArenaSegment segment, mlir::Type type);
  void extend(mlir::Value value);

  static constexpr int kState = 0; // the storage of all globals
  const StateLayout &layout;
  llvm::DenseMap<mlir::Operation *, int64_t> times;
  llvm::DenseMap<mlir::Value, int64_t> lastUses; // through views, too
  llvm::DenseMap<mlir::Value, Place> parts;      // where a concat wants its parts
};

/// The operand that a result continues in place, if any: ties of accumulating ops, also through a group.
mlir::Value getTiedOperand(mlir::OpResult result);

/// Whether the group's kernel may write `output` where `input` lies: every reader takes the input element by element,
/// in a pass no later than the one that writes the output.
bool mayReplace(step::GroupOp group, unsigned input, unsigned output);

} // namespace tx::memory

#endif // TX_LIB_MEMORY_STORAGE_H
