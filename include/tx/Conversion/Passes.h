//===- Passes.h - From kernels on tensors to loops on memory --------------------------------------------*- C++ -*-===//

#ifndef TX_CONVERSION_PASSES_H
#define TX_CONVERSION_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/Pass.h"

namespace tx {
namespace step {
class KernelOp;
class ProgramOp;
} // namespace step

#define GEN_PASS_DECL
#include "tx/Conversion/Passes.h.inc"

/// Returns the functions that `tx-lower-kernels-to-vector` adds to a program, one for each step.kernel, in a module of
/// their own. On failure, errors are on the step.kernel ops.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowerKernelsToVector(step::ProgramOp program);
/// The same for one kernel.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowerKernelToVector(step::KernelOp kernel);

/// Whether the program multiplies bf16 matrices.
bool hasNarrowProducts(step::ProgramOp program);
/// The instructions with which a CPU multiplies matrices.
struct ProductUnits {
  bool tiles;       ///< a matrix unit (AMX)
  bool wideVectors; ///< 32 vector registers of 16 f32 (AVX-512)
};
/// Adds one txrt_host_product function (txrt/abi.h) to `module` for each form (transposes, type of C) of the program's
/// bf16 products.
void addNarrowProducts(step::ProgramOp program, mlir::ModuleOp module, ProductUnits units);

/// Runs the check of `tx-verify-host-kernels` on a module of lowerKernelsToVector.
mlir::LogicalResult verifyHostKernels(mlir::ModuleOp module);

/// Registers the dialects of the module that lowerKernelsToVector returns.
void registerVectorKernelDialects(mlir::DialectRegistry &registry);

#define GEN_PASS_REGISTRATION
#include "tx/Conversion/Passes.h.inc"

} // namespace tx

#endif // TX_CONVERSION_PASSES_H
