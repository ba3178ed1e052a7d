//===- Passes.h - From kernels on tensors to GPU threads ------------------------------------------------*- C++ -*-===//

#ifndef TX_CONVERSION_GPU_PASSES_H
#define TX_CONVERSION_GPU_PASSES_H

#include "tx/Dialect/Tx/IR/TxEnums.h"

#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/Pass.h"

namespace mlir::gpu {
class GPUModuleOp;
} // namespace mlir::gpu

namespace tx {
namespace step {
class ProgramOp;
} // namespace step

#define GEN_PASS_DECL
#include "tx/Conversion/Gpu/Passes.h.inc"

/// On each function that `tx-lower-kernels-to-gpu` makes.
constexpr llvm::StringLiteral kGpuUnits = "step.units";
constexpr llvm::StringLiteral kGpuUnitsPerBlock = "step.units_per_block";
/// On those that take dynamic shared memory.
constexpr llvm::StringLiteral kGpuSharedBytes = "step.shared_bytes";

/// The architectures that have schedules: sm_80, ..., in ascending order.
llvm::SmallVector<llvm::StringRef> getGpuArchitectures();

/// What `tx-lower-kernels-to-gpu` puts into the program, unattached. Diagnosed at the kernel's op on failure. Its
/// dialects must be loaded.
mlir::FailureOr<mlir::gpu::GPUModuleOp> lowerKernelsToGpu(step::ProgramOp program, llvm::StringRef architecture);

/// The dialects of that module.
void registerGpuKernelDialects(mlir::DialectRegistry &registry);

#define GEN_PASS_REGISTRATION
#include "tx/Conversion/Gpu/Passes.h.inc"

} // namespace tx

#endif // TX_CONVERSION_GPU_PASSES_H
