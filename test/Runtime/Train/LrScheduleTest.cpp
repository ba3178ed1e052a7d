//===- LrScheduleTest.cpp - Megatron's learning rates -------------------------------------------------------------===//
//
// Expected values are those of Megatron-LM's OptimizerParamScheduler.get_lr, written out: warm-up max * n / w; linear
// min + (1 - r) (max - min); cosine min + (cos(pi r) + 1) / 2 (max - min), with r = (n - w) / (d - w).
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "train/LrSchedule.h"
#include "TestFiles.h"

#include <cmath>

using namespace txrt;
using namespace txrt::train;

namespace {

LrSchedule make(DecayStyle style) {
  LrSchedule schedule;
  schedule.maximum = 1e-3;
  schedule.minimum = 1e-4;
  schedule.warmupIterations = 10;
  schedule.decayIterations = 110;
  schedule.style = style;
  return schedule;
}

TEST(LrSchedule, WarmupBeginsAtZeroAndEndsAtTheMaximum) {
  for (DecayStyle style :
       {DecayStyle::Constant, DecayStyle::Linear, DecayStyle::Cosine, DecayStyle::InverseSquareRoot}) {
    LrSchedule schedule = make(style);
    EXPECT_EQ(schedule.at(0), 0.0);
    EXPECT_DOUBLE_EQ(schedule.at(1), 1e-4);
    EXPECT_DOUBLE_EQ(schedule.at(5), 5e-4);
    EXPECT_DOUBLE_EQ(schedule.at(10), 1e-3);
  }
}

TEST(LrSchedule, WithoutWarmupTheFirstIterationHasTheMaximum) {
  LrSchedule schedule = make(DecayStyle::Cosine);
  schedule.warmupIterations = 0;
  EXPECT_DOUBLE_EQ(schedule.at(0), 1e-3);
}

TEST(LrSchedule, Constant) {
  EXPECT_DOUBLE_EQ(make(DecayStyle::Constant).at(11), 1e-3);
  EXPECT_DOUBLE_EQ(make(DecayStyle::Constant).at(1000000), 1e-3);
}

TEST(LrSchedule, Linear) {
  LrSchedule schedule = make(DecayStyle::Linear);
  EXPECT_DOUBLE_EQ(schedule.at(60), 1e-4 + 0.5 * 9e-4);
  EXPECT_DOUBLE_EQ(schedule.at(35), 1e-4 + 0.75 * 9e-4);
  EXPECT_NEAR(schedule.at(110), 1e-4, 1e-18);
  EXPECT_EQ(schedule.at(111), 1e-4);
}

TEST(LrSchedule, Cosine) {
  LrSchedule schedule = make(DecayStyle::Cosine);
  EXPECT_NEAR(schedule.at(60), 1e-4 + 0.5 * 9e-4, 1e-18);
  EXPECT_NEAR(schedule.at(35), 1e-4 + 0.5 * (std::sqrt(0.5) + 1) * 9e-4, 1e-15);
  EXPECT_NEAR(schedule.at(110), 1e-4, 1e-18);
  EXPECT_EQ(schedule.at(5000), 1e-4);
}

TEST(LrSchedule, InverseSquareRoot) {
  LrSchedule schedule = make(DecayStyle::InverseSquareRoot);
  EXPECT_DOUBLE_EQ(schedule.at(40), 1e-3 * 0.5);
  EXPECT_DOUBLE_EQ(schedule.at(90), 1e-3 / 3);
  EXPECT_EQ(schedule.at(111), 1e-4);
}

TEST(LrSchedule, StyleNames) {
  DecayStyle style = DecayStyle::Constant;
  EXPECT_TRUE(findDecayStyle("inverse-square-root", style));
  EXPECT_EQ(style, DecayStyle::InverseSquareRoot);
  EXPECT_STREQ(decayStyleName(style), "inverse-square-root");
  EXPECT_FALSE(findDecayStyle("Cosine", style));
  EXPECT_EQ(decayStyleNames(), "constant, linear, cosine, inverse-square-root");
}

} // namespace
