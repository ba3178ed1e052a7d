//===- KernelHarness.h - Compiles kernels from text and runs them -*- C++ -*-===//
//
//   Kernels kernels(R"(step.kernel @k row [2, 3] (%x: tensor<2x3xf32>) { ... })");
//   std::vector<float> x(6), y(6);
//   kernels.run("k", {x.data(), y.data()}, /*units=*/2);
//
//===----------------------------------------------------------------------===//

#ifndef TX_TEST_CONVERSION_HOST_KERNELHARNESS_H
#define TX_TEST_CONVERSION_HOST_KERNELHARNESS_H

#include "OpCases.h"

#include "tx/Target/HostKernels.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace txtest {

class Kernels : public KernelRunner {
public:
  /// `kernels` is the inside of a step.program. Records a test failure if it
  /// does not compile; then `run` does nothing.
  explicit Kernels(const std::string &kernels, const tx::HostTargetOptions &options = {});
  ~Kernels() override;

  /// Runs [0, units), or the given range.
  void run(const std::string &name, const std::vector<void *> &buffers, int64_t units,
           const std::vector<uint32_t> &immediates = {});
  void runRange(const std::string &name, const std::vector<void *> &buffers, int64_t begin, int64_t end,
                const std::vector<uint32_t> &immediates = {});

  void runUnits(const std::string &name, const std::vector<Bytes *> &buffers, int64_t begin, int64_t end,
                const std::vector<uint32_t> &immediates) override;
  /// Where a function begins; null if there is none.
  void *function(const std::string &name) const;

  const tx::HostKernels &code() const { return compiled; }

private:
  struct Image;
  tx::HostKernels compiled;
  std::unique_ptr<Image> image;
};

/// What compiling reports; empty if it succeeds.
std::string diagnosticOf(const std::string &kernels, const tx::HostTargetOptions &options = {});

/// "tensor<AxBxf32>".
std::string tensor(std::initializer_list<int64_t> shape, const char *element = "f32");

/// Largest |a - b| / (|b| + floor).
double worstError(const std::vector<float> &a, const std::vector<double> &b, double floor = 1.0);

} // namespace txtest

#endif // TX_TEST_CONVERSION_HOST_KERNELHARNESS_H
