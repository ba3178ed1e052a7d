// What ptxas makes of flash attention: nothing spilled, and no more registers than the blocks that should share a
// multiprocessor can have. Needs no GPU.

#include "FlashCases.h"
#include "KernelText.h"

#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Target/CudaKernels.h"

#include <gtest/gtest.h>

using namespace txtest;

namespace {

struct Bound {
  FlashShape shape;
  unsigned forward, backward; // registers; a multiprocessor has 65536
};
void PrintTo(const Bound &bound, std::ostream *os) { *os << bound.shape.name; }

// 128 threads: with 255 registers two blocks fit.
const Bound kBounds[] = {
    {{"Whole64", 1, 1024, 1024, 2, 2, 64, true, false, "bf16"}, 168, 224},
    {{"Whole128", 1, 1024, 1024, 2, 2, 128, true, false, "bf16"}, 255, 255},
    {{"Tails64", 1, 1000, 1000, 4, 2, 64, true, true, "bf16"}, 216, 255},
    {{"Tails128", 1, 1000, 1000, 4, 2, 128, true, true, "bf16"}, 255, 255},
};

class FlashUsage : public testing::TestWithParam<Bound> {};

} // namespace

TEST_P(FlashUsage, NothingIsSpilled) {
  tx::CudaTargetOptions options;
  if (tx::findPtxas(options).empty())
    GTEST_SKIP() << "no ptxas";
  const Bound &bound = GetParam();
  FlashCase flash(bound.shape);
  std::string diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> parsed;
  tx::step::ProgramOp program = parseKernels(flash.forward().text() + flash.backward().text(), parsed, diagnostics);
  ASSERT_TRUE(program) << diagnostics;
  options.architectures.clear();
  for (llvm::StringRef name : tx::getGpuArchitectures())
    options.architectures.push_back(name.str());
  mlir::FailureOr<tx::CudaKernels> kernels = tx::compileCudaKernels(program, options);
  ASSERT_TRUE(mlir::succeeded(kernels));
  for (const tx::CudaKernel &kernel : kernels->kernels)
    EXPECT_LE(kernel.sharedBytes, 99u << 10) << kernel.name; // of sm_86, sm_89, sm_120
  for (const tx::CudaImage &image : kernels->images) {
    EXPECT_EQ(image.usage.size(), 2u);
    for (const tx::CudaUsage &usage : image.usage) {
      std::string name = usage.kernel + " on sm_" + std::to_string(image.capability);
      EXPECT_EQ(usage.spillBytes, 0u) << name;
      EXPECT_EQ(usage.stackBytes, 0u) << name;
      EXPECT_LE(usage.registers, usage.kernel == "forward" ? bound.forward : bound.backward) << name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, FlashUsage, testing::ValuesIn(kBounds),
                         [](const auto &info) { return std::string(info.param.shape.name); });
