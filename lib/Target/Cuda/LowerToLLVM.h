//===- LowerToLLVM.h - GPU threads to LLVM IR -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_CUDA_LOWERTOLLVM_H
#define TX_LIB_TARGET_CUDA_LOWERTOLLVM_H

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "llvm/IR/Module.h"

namespace tx::cuda {

/// The dialects that the lowering goes through, with their translations.
void loadLoweringDialects(mlir::MLIRContext *context);

/// Null on failure, which is diagnosed. The module is changed on the way.
std::unique_ptr<llvm::Module> gpuToLLVM(mlir::gpu::GPUModuleOp module, llvm::LLVMContext &context);

} // namespace tx::cuda

#endif // TX_LIB_TARGET_CUDA_LOWERTOLLVM_H
