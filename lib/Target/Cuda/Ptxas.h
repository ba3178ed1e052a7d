//===- Ptxas.h - PTX to cubins by the CUDA toolkit's assembler ------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_CUDA_PTXAS_H
#define TX_LIB_TARGET_CUDA_PTXAS_H

#include "tx/Target/CudaKernels.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tx::cuda {

/// Runs `ptxas`. An error is for the person who chose it, or their disk.
llvm::Expected<CudaImage> assemble(llvm::StringRef ptxas, llvm::StringRef ptx, unsigned capability);

/// What `ptxas -v` printed.
std::vector<CudaUsage> parseUsage(llvm::StringRef text);

} // namespace tx::cuda

#endif // TX_LIB_TARGET_CUDA_PTXAS_H
