//===- Storage.h - Which values share bytes, and for how long -------------------------------------------*- C++ -*-===//
//
// A storage is a piece of memory with one lifetime. Each value lies in a storage. Most values have their own;
// accumulators, views and in-place results share one with other values. All globals together are one storage, since all
// of them live from start to end; their byte offsets tell them apart.
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
  int64_t lower = 0; // place of the first op that writes the storage
  int64_t upper = 0; // one behind the place of the last op that uses the storage
};

/// Where a value lies in its storage: the offset of its first element in bytes, and the distance of its rows in
/// elements (0: rows follow each other).
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
  /// Fails with an error on an op whose values cannot lie as it needs them: parts of a concat that lie elsewhere, a
  /// store of a value that was not computed in the global's place, an op that is no tx op.
  static llvm::FailureOr<StorageAnalysis> compute(mlir::func::FuncOp func, const StateLayout &layout);

  std::vector<Storage> storages;
  llvm::DenseMap<mlir::Value, Place> places;
  llvm::DenseMap<mlir::Operation *, int> scratch; // for each op with scratch: its storage

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
  llvm::DenseMap<mlir::Value, int64_t> lastUses; // uses of a value's views count as its own
  llvm::DenseMap<mlir::Value, Place> parts;      // the places where concats need their parts
};

/// The operand whose bytes the result overwrites and continues, if any: the tied accumulator of an accumulating op,
/// also if the op is inside of a group.
mlir::Value getTiedOperand(mlir::OpResult result);

/// Whether the group's kernel may write `output` where `input` lies: every op that reads the input reads it element by
/// element, and in a pass over the row that is no later than the pass that writes the output.
bool mayReplace(step::GroupOp group, unsigned input, unsigned output);

} // namespace tx::memory

#endif // TX_LIB_MEMORY_STORAGE_H
