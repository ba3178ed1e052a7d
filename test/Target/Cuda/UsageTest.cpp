//===- UsageTest.cpp - What ptxas says of a real step's kernels ---------------------------------------------------===//
//
// Every kernel of GPT-2 124M's step, in f32 and bf16, is accepted for every architecture, spills nothing and stays
// within the registers of test/Data/gpu-registers.txt. A kernel that needs more is a change that someone should decide
// on; the table has a line for each family of kernels:
//
//   # family              f32  bf16
//   row layer_norm        224  200
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Target/CudaKernels.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringExtras.h"

#include "gtest/gtest.h"

#include <fstream>
#include <map>
#include <sstream>

namespace {

/// Of each family; names as `row layer_norm`.
struct Bound {
  unsigned f32 = 0, bf16 = 0;
};

std::map<std::string, Bound> readBounds() {
  std::map<std::string, Bound> bounds;
  std::ifstream file(TX_TEST_DATA_DIR "/gpu-registers.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#')
      continue;
    std::istringstream words(line);
    std::string kind, op;
    Bound bound;
    words >> kind >> op >> bound.f32 >> bound.bf16;
    EXPECT_TRUE(words) << "gpu-registers.txt: " << line;
    bounds[kind + " " + op] = bound;
  }
  return bounds;
}

/// `row layer_norm` of row42_layer_norm.
std::string familyOf(llvm::StringRef kernel) {
  auto [kind, op] = kernel.split('_');
  return (kind.rtrim("0123456789") + " " + op).str();
}

/// What a launch brings goes by a symbol of one byte: a kernel's own arrays would lie behind it, and be overlapped.
void expectSharedMemoryOfOneKind(const std::vector<tx::CudaKernel> &kernels, const std::vector<tx::CudaImage> &images) {
  std::map<std::string, unsigned> ofLaunch;
  for (const tx::CudaKernel &kernel : kernels)
    ofLaunch[kernel.name] = kernel.sharedBytes;
  for (const tx::CudaImage &image : images)
    for (const tx::CudaUsage &usage : image.usage)
      if (ofLaunch.at(usage.kernel))
        EXPECT_LE(usage.sharedBytes, 1u) << usage.kernel << " for sm_" << image.capability;
}

/// The kernels of a step, for all architectures that have schedules.
std::vector<tx::CudaImage> imagesOf(const char *dtype, const char *attention) {
  llvm::Expected<tx::CompileOptions> options =
      tx::parseCommandLine({"gpt2-124m", "--micro-batch-size", "8", "--seq-length", "1024", dtype,
                            "--attention-backend", attention, "--target=cuda:sm_80", "--ptxas=none"});
  if (!options) {
    ADD_FAILURE() << llvm::toString(options.takeError());
    return {};
  }
  std::vector<tx::CudaImage> images;
  tx::CompileHooks hooks;
  hooks.afterStep = [&](mlir::ModuleOp module) {
    tx::CudaTargetOptions target;
    target.architectures.clear();
    for (llvm::StringRef name : tx::getGpuArchitectures())
      target.architectures.push_back(name.str());
    auto kernels = tx::compileCudaKernels(*module.getOps<tx::step::ProgramOp>().begin(), target);
    if (mlir::failed(kernels))
      return;
    images = std::move(kernels->images);
    expectSharedMemoryOfOneKind(kernels->kernels, images);
  };
  llvm::Expected<tx::CompiledStep> step = tx::compileToMemory(*options, hooks);
  if (!step)
    ADD_FAILURE() << llvm::toString(step.takeError());
  return images;
}

class Usage : public testing::TestWithParam<const char *> {};

TEST_P(Usage, StaysWithinTheTable) {
  if (tx::findPtxas({}).empty())
    GTEST_SKIP() << "no ptxas of the CUDA toolkit";
  std::map<std::string, Bound> bounds = readBounds();
  std::map<std::string, unsigned> most;
  std::vector<tx::CudaImage> images;
  for (const char *attention : {"flash", "unfused"})
    for (tx::CudaImage &image : imagesOf(GetParam(), attention))
      images.push_back(std::move(image));
  EXPECT_EQ(images.size(), 2 * tx::getGpuArchitectures().size());
  for (const tx::CudaImage &image : images) {
    EXPECT_FALSE(image.usage.empty());
    for (const tx::CudaUsage &usage : image.usage) {
      std::string where = usage.kernel + " for sm_" + std::to_string(image.capability);
      EXPECT_EQ(usage.spillBytes, 0u) << where;
      EXPECT_EQ(usage.stackBytes, 0u) << where;
      EXPECT_LE(usage.sharedBytes, 48u << 10) << where;
      unsigned &registers = most[familyOf(usage.kernel)];
      registers = std::max(registers, usage.registers);
    }
  }
  bool isNarrow = llvm::StringRef(GetParam()) == "--bf16";
  for (const auto &[family, registers] : most) {
    const Bound &bound = bounds[family];
    EXPECT_LE(registers, isNarrow ? bound.bf16 : bound.f32) << family;
  }
}

INSTANTIATE_TEST_SUITE_P(, Usage, testing::Values("--fp32", "--bf16"),
                         [](const auto &info) { return llvm::StringRef(info.param).ltrim('-').str(); });

} // namespace
