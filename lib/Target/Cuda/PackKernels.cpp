//===- PackKernels.cpp - GPU code of an artifact ------------------------------------------------------------------===//

#include "tx/Target/CudaKernels.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/MathExtras.h"

using namespace tx;

namespace {

/// Collects images (PTX, cubins) one after another, with a record that describes each.
class Images {
public:
  void add(unsigned capability, txrt_gpu_image_kind kind, llvm::ArrayRef<char> bytes) {
    code.resize(llvm::alignTo(code.size(), TXRT_SECTION_ALIGNMENT));
    images.push_back({capability, static_cast<uint32_t>(kind), code.size(), bytes.size()});
    code.append(bytes.begin(), bytes.end());
  }

  std::vector<txrt_gpu_image> images;
  llvm::SmallVector<char, 0> code;
};

} // namespace

TargetCode tx::packCudaKernels(const CudaKernels &kernels) {
  TargetCode code;
  code.backend = "cuda";
  code.triple = "nvptx64-nvidia-cuda";
  for (const CudaKernel &kernel : kernels.kernels) {
    code.functions.push_back({kernel.name, 0, {kernel.unitsPerBlock, kernel.threads, kernel.sharedBytes}});
    code.divisions.push_back({kernel.units, kernel.unitsPerBlock});
  }
  Images images;
  for (const CudaImage &image : kernels.images) {
    code.features.push_back("sm_" + std::to_string(image.capability));
    images.add(image.capability, TXRT_GPU_CUBIN, image.cubin);
  }
  code.features.push_back("compute_" + std::to_string(kernels.ptxCapability));
  // The NUL at the end is included: the driver takes a C string.
  images.add(kernels.ptxCapability, TXRT_GPU_PTX, llvm::ArrayRef(kernels.ptx.c_str(), kernels.ptx.size() + 1));

  code.images = std::move(images.images);
  code.code = std::move(images.code);
  return code;
}
