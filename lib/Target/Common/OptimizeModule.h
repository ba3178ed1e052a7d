//===- OptimizeModule.h - LLVM's passes for kernels -----------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_COMMON_OPTIMIZEMODULE_H
#define TX_LIB_TARGET_COMMON_OPTIMIZEMODULE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace tx {

/// Runs a pass pipeline, written as for `opt --passes`, for the target `machine`.
llvm::Error optimizeModule(llvm::Module &module, llvm::TargetMachine &machine, llvm::StringRef pipeline);

} // namespace tx

#endif // TX_LIB_TARGET_COMMON_OPTIMIZEMODULE_H
