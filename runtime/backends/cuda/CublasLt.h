//===- CublasLt.h - Matrix products on the GPU ----------------------------------------------------------*- C++ -*-===//
//
// Prepares every product of a program when the session is created: makes descriptors and chooses an algorithm, once for
// each distinct product. cuBLASLt is column-major. A row-major C = A B is the column-major C^T = B^T A^T, so the
// operands change places and nothing is transposed.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_CUBLASLT_H
#define TXRT_BACKENDS_CUDA_CUBLASLT_H

#include "backends/cuda/LibraryHandle.h"
#include "backends/cuda/ProductSums.h"
#include "backends/cuda/Tuner.h"

#include <map>
#include <memory>

namespace txrt::cuda {

class CublasLt {
public:
  /// Needs a current context. Fails if the library is missing or has no algorithm for a product. Takes the algorithms
  /// of the options' tuning cache, and the library's first choice for products that are not in it; with `tune` takes
  /// the fastest. An unusable cache file gives a warning, or with `tune`, which would overwrite it, an error.
  CublasLt(const txrt_program &program, const txrt_options &options, const std::string &gpu, const Driver &driver,
           Stream stream);
  CublasLt(const CublasLt &) = delete;

  /// Queues the product of launch `index`. `arena` is the arena's address on the device; `beta` replaces the launch's
  /// own.
  void launch(uint32_t index, DevicePointer arena, float beta, Stream stream);

  /// "cuBLASLt 13.1.0 (12 of 14 products tuned)", and the number of products whose sums the library cannot compute
  /// beside the product.
  std::string description() const;

private:
  void openCache(const txrt_options &options, const std::string &gpu);
  bool takeTuned(Product &product);
  bool tune(Tuner &tuner, Product &product, const txrt_launch &launch);
  void takeFavourite(Product &product, uint32_t index);
  ProductSums *takeApart(ProductKey &key, const Driver &driver);

  const txrt_program &program;
  const lt::Library &library;
  const LibraryHandle<lt::Library, lt::Handle> handle;
  std::map<ProductKey, Product> products;
  std::vector<Product *> ofLaunch;
  // For each product with an epilogue of sums; null: the library computes the sums beside the product.
  std::map<ProductKey, std::unique_ptr<ProductSums>> apart;
  std::vector<ProductSums *> apartOfLaunch;
  void (*const warn)(const char *message);
  std::optional<TuningCache> cache;
  size_t tuned = 0; // how many products have a tuned algorithm
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_CUBLASLT_H
