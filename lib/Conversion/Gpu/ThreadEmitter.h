//===- ThreadEmitter.h - Writes what one thread of a GPU does -------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_GPU_THREADEMITTER_H
#define TX_LIB_CONVERSION_GPU_THREADEMITTER_H

#include "../Common/Emitter.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace tx::simt {

/// Emits code for one thread of a GPU. Memory holds bf16 as bf16, and the GPU's instructions convert it.
/// BlockShape::left says which vectors of a block of columns exist: a vector exists as a whole or not at all.
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
  /// Uses the special function unit: within 2^-22 relative, reciprocals within 1 ulp.
  emit::Number exp2(emit::Number x) override;
  emit::Number quotient(emit::Number a, emit::Number b) override;
  emit::Number root(emit::Number a) override;

  using Combine = llvm::function_ref<emit::Number(emit::Number, emit::Number)>;
  /// Combines the scalars of the threads whose numbers differ only in the bits [low, high); each of these threads gets
  /// the result. They must lie in one warp.
  emit::Number combineLanes(emit::Number scalar, unsigned low, unsigned high, Combine combine);
  /// Combines a vector's lanes into a scalar, neighbours first.
  emit::Number combineNeighbours(emit::Number vector, Combine combine);
  /// The same as combineLanes for each lane of a vector.
  emit::Number combineVectors(emit::Number vector, unsigned low, unsigned high, Combine combine);
  /// Allocates static shared memory for `elements` elements; f32 if no type is given.
  emit::Buffer shared(int64_t elements, mlir::Type element = {});
  /// Waits until all threads of the block are here and their memory accesses are done.
  void barrier();

  /// A condition, or null: only threads for which it is true store.
  emit::Number storing;

protected:
  emit::Number widen(emit::Number stored, const emit::Buffer &buffer) override;
  emit::Number narrow(emit::Number rounded, const emit::Buffer &buffer) override;

private:
  emit::Number widenBf16(emit::Number narrow);
  /// Calls an intrinsic of NVVM on each lane.
  emit::Number call(llvm::StringRef intrinsic, emit::Number x);
  /// A condition for whether a vector of a block of columns exists; null if it always does.
  emit::Number exists(unsigned vector, const emit::BlockShape &shape);

  mlir::gpu::GPUFuncOp function;
  emit::Number threadId, blockId;
};

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_THREADEMITTER_H
