// What the planner counts for attention against what cuDNN asks for. The real library
// plans for the description of a device, on a driver that does nothing (LoadingDriver.c):
// no plan runs, and no GPU is needed.

#include "Harness.h"
#include "LaunchTable.h"

#include "backends/cuda/Attention.h"

#include "llvm/Support/FormatVariadic.h"
#include <gtest/gtest.h>

using namespace txtest;
using namespace txrt::cuda;

namespace {

struct Case {
  const char *name;
  int capability, heads, hidden, sequence, batch;
  bool deterministic;
  int keyHeads = 0; // not 0: heads share keys and values
};

/// For people.
void PrintTo(const Case &c, std::ostream *out) { *out << c.name; }

/// As cuDNN describes an H100 (cudnnBackend's DEVICEPROP), with another capability and what the planner has to know of
/// it.
std::string describe(int capability) {
  bool isLarge = capability == 80 || capability == 90 || capability == 100;
  return llvm::formatv(
      R"({{"maxGridSize":[2147483647,65535,65535],"maxBlockSize":[1024,1024,64],"regsPerBlock":65536,)"
      R"("multiProcessorCount":132,"warpSize":32,"maxSharedMemoryPerBlock":49152,"maxSharedMemoryPerBlockOptin":{0},)"
      R"("reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,"maxCtasPerSM":32,"maxThreadsPerBlock":1024,)"
      R"("maxThreadsPerSM":2048,"pciDeviceId":0,"isTccDriver":0,"supportCoopLaunch":1,"totalGlobalMem":85899345920,)"
      R"("smClockRateKHz":1980000,"memClockRateKHz":2619000,"l2CacheSize":52428800,"cudaDeviceId":0,"deviceVer":{1},)"
      R"("driverVer":13000,"smCountOrigin":0,"memoryBusWidth":5120,"oversizedSharedMemoryPerBlock":0,"deviceName":"GPU"})",
      !isLarge           ? 101376
      : capability == 80 ? 166912
                         : 232448,
      capability * 10);
}

class CudnnPlans : public testing::TestWithParam<Case> {
public:
  static const dnn::Library *library() {
    static const dnn::Library *found = [] {
      try {
        return &dnn::Library::get();
      } catch (const txrt::Failure &) {
        return static_cast<const dnn::Library *>(nullptr);
      }
    }();
    return found;
  }
};

} // namespace

TEST_P(CudnnPlans, AskForNoMoreThanIsPlanned) {
  if (!library())
    GTEST_SKIP() << "libcudnn.so.9 is not here";
  const Case &c = GetParam();
  Flags flags = {"--num-layers",
                 "1",
                 "--num-attention-heads",
                 std::to_string(c.heads),
                 "--hidden-size",
                 std::to_string(c.hidden),
                 "--seq-length",
                 std::to_string(c.sequence),
                 "--micro-batch-size",
                 std::to_string(c.batch),
                 "--vocab-size",
                 "64",
                 "--bf16",
                 "--attention-dropout",
                 "0",
                 "--attention-backend",
                 "fused",
                 "--ptxas",
                 "none",
                 "--target",
                 "cuda:sm_" + std::to_string(c.capability)};
  if (!c.deterministic)
    flags.push_back("--allow-nondeterministic-attention");
  if (c.keyHeads)
    for (const std::string &flag :
         {std::string("--group-query-attention"), std::string("--num-query-groups"), std::to_string(c.keyHeads),
          std::string("--swiglu"), std::string("--normalization"), std::string("RMSNorm"),
          std::string("--position-embedding-type"), std::string("rope"), std::string("--disable-bias-linear"),
          std::string("--hidden-dropout"), std::string("0")})
      flags.push_back(flag);
  Step step = compileStep(flags);
  ASSERT_EQ(step.error, "");
  LaunchTable table(step.artifact);
  std::string device = describe(c.capability);
  int found = 0;
  for (const txrt_launch &launch : table.launches("microbatch")) {
    const txrt_attention *attention = table.attention(launch);
    if (!attention)
      continue;
    uint64_t planned = table.operands(launch).back().bytes;
    uint64_t asked = 0;
    try {
      asked = AttentionPlan(*library(), nullptr, *attention, static_cast<uint32_t>(c.capability), device.c_str())
                  .scratchBytes();
    } catch (const txrt::Failure &failure) {
      FAIL() << failure.what();
    }
    EXPECT_LE(asked, planned) << (attention->backward ? "backward" : "forward");
    // Rounding up to tiles is all that may be too much, and 256 bytes for the library.
    if (c.sequence % 128 == 0)
      EXPECT_LE(planned, asked + 256) << (attention->backward ? "backward" : "forward");
    ++found;
  }
  EXPECT_EQ(found, 2);
}

INSTANTIATE_TEST_SUITE_P(
    Devices, CudnnPlans,
    testing::Values(
        Case{"Hopper", 90, 12, 768, 1024, 4, true}, Case{"HopperAtomics", 90, 12, 768, 1024, 4, false},
        Case{"HopperWide", 90, 32, 4096, 2048, 1, true}, Case{"HopperTails", 90, 3, 120, 200, 2, true},
        Case{"HopperTailsAtomics", 90, 3, 120, 200, 2, false}, Case{"Ampere", 80, 12, 768, 1024, 4, true},
        Case{"AmpereAtomics", 80, 12, 768, 1024, 4, false}, Case{"Blackwell", 100, 12, 768, 1024, 4, true},
        Case{"BlackwellAtomics", 100, 12, 768, 1024, 4, false}, Case{"HopperNarrow", 90, 4, 32, 256, 2, true},
        Case{"AmpereWide", 80, 8, 1024, 512, 2, true}, Case{"BlackwellWide", 100, 8, 1024, 512, 2, true},
        Case{"ConsumerWide", 120, 8, 1024, 512, 2, false}, Case{"Consumer", 120, 12, 768, 1024, 4, true},
        Case{"ConsumerAtomics", 120, 12, 768, 1024, 4, false}, Case{"HopperGroups", 90, 12, 768, 1024, 4, true, 4},
        Case{"HopperGroupsAtomics", 90, 12, 768, 1024, 4, false, 4},
        Case{"HopperGroupsTails", 90, 6, 240, 200, 2, true, 2}, Case{"HopperOneKeyHead", 90, 8, 1024, 512, 2, true, 1},
        Case{"AmpereGroups", 80, 12, 768, 1024, 4, true, 4},
        Case{"AmpereGroupsAtomics", 80, 12, 768, 1024, 4, false, 4},
        Case{"BlackwellGroups", 100, 12, 768, 1024, 4, true, 4},
        Case{"BlackwellGroupsAtomics", 100, 12, 768, 1024, 4, false, 4},
        Case{"BlackwellOneKeyHead", 100, 8, 1024, 512, 2, true, 1},
        Case{"ConsumerGroupsAtomics", 120, 12, 768, 1024, 4, false, 4},
        Case{"ConsumerGroups", 120, 12, 768, 1024, 4, true, 4}),
    [](const auto &info) { return std::string(info.param.name); });
