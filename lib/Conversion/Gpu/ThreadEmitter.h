//===- ThreadEmitter.h - Writes what one thread of a GPU does -------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_GPU_THREADEMITTER_H
#define TX_LIB_CONVERSION_GPU_THREADEMITTER_H

#include "../Common/Emitter.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace tx::simt {

/// Memory has bf16 as such, and conversions are the GPU's. A block's `left` tells which of its vectors exist: a vector
/// is there whole or not at all.
class ThreadEmitter : public emit::Emitter {
public:
  ThreadEmitter(mlir::OpBuilder &builder, mlir::gpu::GPUFuncOp function, unsigned lanes);

  emit::Number thread() { return threadId; }
  emit::Number block() { return blockId; }

  emit::Vectors loadBlock(const emit::Buffer &buffer, emit::Number start, emit::BlockShape shape) override;
  void storeBlock(const emit::Vectors &block, const emit::Buffer &buffer, emit::Number start,
                  emit::BlockShape shape) override;
  emit::Number selectColumns(emit::Number value, emit::Number other, unsigned vector, emit::BlockShape shape) override;
  emit::Number roundToBf16(emit::Number a) override;
  /// The special function unit's: within 2^-22 relative, reciprocals within 1 ulp.
  emit::Number exp2(emit::Number x) override;
  emit::Number quotient(emit::Number a, emit::Number b) override;
  emit::Number root(emit::Number a) override;

  using Combine = llvm::function_ref<emit::Number(emit::Number, emit::Number)>;
  /// Combines scalars of threads whose numbers differ in the bits [low, high) only; all of them get the result. At most
  /// a warp.
  emit::Number combineLanes(emit::Number scalar, unsigned low, unsigned high, Combine combine);
  /// Combines a vector's lanes, neighbours first.
  emit::Number combineNeighbours(emit::Number vector, Combine combine);
  /// The same as combineLanes for each lane of a vector.
  emit::Number combineVectors(emit::Number vector, unsigned low, unsigned high, Combine combine);
  /// Memory that the threads of a block share; f32 if nothing else is said.
  emit::Buffer shared(int64_t elements, mlir::Type element = {});
  /// Waits for all threads of the block, and for their accesses.
  void barrier();

  /// If not null, only threads where it is true store.
  emit::Number storing;

protected:
  emit::Number widen(emit::Number stored, const emit::Buffer &buffer) override;
  emit::Number narrow(emit::Number rounded, const emit::Buffer &buffer) override;

private:
  emit::Number widenBf16(emit::Number narrow);
  /// An intrinsic of NVVM, lane by lane.
  emit::Number call(llvm::StringRef intrinsic, emit::Number x);
  /// Whether a vector of a block exists; null: it does.
  emit::Number exists(unsigned vector, const emit::BlockShape &shape);

  mlir::gpu::GPUFuncOp function;
  emit::Number threadId, blockId;
};

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_THREADEMITTER_H
