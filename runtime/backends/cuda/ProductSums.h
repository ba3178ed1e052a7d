//===- ProductSums.h - Sums over k as a product of their own --------------------------------------------*- C++ -*-===//
//
// Computes the vector of an epilogue of sums if the library has no algorithm that computes it beside the product: it
// multiplies a row of ones with the same matrix. Each launch writes the ones into its own scratch, so this needs no
// other memory.
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
  /// `key` is a product with an epilogue of sums.
  ProductSums(const lt::Library &library, lt::Handle handle, const Driver &driver, const ProductKey &key);

  /// Whether the scratch has room for the ones and the library has an algorithm.
  bool isPossible() const { return possible; }
  /// Queues the sums of a launch with these operands.
  void enqueue(const ProductOperands &operands, Stream stream);

private:
  const Driver &driver;
  const int which; // the matrix that is summed: 0 is A, 1 is B, 2 is C
  Product product;
  bool possible = false;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_PRODUCTSUMS_H
