//===- LowerToLLVM.h - GPU threads to LLVM IR -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_CUDA_LOWERTOLLVM_H
#define TX_LIB_TARGET_CUDA_LOWERTOLLVM_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/IR/Module.h"

namespace tx::cuda {

/// Loads the dialects that `gpuToLLVM` goes through, with their translations to LLVM IR.
void loadLoweringDialects(mlir::MLIRContext *context);

/// Lowers a module of GPU threads to LLVM IR, and changes the module on the way. Returns null on failure, after
/// emitting an error.
std::unique_ptr<llvm::Module> gpuToLLVM(mlir::gpu::GPUModuleOp module, llvm::LLVMContext &context);

} // namespace tx::cuda

#endif // TX_LIB_TARGET_CUDA_LOWERTOLLVM_H
