//===- KernelHarness.h - Compiles kernels from text and runs them ---------------------------------------*- C++ -*-===//
//
//   Kernels kernels(R"(step.kernel @k row [2, 3] (%x: tensor<2x3xf32>) { ... })");
//   std::vector<float> x(6), y(6);
//   kernels.run("k", {x.data(), y.data()}, /*units=*/2);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_CONVERSION_HOST_KERNELHARNESS_H
#define TX_TEST_CONVERSION_HOST_KERNELHARNESS_H

#include "OpCases.h"

#include "tx/Target/HostKernels.h"

#include "mlir/IR/Builders.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace txtest {

/// The functions of an object, where they can be called.
class Code {
public:
  explicit Code(const llvm::SmallVector<char, 0> &object);
  Code(Code &&);
  ~Code();
  /// Where a function begins; null if there is none.
  void *function(const std::string &name) const;

private:
  struct Image;
  std::unique_ptr<Image> image;
};

/// An object with the functions that `add` makes, from the code generator of real kernels. Records a test failure if
/// there is none.
llvm::SmallVector<char, 0> compileFunctions(const std::string &cpu,
                                            llvm::function_ref<void(mlir::OpBuilder &, mlir::Location)> add);

/// Kinds of CPU whose code tests read, on machines that cannot run it too.
inline const std::vector<std::string> kCpus = {"x86-64-v3",     "x86-64-v4", "sapphirerapids",
                                               "graniterapids", "znver4",    "znver5"};

std::string nameOfLevel(const testing::TestParamInfo<std::string> &info);

class Kernels : public KernelRunner {
public:
  /// `kernels` is the inside of a step.program. Records a test failure if it does not compile; then `run` does nothing.
  explicit Kernels(const std::string &kernels, const tx::HostTargetOptions &options = {});

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
  tx::HostKernels compiled;
  std::optional<Code> loaded;
};

/// Tests that run at each level.
class AtLevel : public testing::TestWithParam<std::string> {
protected:
  Kernels compile(const std::string &kernels) { return Kernels(kernels, {GetParam(), {}}); }
};

/// What compiling reports; empty if it succeeds.
std::string diagnosticOf(const std::string &kernels, const tx::HostTargetOptions &options = {});

/// "tensor<AxBxf32>".
std::string tensor(std::initializer_list<int64_t> shape, const char *element = "f32");

/// Largest |a - b| / (|b| + floor).
double worstError(const std::vector<float> &a, const std::vector<double> &b, double floor = 1.0);

} // namespace txtest

#endif // TX_TEST_CONVERSION_HOST_KERNELHARNESS_H
