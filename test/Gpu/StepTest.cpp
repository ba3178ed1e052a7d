// Whole training steps through the cuda backend, on the fake device: its kernels are the generated PTX, which an
// emulator runs; its products are plain loops.

#include "Harness.h"

#include <cmath>
#include <cstdlib>
#include <gtest/gtest.h>

using namespace txtest;

namespace {

/// A small GPT-2; sizes that no vector divides, if `odd`.
struct SmallModel {
  const char *name;
  bool odd, narrow; // narrow: bf16
  const char *attention;
  bool isLlama = false; // a small Qwen 3 in its place: RMS norms, of queries and keys too, RoPE, SwiGLU, shared heads

  Flags flags() const {
    Flags flags = sizes();
    if (isLlama)
      flags.insert(flags.end(), {"--swiglu", "--normalization", "RMSNorm", "--position-embedding-type", "rope",
                                 "--disable-bias-linear", "--qk-layernorm", "--group-query-attention",
                                 "--num-query-groups", "2", "--kv-channels", odd ? "10" : "16"});
    return flags;
  }
  Flags sizes() const {
    return {"--num-layers",
            "2",
            "--num-attention-heads",
            "4",
            "--attention-backend",
            attention,
            "--hidden-size",
            odd ? "36" : "64",
            "--seq-length",
            odd ? "19" : "32",
            "--vocab-size",
            odd ? "77" : "250",
            "--ffn-hidden-size",
            odd ? "101" : "256",
            "--micro-batch-size",
            odd ? "3" : "2",
            narrow ? "--bf16" : "--fp32"};
  }
  // Where f32 sums of another order lie on two sides of a bf16 number's border, all that follows differs by a part of
  // 2^-8, as between host and reference.
  double bound() const { return narrow ? 2e-2 : 1e-5; }
  // An update by AdamW is as large as lr for however small a gradient: what rounding decided before is seen after. In
  // bf16 so much that only losses are compared.
  double boundAfterUpdate() const { return narrow ? 5e-3 : 1e-3; }
};

/// With PTX alone, as for a device that is newer than all cubins.
Step compileForGpu(Flags flags, const Flags &policy = {"--recompute-granularity", "none"},
                   const char *target = "--target=cuda:sm_90") {
  flags.insert(flags.end(), policy.begin(), policy.end());
  flags.insert(flags.end(), {target, "--ptxas", "none"});
  return compileStep(flags);
}

RunResult runOnGpu(const Step &step, bool graphed = true) {
  RunOptions options;
  options.backend = "cuda";
  options.graphed = graphed;
  RunResult result = runStep(step, options);
  EXPECT_EQ(result.error, "");
  return result;
}

/// ||a - b|| / ||b||
double distance(const std::vector<float> &a, const std::vector<float> &b) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    difference += (double(a[i]) - b[i]) * (double(a[i]) - b[i]);
    norm += double(b[i]) * b[i];
  }
  return norm == 0 ? std::sqrt(difference) : std::sqrt(difference / norm);
}

bool isGradient(llvm::StringRef name) { return name.ends_with(".grad"); }

/// Every loss and gradient of two iterations of two microbatches and of a fused step.
void expectNear(const SmallModel &model, const RunResult &gpu, const RunResult &host) {
  ASSERT_EQ(gpu.values.size(), host.values.size());
  size_t compared = 0;
  for (const auto &[name, bytes] : host.values) {
    if (!isGradient(name) && !llvm::StringRef(name).ends_with("loss_sum") &&
        !llvm::StringRef(name).ends_with("grad_norm"))
      continue;
    // Gradients to the bias of keys are zero but for rounding.
    if (llvm::StringRef(name).contains("c_attn.bias"))
      continue;
    bool isUpdated = !llvm::StringRef(name).starts_with("1.");
    if (isUpdated && model.narrow && !llvm::StringRef(name).ends_with("loss_sum"))
      continue;
    EXPECT_LE(distance(gpu.floats(name), host.floats(name)), isUpdated ? model.boundAfterUpdate() : model.bound())
        << name;
    ++compared;
  }
  EXPECT_GT(compared, 25u);
}

