//===- CublasLt.h - Matrix products on the GPU ----------------------------------------------------------*- C++ -*-===//
//
// Every product of a program, ready to be queued: descriptors are made and the algorithm is chosen when the session is
// created, once for each distinct product. cuBLASLt is column-major; a row-major C = A B is the column-major C^T = B^T
// A^T, so the operands change places and nothing is transposed.
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
  /// Needs a current context. Fails when the library is missing or has no algorithm for one of the products. Algorithms
  /// are those of the options' tuning cache, else the library's favourites; with `tune` the fastest. A cache that is of
  /// no use is worth a warning, unless it is to be written.
  CublasLt(const txrt_program &program, const txrt_options &options, const std::string &gpu, const Driver &driver,
           Stream stream);
  CublasLt(const CublasLt &) = delete;

  /// Queues launch `index`, a product. `arena` is the arena's address on the device; `beta` replaces the launch's own.
  void launch(uint32_t index, DevicePointer arena, float beta, Stream stream);

  /// "cuBLASLt 13.1.0 (12 of 14 products tuned)"; and of how many products the library does not have the sums beside.
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
  // Of products with sums; null: the library gives them beside the product.
  std::map<ProductKey, std::unique_ptr<ProductSums>> apart;
  std::vector<ProductSums *> apartOfLaunch;
  void (*const warn)(const char *message);
  std::optional<TuningCache> cache;
  size_t tuned = 0; // products
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_CUBLASLT_H
