//===- BlockEmitter.h - What a block of threads does together -------------------------------------------*- C++ -*-===//
//
// Shared memory, copies that go on beside, products by tensor cores: a thread's part of each. Dynamic shared memory is
// addressed by bytes, as a number that depends on the thread and a constant, which becomes the instruction's.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_BLOCKEMITTER_H
#define TX_LIB_CONVERSION_GPU_BLOCKEMITTER_H

#include "ThreadEmitter.h"

namespace tx::simt {

class BlockEmitter : public ThreadEmitter {
public:
  BlockEmitter(mlir::OpBuilder &builder, mlir::gpu::GPUFuncOp function, unsigned lanes);

  emit::Number word(int64_t value) { return integer(value, i32()); }
  emit::Number toWord(emit::Number index) { return emit::convert(index, i32()); }
  /// The values that `body` gives where the condition holds, else `otherwise`.
  llvm::SmallVector<emit::Number> choose(emit::Number condition, emit::Numbers otherwise,
                                         llvm::function_ref<llvm::SmallVector<emit::Number>()> body);
  /// A loop that carries values, from which nothing is moved out: addresses that are constants apart would else take
  /// all registers, each one of its own.
  llvm::SmallVector<emit::Number> mainLoop(emit::Number begin, emit::Number end, emit::Numbers carried, LoopBody body);
  /// The larger; of a number and a NaN the number.
  emit::Number maximum(emit::Number a, emit::Number b);

  /// Bytes of dynamic shared memory, aligned to 128.
  int64_t allocate(int64_t bytes);
  /// What follows is for other blocks.
  void releaseAll() { allocated = 0; }
  /// The most that was allocated at once.
  int64_t getSharedBytes() const { return mostAllocated; }
  emit::Number loadShared(emit::Number at, int64_t offset, mlir::Type type);
  void storeShared(emit::Number value, emit::Number at, int64_t offset);

  /// 16 bytes of global memory as a vector of the buffer's type.
  void storeVector(emit::Number vector, const emit::Buffer &buffer, emit::Number element);

  /// Begins to copy 16 bytes from an element `more` after the given one to shared memory; zeros instead, and nothing is
  /// read, unless `isThere` (null: it is).
  void copyAsync(const emit::Buffer &from, emit::Number element, int64_t more, emit::Number at, int64_t offset,
                 emit::Number isThere);
  /// Until this thread's copies have come.
  void waitForCopies();

  /// Four matrices of 8 x 8 bf16, the lanes of each eight giving the addresses of one's rows.
  llvm::SmallVector<emit::Number> loadMatrices(emit::Number at, int64_t offset, bool transposed);
  /// c += a b: 16 x 16 by 16 x 8, bf16 in pairs; sums in f32.
  void multiplyAdd(emit::Numbers a, emit::Numbers b, llvm::MutableArrayRef<emit::Number> c);
  /// Two f32, rounded to bf16, in one word.
  emit::Number pack(emit::Number low, emit::Number high);

private:
  mlir::Value sharedPointer(emit::Number at, int64_t offset);
  mlir::Value globalPointer(const emit::Buffer &buffer);

  mlir::Block *start;
  mlir::Value shared; ///< the first byte of dynamic shared memory
  llvm::DenseMap<mlir::Value, mlir::Value> globals;
  int64_t allocated = 0, mostAllocated = 0;
};

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_BLOCKEMITTER_H
