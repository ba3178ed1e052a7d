//===- CudaKernels.h - Kernels of a step as PTX and cubins ----------------------------------------------*- C++ -*-===//
//
// A step program's kernels become one PTX module and, for each architecture, one cubin:
//
//   auto kernels = compileCudaKernels(program, {.architectures = {"sm_90"}});
//   if (failed(kernels)) ...                 // diagnosed at the kernel
//   TargetCode code = packCudaKernels(*kernels);
//
// Each function is launched as txrt_gpu_kernel of txrt/abi.h says. PTX is of the lowest architecture: a driver compiles
// it for devices newer than all cubins. Cubins come from the CUDA toolkit's ptxas, if there is one; LLVM does the rest.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TARGET_CUDAKERNELS_H
#define TX_TARGET_CUDAKERNELS_H

#include "tx/Target/TargetCode.h"

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"

#include <string>
#include <vector>

namespace tx {
namespace step {
class ProgramOp;
} // namespace step

struct CudaTargetOptions {
  /// sm_80, sm_90, ...: the first is the one that schedules are made for.
  std::vector<std::string> architectures = {"sm_80"};
  /// The assembler; empty: $CUDA_HOME/bin/ptxas, then PATH, then the usual place; none: no cubins.
  std::string ptxas;
};

struct CudaKernel {
  std::string name;
  uint32_t threads = 0;     // of a block, in one dimension
  uint32_t sharedBytes = 0; // of dynamic shared memory
  uint64_t units = 0, unitsPerBlock = 0;
};

/// What ptxas says of a kernel.
struct CudaUsage {
  std::string kernel;
  unsigned registers = 0, spillBytes = 0, stackBytes = 0, sharedBytes = 0;
};

struct CudaImage {
  unsigned capability = 0; // 90
  llvm::SmallVector<char, 0> cubin;
  std::vector<CudaUsage> usage;
};

struct CudaKernels {
  /// In the order of the program's kernels.
  std::vector<CudaKernel> kernels;
  unsigned ptxCapability = 0;
  std::string ptx;
  /// One for each architecture, ascending; none without ptxas.
  std::vector<CudaImage> images;
};

/// The PTX alone. Must not be called from inside of a pass that others run beside: it loads dialects. The program stays
/// as it is.
mlir::FailureOr<CudaKernels> compileCudaKernelsToPtx(step::ProgramOp program, const CudaTargetOptions &options);

/// PTX and cubins. An assembler that refuses is an error; where none is found there is the PTX alone, with a warning.
mlir::FailureOr<CudaKernels> compileCudaKernels(step::ProgramOp program, const CudaTargetOptions &options);

/// Those kernels as an artifact has them.
TargetCode packCudaKernels(const CudaKernels &kernels);

/// Where ptxas is; empty if nowhere.
std::string findPtxas(const CudaTargetOptions &options);

} // namespace tx

#endif // TX_TARGET_CUDAKERNELS_H
