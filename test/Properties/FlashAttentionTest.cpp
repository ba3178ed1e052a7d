//===- FlashAttentionTest.cpp - One model, two attentions ---------------------------------------------------------===//
//
// The same random model with flash and with unfused attention: losses and gradients of two iterations agree to
// rounding, which with dropout means that the same probabilities are dropped; and both agree with the reference, in
// bf16 too.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "ReferenceModel.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace txtest;

namespace {

class FlashAttention : public testing::TestWithParam<int> {
protected:
  /// Two layers; sequences of one to three tiles, with and without a tail.
  Flags flagsOf(const char *backend, const char *type = "--fp32") const {
    std::mt19937 random(GetParam());
    auto pick = [&](int low, int high) { return low + static_cast<int>(random() % (high - low + 1)); };
    int heads = pick(1, 4), width = pick(3, 40);
    int sequence = GetParam() % 3 ? pick(2, 160) : 64 * pick(1, 3);
    return {"--num-layers",
            "2",
            "--hidden-size",
            std::to_string(heads * width),
            "--num-attention-heads",
            std::to_string(heads),
            "--seq-length",
            std::to_string(sequence),
            "--micro-batch-size",
            std::to_string(pick(1, 2)),
            "--vocab-size",
            "61",
            "--attention-dropout",
            GetParam() % 2 ? "0.4" : "0",
            "--hidden-dropout",
            "0.1",
            type,
            "--attention-backend",
            backend};
  }
  static RunResult run(const Flags &flags) {
    Step step = compileStep(flags);
    EXPECT_EQ(step.error, "");
    RunOptions options;
    options.threads = 2;
    RunResult result = runStep(step, options);
    EXPECT_EQ(result.error, "");
    return result;
  }
};

/// The distance of two lists, and the length of the second.
std::pair<double, double> compare(const std::vector<float> &a, const std::vector<float> &b) {
  double distance = 0, length = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    distance += std::pow(double(a[i]) - b[i], 2);
    length += std::pow(b[i], 2);
  }
  return {std::sqrt(distance), std::sqrt(length)};
}

} // namespace

TEST_P(FlashAttention, AgreesWithUnfusedAttention) {
  Flags flags = flagsOf("flash");
  SCOPED_TRACE(joinFlags(flags));
  RunResult flash = run(flags), unfused = run(flagsOf("unfused"));
  ASSERT_EQ(flash.values.size(), unfused.values.size());
  // The first iteration: later ones start from other roundings.
  float loss = unfused.scalar("1.0.loss_sum");
  EXPECT_NEAR(flash.scalar("1.0.loss_sum"), loss, 1e-5 * loss);
  EXPECT_NEAR(flash.scalar("4.loss_sum"), unfused.scalar("4.loss_sum"), 1e-3 * loss);
  double whole = unfused.scalar("1.grad_norm");
  int gradients = 0;
  for (const auto &[name, bytes] : unfused.values) {
    llvm::StringRef text(name);
    if (!text.starts_with("1.") || !text.ends_with(".grad"))
      continue;
    auto [distance, length] = compare(flash.list<float>(name), unfused.list<float>(name));
    // Some gradients are nothing but rounding: that of the keys' bias.
    EXPECT_LE(distance, 1e-4 * length + 1e-7 * whole) << name;
    ++gradients;
  }
  EXPECT_EQ(gradients, 28);
}

TEST_P(FlashAttention, AgreesWithReference) {
  Flags flags = flagsOf("flash");
  SCOPED_TRACE(joinFlags(flags));
  EXPECT_EQ(ReferenceModel(flags).firstDifference(run(flags)), "");
}

class NarrowAttention : public FlashAttention {};

TEST_P(NarrowAttention, AgreesWithReferenceInBf16) {
  Flags flags = flagsOf(GetParam() % 3 ? "flash" : "unfused", "--bf16");
  SCOPED_TRACE(joinFlags(flags));
  EXPECT_EQ(ReferenceModel(flags).firstDifference(run(flags)), "");
}

INSTANTIATE_TEST_SUITE_P(Random, FlashAttention, testing::Range(0, 12));
INSTANTIATE_TEST_SUITE_P(Random, NarrowAttention, testing::Range(0, 6));
