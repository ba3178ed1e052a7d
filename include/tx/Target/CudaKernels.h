//===- CudaKernels.h - Kernels of a step as PTX and cubins ----------------------------------------------*- C++ -*-===//
//
// A step program's kernels become one PTX module and, for each architecture, one cubin:
//
//   auto kernels = compileCudaKernels(program, {.architectures = {"sm_90"}});
//   if (failed(kernels)) ...                 // diagnosed at the kernel
//   TargetCode code = packCudaKernels(*kernels);
//
// The runtime launches each function as txrt_gpu_kernel of txrt/abi.h says. The PTX is for the lowest architecture: on
// a device newer than all cubins the driver compiles it. The CUDA toolkit's ptxas, if there is one, makes the cubins;
// LLVM does the rest.
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
  /// sm_80, sm_90, ... Kernels are scheduled (threads, vector widths) for the first one.
  std::vector<std::string> architectures = {"sm_80"};
  /// The path of ptxas. If it is empty, ptxas is looked for in $CUDA_HOME/bin, then in PATH, then in the usual folder.
  /// "none": make no cubins.
  std::string ptxas;
};

struct CudaKernel {
  std::string name;
  uint32_t threads = 0;     // threads in a block, which is one-dimensional
  uint32_t sharedBytes = 0; // dynamic shared memory of a block
  uint64_t units = 0, unitsPerBlock = 0;
};

/// What `ptxas -v` reports of a kernel: 32-bit registers of a thread, bytes of spills and stack of a thread, and bytes
/// of static shared memory of a block.
struct CudaUsage {
  std::string kernel;
  unsigned registers = 0, spillBytes = 0, stackBytes = 0, sharedBytes = 0;
};

struct CudaImage {
  unsigned capability = 0; // 90 for sm_90
  llvm::SmallVector<char, 0> cubin;
  std::vector<CudaUsage> usage;
};

struct CudaKernels {
  /// In the order of the program's kernels.
  std::vector<CudaKernel> kernels;
  unsigned ptxCapability = 0;
  std::string ptx;
  /// One image for each architecture, in ascending order; empty without ptxas.
  std::vector<CudaImage> images;
};

/// Compiles the kernels to PTX only and does not change the program. It loads dialects, so a pass that runs while other
/// threads use the context must not call it.
mlir::FailureOr<CudaKernels> compileCudaKernelsToPtx(step::ProgramOp program, const CudaTargetOptions &options);

/// Compiles the kernels to PTX and cubins. If ptxas refuses a kernel, this is an error. If no ptxas is found, a warning
/// is emitted and the result has the PTX alone.
mlir::FailureOr<CudaKernels> compileCudaKernels(step::ProgramOp program, const CudaTargetOptions &options);

/// Puts the kernels into the form in which an artifact holds them.
TargetCode packCudaKernels(const CudaKernels &kernels);

/// The path of ptxas; empty if there is none.
std::string findPtxas(const CudaTargetOptions &options);

} // namespace tx

#endif // TX_TARGET_CUDAKERNELS_H
