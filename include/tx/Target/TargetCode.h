//===- TargetCode.h - The kernels of an artifact --------------------------------------------------------*- C++ -*-===//
//
// What a backend's code generator hands to who writes the artifact:
//
//   FailureOr<HostKernels> kernels = compileHostKernels(program);
//   serializeArtifact(program, packHostKernels(*kernels), about);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TARGET_TARGETCODE_H
#define TX_TARGET_TARGETCODE_H

#include "txrt/abi.h"

#include "llvm/ADT/SmallVector.h"

#include <string>
#include <vector>

namespace tx {

struct TargetCode {
  /// The runtime's name of the backend that runs it: host, cuda.
  std::string backend;
  std::string triple;
  /// What the machine must have, in the backend's words: CPU features, GPU architectures.
  std::vector<std::string> features;

  /// How a launch of a kernel is divided, in the order of the program's kernels; empty: into the units of the IR.
  struct Division {
    uint64_t units, grain; // as txrt_kernel_launch has them
  };
  std::vector<Division> divisions;

  /// The instructions, and where the functions in them begin; images on GPUs.
  struct Function {
    std::string name;
    uint64_t entry;
    txrt_gpu_kernel gpu;
  };
  std::vector<Function> functions;
  llvm::SmallVector<char, 0> code;
  std::vector<txrt_gpu_image> images;
};

} // namespace tx

#endif // TX_TARGET_TARGETCODE_H
