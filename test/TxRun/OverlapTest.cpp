// Which part of the communication nothing hides.

#include "Overlap.h"

#include <gtest/gtest.h>

using namespace txrun;

namespace {

txrt_launch_info launch(txrt_launch_kind kind, double start, double seconds) {
  txrt_launch_info info = {};
  info.kind = kind;
  info.last_start = start;
  info.last_seconds = seconds;
  return info;
}

constexpr auto kernel = TXRT_LAUNCH_KERNEL, gemm = TXRT_LAUNCH_GEMM;
constexpr auto collective = TXRT_LAUNCH_COLLECTIVE;

} // namespace

TEST(Overlap, NoCollectives) {
  const auto time = communicationTime({launch(kernel, 0, 2), launch(gemm, 2, 3)});
  EXPECT_EQ(time.total, 0);
  EXPECT_EQ(time.exposed, 0);
}

TEST(Overlap, OneAfterAnother) {
  const auto time = communicationTime({launch(kernel, 0, 2), launch(collective, 2, 3), launch(kernel, 5, 1)});
  EXPECT_EQ(time.total, 3);
  EXPECT_EQ(time.exposed, 3);
}

// From 1 to 5, with nothing beside it from 3 to 4 and from 4.5 to 5.
TEST(Overlap, Gaps) {
  const auto time =
      communicationTime({launch(kernel, 0, 1), launch(collective, 1, 4), launch(gemm, 1, 2), launch(kernel, 4, 0.5)});
  EXPECT_EQ(time.total, 4);
  EXPECT_EQ(time.exposed, 1.5);
}

// Launches are listed in program order, and times are not.
TEST(Overlap, SeveralCollectives) {
  const auto time = communicationTime({launch(collective, 1, 2), launch(kernel, 0, 2), launch(kernel, 2, 2),
                                       launch(collective, 3, 2), launch(kernel, 6, 1)});
  EXPECT_EQ(time.total, 4);
  EXPECT_EQ(time.exposed, 1);
}
