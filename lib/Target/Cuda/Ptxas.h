//===- Ptxas.h - PTX to cubins by the CUDA toolkit's assembler ------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_CUDA_PTXAS_H
#define TX_LIB_TARGET_CUDA_PTXAS_H

#include "tx/Target/CudaKernels.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tx::cuda {

/// Runs the program `ptxas` on `ptx` for one compute capability (90 for sm_90). An error says what is wrong with the
/// chosen program, the PTX or the disk.
llvm::Expected<CudaImage> assemble(llvm::StringRef ptxas, llvm::StringRef ptx, unsigned capability);

/// Parses the output of `ptxas -v`.
std::vector<CudaUsage> parseUsage(llvm::StringRef text);

} // namespace tx::cuda

#endif // TX_LIB_TARGET_CUDA_PTXAS_H
