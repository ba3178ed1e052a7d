//===- HostEmitter.h - Memory of kernels on the host ----------------------------------------------------*- C++ -*-===//
//
// Host kernels access memory in runs: each load or store takes a power of two of neighboring elements, at most a vector
// register of 64 bytes. The rest of a row, less than a vector, takes a few runs (13 lanes: 8, 4 and 1) and no masked
// access, because LLVM 22 makes a masked store of one narrowed lane too wide (docs/Rationale/cpu-memory.md).
// `tx-verify-host-kernels` checks this for all kernels.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_HOST_HOSTEMITTER_H
#define TX_LIB_CONVERSION_HOST_HOSTEMITTER_H

#include "../Common/Emitter.h"

namespace tx::host {

class HostEmitter : public emit::Emitter {
public:
  using Emitter::Emitter;

  emit::Vectors loadBlock(const emit::Buffer &buffer, emit::Number start, emit::BlockShape shape) override;
  void storeBlock(const emit::Vectors &block, const emit::Buffer &buffer, emit::Number start,
                  emit::BlockShape shape) override;
  emit::Number selectColumns(emit::Number value, emit::Number other, unsigned vector, emit::BlockShape shape) override;

  /// Loads the first `count` lanes of a vector of `lanes` lanes; the other lanes are zeros.
  mlir::Value loadLanes(mlir::Value memory, emit::Number at, unsigned count, unsigned lanes);
  void storeLanes(mlir::Value vector, mlir::Value memory, emit::Number at, unsigned count);
  /// The same for a count that is known only when the kernel runs: the code branches. If the count is `lanes` or more,
  /// all lanes are loaded or stored.
  mlir::Value loadLanes(mlir::Value memory, emit::Number at, emit::Number count, unsigned lanes);
  void storeLanes(mlir::Value vector, mlir::Value memory, emit::Number at, emit::Number count);

private:
  mlir::Value loadRun(mlir::Value memory, emit::Number at, unsigned lanes);
  void storeRun(mlir::Value vector, mlir::Value memory, emit::Number at);
  mlir::Value loadFewer(mlir::Value memory, emit::Number at, emit::Number count, unsigned lanes);
  void storeFewer(mlir::Value vector, mlir::Value memory, emit::Number at, emit::Number count);
  mlir::Value zeros(mlir::Value memory, unsigned lanes);
  mlir::Value slice(mlir::Value vector, unsigned first, unsigned lanes);
  mlir::Value join(mlir::Value low, mlir::Value high);

  using Branch = llvm::function_ref<mlir::Value()>;
  mlir::Value choose(emit::Number condition, Branch yes, Branch no);
};

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_HOSTEMITTER_H
