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

/// Attributes on each gpu.func that `tx-lower-kernels-to-gpu` makes: the units of the kernel's work, and how many of
/// them a block of threads computes.
constexpr llvm::StringLiteral kGpuUnits = "step.units";
constexpr llvm::StringLiteral kGpuUnitsPerBlock = "step.units_per_block";
/// On a gpu.func that uses dynamic shared memory: its size in bytes.
constexpr llvm::StringLiteral kGpuSharedBytes = "step.shared_bytes";

/// The architectures for which KernelSchedule.h has schedules: sm_80, ..., in ascending order.
llvm::SmallVector<llvm::StringRef> getGpuArchitectures();

/// Returns the module that `tx-lower-kernels-to-gpu` adds to a program, without adding it. On failure, errors are on
/// the step.kernel ops. The dialects of registerGpuKernelDialects must be loaded.
mlir::FailureOr<mlir::gpu::GPUModuleOp> lowerKernelsToGpu(step::ProgramOp program, llvm::StringRef architecture);

/// Registers the dialects of the module that lowerKernelsToGpu returns.
void registerGpuKernelDialects(mlir::DialectRegistry &registry);

#define GEN_PASS_REGISTRATION
#include "tx/Conversion/Gpu/Passes.h.inc"

} // namespace tx

#endif // TX_CONVERSION_GPU_PASSES_H
