// Flash attention by blocks of threads, on the emulator: by tensor cores and without, in every shape that code has a
// case for.

#include "FlashCases.h"
#include "GpuKernels.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

using namespace txtest;

namespace {

const FlashShape kTailsF32 = {"TailsF32", 2, 70, 70, 3, 3, 24, true, true};
const FlashShape kShapes[] = {
    // Tensor cores.
    {"OneTile64", 1, 64, 64, 2, 2, 64, false, false, "bf16"},
    {"OneTile128", 1, 64, 64, 1, 1, 128, true, false, "bf16"},
    {"Tails64", 1, 96, 96, 2, 2, 64, true, true, "bf16"},
    {"Tails128", 1, 130, 130, 1, 1, 128, true, true, "bf16"},
    {"NotCausal64", 2, 96, 130, 1, 1, 64, false, true, "bf16"},
    {"NotCausal128", 1, 70, 200, 1, 1, 128, false, false, "bf16"},
    {"MoreKeysThanQueries", 1, 40, 200, 2, 2, 64, true, false, "bf16"},
    {"FewKeys", 1, 130, 9, 1, 1, 64, false, false, "bf16"},
    {"Groups64", 1, 100, 100, 4, 2, 64, true, true, "bf16"},
    {"Narrow16", 1, 90, 90, 2, 1, 16, true, true, "bf16"},
    {"Width96", 1, 70, 70, 1, 1, 96, true, true, "bf16"},
    // Without.
    {"OneQuery", 1, 1, 1, 1, 1, 1, true, false},
    {"WholeTiles", 1, 64, 64, 2, 2, 64, true, true},
    kTailsF32,
    {"NotCausalF32", 1, 67, 131, 2, 2, 20, false, true},
    {"GroupsF32", 1, 50, 50, 6, 2, 12, true, true},
    {"Width128", 1, 66, 66, 1, 1, 128, true, true},
    {"Width256", 1, 40, 40, 1, 1, 256, true, true},
    {"OddBf16", 1, 70, 70, 1, 1, 33, true, true, "bf16"},
};

class GpuFlash : public testing::TestWithParam<FlashShape> {
protected:
  // f32: log-sum-exps are rounded once more, to base 2.
  double tolerance() const { return std::string(GetParam().element) == "bf16" ? 1e-2 : 4e-6; }
  const FlashCase flash{GetParam()};
};

} // namespace

TEST_P(GpuFlash, AgreesWithDouble) {
  OpCase forward = flash.forward(), backward = flash.backward();
  GpuKernels kernels(forward.text() + backward.text());
  flash.expectForward(run(kernels, forward), tolerance());
  flash.expectBackward(run(kernels, backward), tolerance());
}

INSTANTIATE_TEST_SUITE_P(Shapes, GpuFlash, testing::ValuesIn(kShapes),
                         [](const auto &info) { return std::string(info.param.name); });

// As on the host: heads that share keys and values, of any width.
TEST(GpuFlashGroups, OfRandomShapesAgreeWithDouble) {
  for (unsigned seed = 0; seed < 3; ++seed)
    for (const char *element : {"f32", "bf16"}) {
      FlashShape shape = randomGroups(seed, 24, element);
      SCOPED_TRACE(std::to_string(seed) + " " + element + ": " + std::to_string(shape.heads) + "/" +
                   std::to_string(shape.keyHeads) + " heads of " + std::to_string(shape.width));
      FlashCase flash(shape);
      OpCase forward = flash.forward(), backward = flash.backward();
      GpuKernels kernels(forward.text() + backward.text());
      const double tolerance = shape.element == std::string("bf16") ? 1e-2 : 4e-6;
      flash.expectForward(run(kernels, forward), tolerance);
      flash.expectBackward(run(kernels, backward), tolerance);
    }
}

// As on the host: scores near 1000, and what their log-sum-exp loses.
TEST(GpuFlashLargeScores, AreWithinTheStatedBound) {
  FlashCase flash({"LargeScores", 1, 70, 70, 2, 2, 16, true, false, "f32", 58});
  GpuKernels kernels(flash.forward().text() + flash.backward().text());
  flash.expectForward(run(kernels, flash.forward()), FlashShape::boundOf(1014));
  flash.expectBackward(run(kernels, flash.backward()), FlashShape::boundOf(1014));
}

// As in the model, where Q, K and V are columns of one tensor.
TEST(GpuFlashStrides, SameBitsForRowsFurtherApart) {
  for (const FlashShape &shape : {kShapes[2], kTailsF32}) {
    FlashCase flash(shape);
    for (const OpCase &op : {flash.forward(), flash.backward()}) {
      RunOptions options{flash.stridesOf(op, 8)};
      GpuKernels kernels(op.text()), strided(op.text(options.strides));
      auto expected = run(kernels, op), found = run(strided, op, options);
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(found[i].values, expected[i].values) << shape.name << " " << op.name << " " << i;
    }
  }
}

// That no kernel has arrays beside what its launch brings can fail.
TEST(GpuFlashRules, SharedMemoryIsTheLaunchs) {
  OpCase forward = FlashCase(kShapes[0]).forward();
  GpuKernels kernels(forward.text());
  ASSERT_GT(kernels.code().kernels[0].sharedBytes, 0u);
  run(kernels, forward);
  ASSERT_GT(kernels.replace(".reg .pred", ".shared .align 4 .b8 own[4];\n\t.reg .pred"), 0u);
  EXPECT_NONFATAL_FAILURE(run(kernels, forward), "has shared memory beside what its launch brings");
}
