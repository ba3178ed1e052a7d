//===- TargetCode.h - The kernels of an artifact --------------------------------------------------------*- C++ -*-===//
//
// TargetCode is what a backend's code generator gives to the artifact writer:
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
  /// The name of the runtime backend that runs the code: host, cuda.
  std::string backend;
  std::string triple;
  /// What the machine must have, in the backend's own names: CPU features or GPU architectures.
  std::vector<std::string> features;

  /// How a launch of each kernel is divided into tasks, in the order of the program's kernels. If this is empty, a
  /// launch has the units that the step.kernel has.
  struct Division {
    uint64_t units, grain; // as in txrt_kernel_launch
  };
  std::vector<Division> divisions;

  /// `code` holds the instructions, `functions` say at which byte each function begins. On a GPU `code` holds images
  /// (PTX, cubins), which `images` describe.
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
