//===- ProductSums.h - Sums over k as a product of their own --------------------------------------------*- C++ -*-===//
//
// What an epilogue of sums gives, where the library has no algorithm that gives them beside the product: a row of ones
// times the same matrix. The ones lie in the launch's scratch, written each time, so it needs no memory of its own.
//
// Never executed on a device.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_PRODUCTSUMS_H
#define TXRT_BACKENDS_CUDA_PRODUCTSUMS_H

#include "backends/cuda/Driver.h"
#include "backends/cuda/Product.h"

namespace txrt::cuda {

class ProductSums {
public:
  /// `key` has an epilogue of sums.
  ProductSums(const lt::Library &library, lt::Handle handle, const Driver &driver, const ProductKey &key);

  /// Whether there is scratch for the ones, and an algorithm.
  bool isPossible() const { return possible; }
  /// Queues it; `operands` are those of the launch.
  void enqueue(const ProductOperands &operands, Stream stream);

private:
  const Driver &driver;
  const int which; // 0, 1, 2: A, B, C is summed
  Product product;
  bool possible = false;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_PRODUCTSUMS_H