Flags withDropout(Flags flags, bool dropout = true) {
  for (const char *flag : {"--attention-dropout", "--hidden-dropout"})
    flags.insert(flags.end(), {flag, dropout ? "0.2" : "0"});
  return flags;
}

/// A policy gives the bits of policy none, in the bytes that were planned.
void expectSame(const Flags &model, const Flags &policy, const RunResult &none) {
  SCOPED_TRACE(joinFlags(model) + " " + joinFlags(policy));
  Step step = compileForGpu(model, policy);
  ASSERT_EQ(step.error, "");
  EXPECT_GT(step.recomputedOps(), 0u);
  RunResult found = runOnGpu(step);
  EXPECT_EQ(firstDifference(none, found), "");
  EXPECT_EQ(found.arenaBytes, uint64_t(step.number("peak_bytes"))) << "planned is not allocated";
}

class GpuModels : public testing::TestWithParam<SmallModel> {};

} // namespace

TEST_P(GpuModels, AgreesWithTheHost) {
  for (bool dropout : {false, true}) { // with another mask, nothing would agree
    Flags model = withDropout(GetParam().flags(), dropout), none = model;
    none.insert(none.end(), {"--recompute-granularity", "none"});
    Step host = compileStep(none), gpu = compileForGpu(model);
    ASSERT_EQ(host.error + gpu.error, "");
    RunResult expected = runStep(host), found = runOnGpu(gpu);
    EXPECT_EQ(found.strayBytes, 0) << "something was written between the globals";
    expectNear(GetParam(), found, expected);
    EXPECT_EQ(found.arenaBytes, uint64_t(gpu.number("peak_bytes"))) << "planned is not allocated";
  }
}

TEST_P(GpuModels, GraphsChangeNoBit) {
  Step step = compileForGpu(withDropout(GetParam().flags()));
  ASSERT_EQ(step.error, "");
  EXPECT_EQ(firstDifference(runOnGpu(step, true), runOnGpu(step, false)), "");
}

TEST_P(GpuModels, PoliciesChangeNoBit) {
  Flags model = withDropout(GetParam().flags());
  RunResult expected = runOnGpu(compileForGpu(model));
  const Flags policies[] = {
      {"--recompute-granularity", "selective", "--recompute-modules", "core_attn", "mlp", "layernorm"},
      {"--recompute-granularity", "selective", "--recompute-modules", "layernorm", "mlp_act"},
      {"--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"},
      {"--recompute-granularity", "full", "--recompute-method", "block", "--recompute-num-layers", "1"},
  };
  for (const Flags &policy : policies)
    expectSame(model, policy, expected);
  if (GetParam().isLlama)
    expectSame(model, {"--recompute-granularity", "selective", "--recompute-modules", "qk_norm", "mlp_act"}, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Small, GpuModels,
    testing::Values(SmallModel{"EvenSizes", false, false, "unfused"}, SmallModel{"OddSizes", true, false, "unfused"},
                    SmallModel{"Flash", false, false, "flash"}, SmallModel{"Bf16", false, true, "unfused"},
                    SmallModel{"Bf16Flash", false, true, "flash"}, SmallModel{"Bf16OddSizes", true, true, "unfused"},
                    SmallModel{"LlamaOddSizes", true, false, "flash", true},
                    SmallModel{"LlamaBf16", false, true, "unfused", true}),
    [](const auto &info) { return std::string(info.param.name); });

//===--------------------------------------------------------------------------------------------------------------===//
// Libraries in a kernel's place
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// An environment variable for as long as this lives: it tells the fake what to be.
struct Setting {
  const char *name;
  Setting(const char *name, const char *value) : name(name) { setenv(name, value, 1); }
  ~Setting() { unsetenv(name); }
};

/// What cuDNN can compute.
const SmallModel attentive = {"Cudnn", false, true, "fused"};

const char *const byCudnn = "attention by cuDNN", *const byKernels = "attention by generated kernels";

} // namespace

