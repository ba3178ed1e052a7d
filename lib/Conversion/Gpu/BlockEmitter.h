//===- BlockEmitter.h - What a block of threads does together -------------------------------------------*- C++ -*-===//
//
// Emits one thread's part of what a block of threads does together: shared memory, asynchronous copies, products by
// tensor cores. An address in dynamic shared memory is a number of bytes that may depend on the thread, plus a constant
// that becomes part of the instruction.
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
  /// The values that `body` returns where the condition holds, else `otherwise`.
  llvm::SmallVector<emit::Number> choose(emit::Number condition, emit::Numbers otherwise,
                                         llvm::function_ref<llvm::SmallVector<emit::Number>()> body);
  /// Writes a loop that carries values, and keeps LLVM from moving code out of it (LICM). Otherwise addresses that are
  /// only constants apart would each take a register, until none are left.
  llvm::SmallVector<emit::Number> mainLoop(emit::Number begin, emit::Number end, emit::Numbers carried, LoopBody body);
  /// The larger number; if one of the two is NaN, the other one.
  emit::Number maximum(emit::Number a, emit::Number b);

  /// Allocates dynamic shared memory, aligned to 128 bytes, and returns its offset.
  int64_t allocate(int64_t bytes);
  /// Frees all shared memory: the code written from here on runs in other blocks.
  void releaseAll() { allocated = 0; }
  /// The most bytes that were allocated at one time.
  int64_t getSharedBytes() const { return mostAllocated; }
  emit::Number loadShared(emit::Number at, int64_t offset, mlir::Type type);
  void storeShared(emit::Number value, emit::Number at, int64_t offset);

  /// Stores 16 bytes, a vector of the buffer's element type, to global memory.
  void storeVector(emit::Number vector, const emit::Buffer &buffer, emit::Number element);

  /// Begins to copy 16 bytes, from `more` elements after `element` in global memory to shared memory. If `isThere` is
  /// false, nothing is read and zeros are written; null counts as true.
  void copyAsync(const emit::Buffer &from, emit::Number element, int64_t more, emit::Number at, int64_t offset,
                 emit::Number isThere);
  /// Waits until this thread's copies have arrived.
  void waitForCopies();

  /// Loads four matrices of 8 x 8 bf16 (ldmatrix). Each group of eight lanes gives the addresses of one matrix's rows.
  llvm::SmallVector<emit::Number> loadMatrices(emit::Number at, int64_t offset, bool transposed);
  /// c += a b, where a is 16 x 16 and b is 16 x 8: bf16 in pairs; c is f32.
  void multiplyAdd(emit::Numbers a, emit::Numbers b, llvm::MutableArrayRef<emit::Number> c);
  /// Rounds two f32 to bf16 and puts them into one 32-bit word.
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
