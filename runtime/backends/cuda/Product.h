//===- Product.h - One distinct matrix product ----------------------------------------------------------*- C++ -*-===//
//
// Launches that differ in their places alone are one product: it has one description for the library and one algorithm,
// so a recomputation gets that of its forward.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_PRODUCT_H
#define TXRT_BACKENDS_CUDA_PRODUCT_H

#include "backends/cuda/CublasLtLibrary.h"
#include "txrt/backend.h"

#include <optional>
#include <vector>

namespace txrt::cuda {

/// Everything that the choice of an algorithm may depend on. Addresses enter by their alignment only, and that up to
/// the alignment which every buffer has: so a product has one algorithm, and one result, wherever its operands lie,
/// that is under every policy.
struct ProductKey {
  txrt_gemm_launch gemm; // alpha and beta are zero
  uint64_t scratch;      // bytes
  uint32_t dtypes[3];
  uint32_t alignments[3];

  ProductKey(const txrt_program &program, const txrt_launch &launch);
  bool operator<(const ProductKey &other) const;
  /// "nt 512x2304x768 ld 768,768,2304 bf16,bf16,f32 align 64,64,64": the same in a file, where lines of other machines
  /// stand beside it.
  std::string text() const;
};

/// Where a launch's operands are on the device; the last three may be 0.
struct ProductOperands {
  DevicePointer a, b, c, vector, aux, scratch;
};

class Product {
public:
  Product(const lt::Library &library, lt::Handle handle, const ProductKey &key);
  Product(const Product &) = delete;
  ~Product();

  /// At most `count` algorithms that need no more scratch than there is, the library's favourite first.
  std::vector<lt::Algorithm> candidates(int count);
  /// Whether the library takes `algorithm` for this product.
  bool accepts(const lt::Algorithm &algorithm);
  /// Queues it: one call, or one for each outer batch index.
  void enqueue(const ProductOperands &operands, float alpha, float beta, const lt::Algorithm &algorithm, Stream stream);

  const ProductKey key;
  lt::Algorithm algorithm = {}; // the chosen one

private:
  lt::MatrixLayout layout(uint32_t dtype, uint64_t rows, uint64_t columns, uint64_t leading, uint64_t count,
                          uint64_t stride);
  void describeEpilogue();
  void placeEpilogue(DevicePointer vector, DevicePointer aux);

  const lt::Library &library;
  const lt::Handle handle;
  lt::MatmulDesc desc = nullptr;
  // The library's A is our B.
  lt::MatrixLayout a = nullptr, b = nullptr, c = nullptr;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_PRODUCT_H
