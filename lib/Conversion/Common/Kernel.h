//===- Kernel.h - A kernel's function and its buffers ---------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_COMMON_KERNEL_H
#define TX_LIB_CONVERSION_COMMON_KERNEL_H

#include "Emitter.h"

#include "tx/Dialect/Step/IR/StepOps.h"

#include <functional>
#include <optional>

namespace tx::emit {

/// Where the rows of a kernel lie in a buffer. Row r begins at element (r / heads) stride + (r % heads) headStride: a
/// kernel's row is a row of the tensor, or one of its heads.
struct RowPlaces {
  int64_t stride, heads = 1, headStride = 0;

  /// The places of rows of `width` elements, a whole part of the buffer's rows.
  static RowPlaces within(const Buffer &buffer, int64_t width);
  /// The places of `rows` rows of `width` elements; none if they are not evenly spaced. Kernels of chunks or of a
  /// single row take a contiguous tensor as one sequence.
  static std::optional<RowPlaces> find(const Buffer &buffer, int64_t rows, int64_t width);
  Number startOf(Number row) const;
};

/// A kernel whose code is being written: its step.kernel op, and the memory of its operands.
class Kernel {
public:
  /// `memory`: the memrefs of the inputs, then of the outputs. `immediate` returns an immediate by its number.
  Kernel(step::KernelOp op, Emitter &emitter, mlir::ValueRange memory, std::function<Number(unsigned)> immediate);

  step::KernelOp op;
  Emitter &emitter;
  int64_t rows, columns;

  /// The buffer of a kernel input; null for a value that an op of the kernel computes.
  const Buffer *input(mlir::Value value) const;
  /// The buffers to which the kernel writes a value.
  llvm::SmallVector<const Buffer *, 1> outputs(mlir::Value value) const;
  std::function<Number(unsigned)> immediate;

  /// Emits an error on an op that kernels cannot compute, once for each kernel.
  void refuse(mlir::Operation *op, const llvm::Twine &why);
  bool isRefused() const { return refused; }

private:
  llvm::SmallVector<Buffer> buffers;
  bool refused = false;
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_KERNEL_H
