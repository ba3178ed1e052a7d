//===- SamplerTest.cpp - Which token is drawn ---------------------------------------------------------------------===//

#include "Sampler.h"
#include "TestFiles.h"

#include <cmath>

using namespace txrun;

namespace {

class Draw : public ::testing::Test {
protected:
  int32_t draw(std::vector<float> logits, double temperature, int64_t topK, double uniform) {
    return drawToken(logits.data(), logits.size(), temperature, topK, uniform, order);
  }
  std::vector<int32_t> order;
};

TEST_F(Draw, ZeroTemperatureTakesTheLikeliest) {
  for (double point : {0.0, 0.5, 0.999})
    EXPECT_EQ(draw({1, 3, 2}, 0, 0, point), 1);
  // Equal ones: the smaller id.
  EXPECT_EQ(draw({1, 3, 3}, 0, 0, 0.9), 1);
}

TEST_F(Draw, TopK) {
  EXPECT_EQ(draw({1, 3, 2}, 1, 1, 0.999), 1);
  EXPECT_EQ(draw({1, 3, 2}, 1, 2, 0.999), 2);
  EXPECT_EQ(draw({1, 3, 2}, 1, 9, 0.9999), 0);
}

TEST_F(Draw, ProportionsAreTheSoftmax) {
  std::vector<float> logits = {0, float(std::log(3.0)), -1000};
  int counts[3] = {};
  for (int i = 0; i < 1000; ++i)
    ++counts[draw(logits, 1, 0, (i + 0.5) / 1000)];
  EXPECT_EQ(counts[0], 250);
  EXPECT_EQ(counts[1], 750);
  EXPECT_EQ(counts[2], 0);
  // At temperature 0.5 the odds are squared: 1 to 9.
  int cold = 0;
  for (int i = 0; i < 1000; ++i)
    cold += draw(logits, 0.5, 0, (i + 0.5) / 1000) == 0;
  EXPECT_EQ(cold, 100);
}

TEST_F(Draw, LargeLogitsDoNotOverflow) { EXPECT_EQ(draw({1e30f, -1e30f}, 1, 0, 0.99), 0); }

} // namespace
