//===- PlacementInstancesTest.cpp - steps and hard instances --------------------------------------------*- C++ -*-===//

#include "TrainingSteps.h"

#include "gtest/gtest.h"

#include <fstream>
#include <sstream>

using namespace tx::plan;
using namespace tx::plan::test;

namespace {

/// The public hard instances; test/Data/placement/ORIGIN.md says whose.
class Challenging : public ::testing::TestWithParam<const char *> {};

TEST_P(Challenging, FitsIntoTheCapacity) {
  std::string path = std::string(TX_TEST_DATA_DIR "/placement/") + GetParam() + ".1048576.csv";
  std::ifstream file(path);
  ASSERT_TRUE(file) << path;
  std::stringstream text;
  text << file.rdbuf();
  PlacementCsv csv = readPlacementCsv(text.str(), path);
  ASSERT_EQ(csv.error, std::nullopt);
  PlacementOptions options;
  options.capacity = 1048576;
  options.effort = 2'000'000'000;
  Placement placement = place(csv.buffers, options);
  EXPECT_EQ(verifyPlacement(csv.buffers, placement), std::nullopt);
  EXPECT_LE(placement.height, 1048576);
  RecordProperty("effort", std::to_string(placement.effort));
}

INSTANTIATE_TEST_SUITE_P(Minimalloc, Challenging, ::testing::Values("A", "B", "C", "D", "E", "F"),
                         [](const auto &info) { return std::string(info.param); });

/// Steps, and how far above the peak of live bytes they may end, in millionths of it. Where lifetimes nest that is
/// nothing.
struct NamedStep {
  const char *name;
  StepShape shape;
  int64_t allowed = 0;
};

NamedStep step(const char *name, int layers, int microbatches, int inFlight, int keepPercent, bool samePlan,
               bool unevenLayers, uint64_t seed, int64_t allowed = 0) {
  StepShape shape;
  shape.layers = layers;
  shape.microbatches = microbatches;
  shape.inFlight = inFlight;
  shape.keepPercent = keepPercent;
  shape.samePlan = samePlan;
  shape.unevenLayers = unevenLayers;
  shape.seed = seed;
  return {name, shape, allowed};
}

class TrainingStep : public ::testing::TestWithParam<NamedStep> {};

TEST_P(TrainingStep, TakesThePeakOfLiveBytes) {
  std::vector<Buffer> buffers = makeTrainingStep(GetParam().shape);
  Placement placement = place(buffers);
  EXPECT_EQ(verifyPlacement(buffers, placement), std::nullopt);
  EXPECT_LE(placement.height, placement.lowerBound + placement.lowerBound / 1000 * GetParam().allowed / 1000)
      << buffers.size() << " buffers, ratio " << placement.ratio();
  RecordProperty("buffers", static_cast<int>(buffers.size()));
  RecordProperty("effort", std::to_string(placement.effort));
}

INSTANTIATE_TEST_SUITE_P(
    Steps, TrainingStep,
    ::testing::Values(
        // name, layers, microbatches, in flight, keep %, one plan, uneven, seed
        step("Buffers1000", 4, 4, 2, 30, true, false, 1), step("Buffers1000Uneven", 4, 4, 2, 30, false, true, 2),
        step("Buffers3000", 12, 4, 4, 60, false, false, 3), step("Buffers3000Uneven", 12, 4, 4, 30, false, true, 4),
        step("Buffers15000", 64, 4, 4, 60, false, true, 6), step("Buffers20000", 96, 4, 4, 60, false, false, 7),
        step("OneInFlight", 24, 16, 1, 60, false, false, 8),
        // One forward, one backward in the steady state: lifetimes of the microbatches in flight cross, and no packing
        // at the peak is known.
        step("SteadyFull", 12, 16, 4, 0, true, false, 5), step("SteadyKeepSome", 12, 16, 4, 30, true, false, 9),
        step("SteadyUneven", 12, 16, 4, 60, false, true, 10, 5'400)),
    [](const auto &info) { return std::string(info.param.name); });

} // namespace
