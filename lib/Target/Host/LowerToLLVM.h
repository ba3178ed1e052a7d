//===- LowerToLLVM.h - Vector code to LLVM IR -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_LOWERTOLLVM_H
#define TX_LIB_TARGET_HOST_LOWERTOLLVM_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

namespace tx::host {

/// Loads the dialects that `vectorToLLVM` goes through.
void loadLoweringDialects(mlir::MLIRContext *context);

/// Turns the functions of `tx-lower-kernels-to-vector` into LLVM IR, with pointers for memrefs. Null on failure.
std::unique_ptr<llvm::Module> vectorToLLVM(mlir::ModuleOp module, llvm::LLVMContext &context);

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_LOWERTOLLVM_H