TEST(GpuLibraries, CudnnComputesTheStepThatKernelsCompute) {
  for (bool deterministic : {true, false}) {
    Flags model = withDropout(attentive.flags(), false);
    if (!deterministic)
      model.push_back("--allow-nondeterministic-attention");
    Step step = compileForGpu(model);
    ASSERT_EQ(step.error, "");
    RunResult library = runOnGpu(step);
    EXPECT_NE(library.device.find(byCudnn), std::string::npos) << library.device;
    EXPECT_EQ(library.arenaBytes, uint64_t(step.number("peak_bytes"))) << "planned is not allocated";
    Setting none("FAKE_CUDNN_ENGINES", "0");
    RunResult kernels = runOnGpu(step);
    EXPECT_NE(kernels.device.find(byKernels), std::string::npos) << kernels.device;
    expectNear(attentive, library, kernels);
    EXPECT_NE(firstDifference(library, kernels), "") << "the same ran twice";
  }
}

// A recomputed forward takes the way of the first, whichever results are wanted of it.
TEST(GpuLibraries, PoliciesChangeNoBitOfCudnnsStep) {
  Flags model = withDropout(attentive.flags(), false);
  Step none = compileForGpu(model);
  ASSERT_EQ(none.error, "");
  for (bool library : {true, false}) {
    Setting engines("FAKE_CUDNN_ENGINES", library ? "1" : "0");
    RunResult expected = runOnGpu(none);
    EXPECT_NE(expected.device.find(library ? byCudnn : byKernels), std::string::npos);
    expectSame(model, {"--recompute-granularity", "selective", "--recompute-modules", "core_attn", "layernorm"},
               expected);
    expectSame(model,
               {"--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"},
               expected);
    expectSame(model, {"--recompute-save-only", "self_attention.core_attn"}, expected);
  }
}

// Where cuBLASLt has no sums beside a product, they are a product of their own.
TEST(GpuLibraries, SumsApartAreTheSums) {
  for (bool narrow : {false, true}) {
    SmallModel model{"Sums", true, narrow, "unfused"};
    Step step = compileForGpu(withDropout(model.flags()));
    ASSERT_EQ(step.error, "");
    RunResult beside = runOnGpu(step);
    Setting none("FAKE_CUBLASLT_SUMS", "0");
    RunResult apart = runOnGpu(step);
    EXPECT_EQ(beside.device.find("apart"), std::string::npos) << beside.device;
    EXPECT_NE(apart.device.find("sums of 4 products apart"), std::string::npos) << apart.device;
    expectNear(model, apart, beside);
  }
}

// The kernel runs where the plan would not fit what the planner counted.
TEST(GpuLibraries, CudnnThatAsksForMoreThanPlannedIsNotUsed) {
  Step step = compileForGpu(withDropout(attentive.flags(), false));
  ASSERT_EQ(step.error, "");
  Setting workspace("FAKE_CUDNN_WORKSPACE", "100000000");
  EXPECT_NE(runOnGpu(step).device.find(byKernels), std::string::npos);
}

// TX_PROPERTY_PAIRS=500 runs more, TX_PROPERTY_SEED=n others.
TEST(GpuStep, RandomPoliciesChangeNoBit) {
  auto number = [](const char *name, int otherwise) { return getenv(name) ? atoi(getenv(name)) : otherwise; };
  std::mt19937 random(static_cast<unsigned>(number("TX_PROPERTY_SEED", 1)));
  int models = std::max(1, number("TX_PROPERTY_PAIRS", 12) / 6);
  for (int i = 0; i < models && !HasFailure(); ++i) {
    RandomModel model = randomModel(random, /*dropout=*/true, /*odd=*/i % 2);
    RunResult expected = runOnGpu(compileForGpu(model.flags));
    for (int policy = 0; policy < 2; ++policy)
      expectSame(model.flags, randomPolicy(random, model), expected);
  }
}
