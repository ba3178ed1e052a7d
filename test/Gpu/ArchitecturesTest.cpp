// What the runtime's messages advise is what the compiler takes.

#include "backends/cuda/Kernels.h"

#include "tx/Conversion/Gpu/Passes.h"

#include <gtest/gtest.h>

TEST(Architectures, TheRuntimeNamesThoseOfTheCompiler) {
  std::vector<std::string> compiler, runtime;
  for (llvm::StringRef name : tx::getGpuArchitectures())
    compiler.push_back(name.str());
  for (uint32_t capability : txrt::cuda::compilableArchitectures)
    runtime.push_back("sm_" + std::to_string(capability));
  EXPECT_EQ(runtime, compiler);
}
