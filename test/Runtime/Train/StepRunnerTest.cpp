//===- StepRunnerTest.cpp - The work of an iteration --------------------------------------------------------------===//

#include "train/StepRunner.h"
#include "FakeRuntime.h"
#include "TestFiles.h"

#include <algorithm>

using namespace txrt;
using namespace txrt::train;

namespace {

/// Samples whose targets must be read to be counted: one of the vocabulary's ids is the ignored one.
class CountingSource : public SampleSource {
public:
  explicit CountingSource(BatchSpec batch) : SampleSource(batch) {}
  void sample(uint64_t, int32_t *tokens, int32_t *targets) override {
    ++drawn;
    std::fill_n(tokens, batch.sequence, 1);
    std::fill_n(targets, batch.sequence, 2);
  }
  uint64_t drawn = 0;
};

using StepRunnerTest = FolderTest;

// Each sample is read twice, to count its targets and to be trained on, however many micro batches share the count.
TEST_F(StepRunnerTest, WorkGrowsWithTheBatchAlone) {
  FakeModel fake;
  const Model model(OpenArtifact(write("m.txa", fakeArtifact(fake))), txrt_options{});
  model.initialize(1);
  BatchSpec batch = model.batch();
  batch.ignored = 3;
  for (uint64_t samples : {2, 32, 512}) {
    CountingSource source(batch);
    StepRunner runner(model, samples, /*guard=*/true);
    StepResult result = runner.run(source, RunPosition(), 0.1);
    EXPECT_EQ(source.drawn, 2 * samples);
    EXPECT_EQ(result.validCount, samples * batch.sequence);
  }
}

} // namespace
