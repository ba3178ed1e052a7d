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

/// What `tx-lower-kernels-to-vector` puts into the program, as a module of its own: one function for each kernel.
/// Diagnosed at the kernel's op on failure.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowerKernelsToVector(step::ProgramOp program);
/// The same of one kernel.
mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> lowerKernelToVector(step::KernelOp kernel);

/// Whether the program multiplies bf16 matrices.
bool hasNarrowProducts(step::ProgramOp program);
/// What a CPU multiplies matrices with.
struct ProductUnits {
  bool tiles;       ///< a matrix unit (AMX)
  bool wideVectors; ///< 32 vector registers of 16 f32 (AVX-512)
};
/// Adds a txrt_host_product (txrt/abi.h) to that module for each form of the program's bf16 products.
void addNarrowProducts(step::ProgramOp program, mlir::ModuleOp module, ProductUnits units);

/// `tx-verify-host-kernels`, on that module.
mlir::LogicalResult verifyHostKernels(mlir::ModuleOp module);

/// The dialects of that module.
void registerVectorKernelDialects(mlir::DialectRegistry &registry);

#define GEN_PASS_REGISTRATION
#include "tx/Conversion/Passes.h.inc"

} // namespace tx

#endif // TX_CONVERSION_PASSES_H
