//===- CublasLt.h - Matrix products on the GPU -----------------*- C++ -*-===//
//
// Every product of a program, ready to be queued: descriptors are made and the
// algorithm is chosen when the session is created, once for each distinct
// product. cuBLASLt is column-major; a row-major C = A B is the column-major
// C^T = B^T A^T, so the operands change places and nothing is transposed.
//
//===----------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_CUBLASLT_H
#define TXRT_BACKENDS_CUDA_CUBLASLT_H

#include "backends/cuda/DriverApi.h"
#include "txrt/backend.h"

#include <memory>
#include <string>

namespace txrt::cuda {

class CublasLt {
public:
  /// Needs a current context. Fails when the library is missing or has no
  /// algorithm for one of the products.
  explicit CublasLt(const txrt_program &program);
  ~CublasLt();

  /// Queues launch `index`, a product. `arena` is the arena's address on the
  /// device; `beta` replaces the launch's own.
  void launch(uint32_t index, DevicePointer arena, float beta, Stream stream);

  /// "cuBLASLt 13.1.0".
  std::string description() const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_CUBLASLT_H
