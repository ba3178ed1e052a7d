//===- Tuner.h - Which algorithm a product is fastest with ----------------------------------------------*- C++ -*-===//
//
// Never executed on a device.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_TUNER_H
#define TXRT_BACKENDS_CUDA_TUNER_H

#include "backends/cuda/Device.h"
#include "backends/cuda/Product.h"
#include "backends/cuda/TuningCache.h"

namespace txrt::cuda {

class Tuner {
public:
  Tuner(const Driver &driver, Stream stream);

  /// Times some algorithms on operands as large as those of `launch`, and returns the fastest. It takes several sets of
  /// operands in turn: a single set would stay in the cache, which does not happen in a step. The operands are random
  /// numbers, since zeros take less power. A product that adds to C is timed with the addition. Returns nothing if
  /// there is no algorithm, or no memory for the operands beside the arena.
  std::optional<TunedChoice> choose(Product &product, const txrt_program &program, const txrt_launch &launch);

private:
  struct Sets;
  double time(Product &product, const Sets &sets, float alpha, float beta, const lt::Algorithm &algorithm);

  const Driver &driver;
  Stream stream;
  OwnedEvent start, end;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_TUNER_H
