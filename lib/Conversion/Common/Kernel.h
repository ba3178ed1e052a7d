//===- Kernel.h - A kernel's function and its buffers ---------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_COMMON_KERNEL_H
#define TX_LIB_CONVERSION_COMMON_KERNEL_H

#include "Emitter.h"

#include "tx/Dialect/Step/IR/StepOps.h"

#include <functional>

namespace tx::emit {

/// The op that stands for the kernel, and where its operands are in memory.
class Kernel {
public:
  /// `memory`: of the inputs, then of the outputs. `immediate` gives one by its number.
  Kernel(step::KernelOp op, Emitter &emitter, mlir::ValueRange memory, std::function<Number(unsigned)> immediate);

  step::KernelOp op;
  Emitter &emitter;
  int64_t rows, columns;

  /// The buffer of a kernel input; null for a value that an op computes.
  const Buffer *input(mlir::Value value) const;
  /// The buffers that a value is written to.
  llvm::SmallVector<const Buffer *, 1> outputs(mlir::Value value) const;
  std::function<Number(unsigned)> immediate;

  /// Diagnoses what kernels cannot do, once.
  void refuse(mlir::Operation *op, const llvm::Twine &why);
  bool isRefused() const { return refused; }

private:
  llvm::SmallVector<Buffer> buffers;
  bool refused = false;
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_KERNEL_H
