//===- Product.h - One distinct matrix product ----------------------------------------------------------*- C++ -*-===//
//
// Launches that differ only in the addresses of their operands are one product. It has one description for the library
// and one algorithm, so a recomputation gets the algorithm of its forward.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_PRODUCT_H
#define TXRT_BACKENDS_CUDA_PRODUCT_H

#include "backends/cuda/CublasLtLibrary.h"
#include "txrt/backend.h"

#include <optional>
#include <vector>

namespace txrt::cuda {

/// All that the choice of an algorithm may depend on. Addresses enter by their alignment only, and only up to the
/// alignment that every buffer has. So a product has one algorithm and one result wherever the planner puts its
/// operands, and thus under every recompute policy.
struct ProductKey {
  txrt_gemm_launch gemm; // alpha and beta are zero; `buffers` has 1 for each operand that is there
  uint64_t scratch;      // bytes of scratch for the library
  uint32_t dtypes[3];
  uint32_t alignments[3];

  ProductKey(const txrt_program &program, const txrt_launch &launch);
  bool operator<(const ProductKey &other) const;
  /// The key as text, for the tuning cache: "nt 512x2304x768 ld 768,768,2304 bf16,bf16,f32 align 64,64,64". It is the
  /// same on all machines.
  std::string text() const;
};

/// The addresses of a launch's operands on the device; `vector` and `scratch` may be 0.
struct ProductOperands {
  DevicePointer a, b, c, vector, scratch;
};

class Product {
public:
  Product(const lt::Library &library, lt::Handle handle, const ProductKey &key);
  Product(const Product &) = delete;
  ~Product();

  /// At most `count` algorithms that need no more scratch than the key has, the library's first choice first.
  std::vector<lt::Algorithm> candidates(int count);
  /// Whether the library takes `algorithm` for this product.
  bool accepts(const lt::Algorithm &algorithm);
  /// Queues the product: one call of the library, or one for each batch index that the library's batch leaves.
  void enqueue(const ProductOperands &operands, float alpha, float beta, const lt::Algorithm &algorithm, Stream stream);

  const ProductKey key;
  lt::Algorithm algorithm = {}; // the chosen one

private:
  lt::MatrixLayout layout(uint32_t dtype, uint64_t rows, uint64_t columns, uint64_t leading, uint64_t count,
                          uint64_t stride);
  void describeEpilogue();
  void placeEpilogue(DevicePointer vector);

  const lt::Library &library;
  const lt::Handle handle;
  lt::MatmulDesc desc = nullptr;
  // The library's names: its A is our B (CublasLt.h).
  lt::MatrixLayout a = nullptr, b = nullptr, c = nullptr;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_PRODUCT_H
