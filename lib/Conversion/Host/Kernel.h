//===- Kernel.h - A kernel's function and its buffers -----------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_HOST_KERNEL_H
#define TX_LIB_CONVERSION_HOST_KERNEL_H

#include "Emitter.h"

#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx::host {

/// The op that stands for the kernel, the function that it becomes, and where
/// its operands are in memory.
class Kernel {
public:
  Kernel(step::KernelOp op, Emitter &emitter, mlir::Block *entry);

  step::KernelOp op;
  Emitter &emitter;
  int64_t rows, columns;

  /// The buffer of a kernel input; null for a value that an op computes.
  const Buffer *input(mlir::Value value) const;
  /// The buffers that a value is written to.
  llvm::SmallVector<const Buffer *, 1> outputs(mlir::Value value) const;
  Number immediate(unsigned index);
  Number begin() { return first; }
  Number end() { return last; }

  /// Diagnoses what kernels cannot do, once.
  void refuse(mlir::Operation *op, const llvm::Twine &why);
  bool isRefused() const { return refused; }

private:
  llvm::SmallVector<Buffer> buffers;
  Buffer immediates;
  Number first, last;
  bool refused = false;
};

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_KERNEL_H
