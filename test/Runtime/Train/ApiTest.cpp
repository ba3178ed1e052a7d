//===- ApiTest.cpp - The C interface of training, on the fake runtime ---------------------------------------------===//

#include "FakeRuntime.h"
#include "TestFiles.h"
#include "txrt/txrt_train.h"

#include <cmath>
#include <limits>
#include <memory>

namespace {

struct Close {
  void operator()(txrt_train *train) const { txrt_train_close(train); }
};
using Handle = std::unique_ptr<txrt_train, Close>;

/// A batch of ids that differ from step to step.
struct Ids {
  explicit Ids(const txrt_train_info &info, int salt) : rows(info.global_batch) {
    for (uint64_t i = 0; i < rows * info.sequence; ++i) {
      tokens.push_back(int32_t((i * 7 + salt * 13) % info.vocabulary));
      targets.push_back(int32_t((i * 7 + salt * 13 + 7) % info.vocabulary));
    }
  }
  uint64_t rows;
  std::vector<int32_t> tokens, targets;
};

class TrainApi : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    artifact = write("m.txa", fakeArtifact(FakeModel()));
    std::string text;
    for (int i = 0; i < 400; ++i)
      text += "the cat sat on the mat. ";
    data = write("data.txt", text);
  }

  Handle open(const std::string &path, const txrt_train_options *options = nullptr) {
    txrt_train *train = nullptr;
    EXPECT_EQ(txrt_train_open(path.c_str(), options, &train, &error), TXRT_OK) << error.message;
    return Handle(train);
  }
  Handle initialized() {
    Handle train = open(artifact);
    EXPECT_EQ(txrt_train_initialize(train.get(), 1234, &error), TXRT_OK) << error.message;
    return train;
  }
  double step(const Handle &train, double lr = 1) {
    txrt_step_result result = {};
    EXPECT_EQ(txrt_train_step(train.get(), lr, &result, &error), TXRT_OK) << error.message;
    return result.loss;
  }
  double stepOn(const Handle &train, int salt) {
    txrt_train_info info;
    EXPECT_EQ(txrt_train_describe(train.get(), &info, &error), TXRT_OK) << error.message;
    const Ids ids(info, salt);
    txrt_step_result result = {};
    EXPECT_EQ(txrt_train_step_batch(train.get(), ids.tokens.data(), ids.targets.data(), ids.rows, 1, &result, &error),
              TXRT_OK)
        << error.message;
    return result.loss;
  }
  void openData(const Handle &train, bool validates = false) {
    txrt_train_data from = {};
    from.path = data.c_str();
    from.validates = validates;
    EXPECT_EQ(txrt_train_open_data(train.get(), &from, &error), TXRT_OK) << error.message;
  }
  int64_t iteration(const Handle &train) {
    txrt_train_position position = {};
    EXPECT_EQ(txrt_train_where(train.get(), &position, &error), TXRT_OK);
    return position.iteration;
  }
  void expectRefused(txrt_status status, txrt_status wanted, const std::string &part) {
    EXPECT_EQ(status, wanted) << error.message;
    EXPECT_EQ(error.code, wanted);
    EXPECT_NE(std::string(error.message).find(part), std::string::npos)
        << "wanted: " << part << "\nfound: " << error.message;
  }

  std::string artifact, data;
  txrt_error error = {};
};

TEST_F(TrainApi, LearnsFromFilesAndFromMemory) {
  const Handle train = initialized();
  openData(train, /*validates=*/true);
  const double first = step(train, 5);
  EXPECT_NEAR(first, std::log(256.0), 0.1);
  for (int i = 0; i < 30; ++i)
    step(train, 5);
  EXPECT_LT(step(train, 5), 3);
  EXPECT_EQ(iteration(train), 32);
  txrt_evaluation evaluation = {};
  ASSERT_EQ(txrt_train_evaluate(train.get(), 0, &evaluation, &error), TXRT_OK) << error.message;
  EXPECT_LT(evaluation.loss, 3.5);
  EXPECT_GT(evaluation.valid_count, 900u); // a tenth of the text
  const uint64_t all = evaluation.valid_count;
  ASSERT_EQ(txrt_train_evaluate(train.get(), 1, &evaluation, &error), TXRT_OK) << error.message;
  EXPECT_LT(evaluation.valid_count, all);
  stepOn(train, 1);
  EXPECT_EQ(iteration(train), 33);
}

// What a batch in memory gives is what the same ids of a file give.
TEST_F(TrainApi, MemoryAndFilesAreOne) {
  const Handle a = initialized(), b = initialized();
  txrt_train_data from = {};
  from.path = data.c_str();
  from.sequential = 1;
  from.split[0] = 1;
  ASSERT_EQ(txrt_train_open_data(a.get(), &from, &error), TXRT_OK) << error.message;
  txrt_train_info info;
  ASSERT_EQ(txrt_train_describe(b.get(), &info, &error), TXRT_OK);
  const std::string text = read(data);
  for (uint64_t i = 0; i < 4; ++i) {
    const char *at = text.data() + i * info.global_batch * info.sequence;
    std::vector<int32_t> tokens(at, at + info.global_batch * info.sequence), targets(at + 1, at + 1 + tokens.size());
    txrt_step_result result = {};
    ASSERT_EQ(txrt_train_step_batch(b.get(), tokens.data(), targets.data(), info.global_batch, 1, &result, &error),
              TXRT_OK)
        << error.message;
    EXPECT_EQ(result.loss, step(a));
  }
}

TEST_F(TrainApi, ARunThatStopsGoesOnBitByBit) {
  const Handle whole = initialized();
  openData(whole);
  std::vector<double> losses;
  for (int i = 0; i < 8; ++i)
    losses.push_back(step(whole));
  ASSERT_EQ(txrt_train_save(whole.get(), file("whole.safetensors").c_str(), 0, &error), TXRT_OK) << error.message;

  const Handle part = initialized();
  openData(part);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(step(part), losses[i]);
  ASSERT_EQ(txrt_train_save(part.get(), file("part.safetensors").c_str(), 0, &error), TXRT_OK);
  // In a new handle, and in one that has trained something else: what was there is gone.
  const Handle fresh = open(artifact), used = initialized();
  openData(fresh);
  openData(used);
  step(used);
  step(used);
  for (const Handle *train : {&fresh, &used}) {
    ASSERT_EQ(txrt_train_load(train->get(), file("part.safetensors").c_str(), 0, &error), TXRT_OK) << error.message;
    EXPECT_EQ(iteration(*train), 3);
    for (int i = 3; i < 8; ++i)
      EXPECT_EQ(step(*train), losses[i]) << i;
    ASSERT_EQ(txrt_train_save(train->get(), file("rest.safetensors").c_str(), 0, &error), TXRT_OK);
    EXPECT_EQ(read(file("rest.safetensors")), read(file("whole.safetensors")));
  }
  // The weights alone begin again, and initial ones: nothing of the optimizer's state is left.
  const Handle other = open(artifact);
  openData(other);
  for (const Handle *train : {&used, &other}) {
    ASSERT_EQ(txrt_train_load(train->get(), file("part.safetensors").c_str(), 1, &error), TXRT_OK);
    EXPECT_EQ(iteration(*train), 0);
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(step(used), step(other)) << i;
  ASSERT_EQ(txrt_train_initialize(used.get(), 1234, &error), TXRT_OK);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(step(used), losses[i]) << i;
}

TEST_F(TrainApi, SeveralHandlesDoNotMeet) {
  FakeModel other;
  other.sequence = 8;
  const std::string second = write("other.txa", fakeArtifact(other));
  const Handle alone = initialized();
  std::vector<double> losses;
  for (int i = 0; i < 4; ++i)
    losses.push_back(stepOn(alone, i));
  const Handle a = initialized(), b = open(second);
  ASSERT_EQ(txrt_train_initialize(b.get(), 7, &error), TXRT_OK);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(stepOn(a, i), losses[i]);
    stepOn(b, i);
  }
}

TEST_F(TrainApi, ACheckpointIsHeldAgainstItsSchedule) {
  const Handle train = initialized();
  openData(train);
  const txrt_lr_schedule schedule = {0.5, 0, 1, 4, TXRT_DECAY_LINEAR};
  EXPECT_EQ(txrt_train_lr(train.get()), 0);
  ASSERT_EQ(txrt_train_set_schedule(train.get(), &schedule, TXRT_SCHEDULE_SAME, &error), TXRT_OK) << error.message;
  step(train, txrt_train_lr(train.get()));
  EXPECT_EQ(txrt_train_lr(train.get()), 0.5); // the warm-up is over
  ASSERT_EQ(txrt_train_save(train.get(), file("c").c_str(), 0, &error), TXRT_OK);
  ASSERT_EQ(txrt_train_load(train.get(), file("c").c_str(), 0, &error), TXRT_OK);
  txrt_lr_schedule other = schedule;
  other.lr = 0.25;
  expectRefused(txrt_train_set_schedule(train.get(), &other, TXRT_SCHEDULE_SAME, &error), TXRT_BAD_INPUT,
                "was trained with --lr 0.5 (this run: 0.25)");
  ASSERT_EQ(txrt_train_set_schedule(train.get(), &other, TXRT_SCHEDULE_STORED, &error), TXRT_OK);
  EXPECT_EQ(txrt_train_lr(train.get()), 0.5);
  ASSERT_EQ(txrt_train_load(train.get(), file("c").c_str(), 0, &error), TXRT_OK);
  ASSERT_EQ(txrt_train_set_schedule(train.get(), &other, TXRT_SCHEDULE_GIVEN, &error), TXRT_OK);
  EXPECT_EQ(txrt_train_lr(train.get()), 0.25);
}

TEST_F(TrainApi, AnEvaluationCanBeInterrupted) {
  int asked = 0;
  txrt_train_options options = {};
  options.context = &asked;
  options.interrupted = [](void *context) { return int(++*static_cast<int *>(context) > 1); };
  const Handle train = open(artifact, &options);
  ASSERT_EQ(txrt_train_initialize(train.get(), 1, &error), TXRT_OK);
  openData(train, /*validates=*/true);
  txrt_evaluation evaluation = {};
  ASSERT_EQ(txrt_train_evaluate(train.get(), 0, &evaluation, &error), TXRT_OK) << error.message;
  EXPECT_EQ(evaluation.valid_count, 32u); // one micro batch of 2 x 16
  EXPECT_EQ(asked, 2);
}

TEST_F(TrainApi, NotesAreGivenAndNothingIsPrinted) {
  std::vector<std::string> lines;
  txrt_train_options options = {};
  options.context = &lines;
  options.note = [](void *context, const char *line) {
    static_cast<std::vector<std::string> *>(context)->push_back(line);
  };
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  {
    const Handle train = open(artifact, &options);
    ASSERT_EQ(txrt_train_initialize(train.get(), 1, &error), TXRT_OK);
    openData(train);
    step(train);
    ASSERT_EQ(txrt_train_save(train.get(), file("w").c_str(), 0, &error), TXRT_OK);
    ASSERT_EQ(txrt_train_load(train.get(), file("w").c_str(), 0, &error), TXRT_OK);
    const txrt_lr_schedule schedule = {0.5, 0, 0, 4, TXRT_DECAY_COSINE};
    ASSERT_EQ(txrt_train_set_schedule(train.get(), &schedule, TXRT_SCHEDULE_SAME, &error), TXRT_OK) << error.message;
    EXPECT_NE(txrt_train_load(train.get(), "none", 0, &error), TXRT_OK);
  }
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_NE(lines[0].find("does not say with which schedule"), std::string::npos) << lines[0];
}

TEST_F(TrainApi, WhatIsMissingIsNamed) {
  txrt_train *train = nullptr;
  expectRefused(txrt_train_open(nullptr, nullptr, &train, &error), TXRT_USAGE, "txrt_train_open: an argument is NULL");
  expectRefused(txrt_train_open(artifact.c_str(), nullptr, nullptr, &error), TXRT_USAGE, "NULL");
  expectRefused(txrt_train_open(data.c_str(), nullptr, &train, &error), TXRT_BAD_INPUT, "is no artifact");
  EXPECT_EQ(train, nullptr);
  txrt_train_close(nullptr);
  EXPECT_EQ(txrt_train_session(nullptr), nullptr);
  EXPECT_EQ(txrt_train_lr(nullptr), 0);

  const Handle open = this->open(artifact);
  txrt_train *t = open.get();
  txrt_train_info info = {};
  ASSERT_EQ(txrt_train_describe(t, &info, &error), TXRT_OK);
  EXPECT_EQ(info.micro_batch, 2u);
  EXPECT_EQ(info.sequence, 16u);
  EXPECT_EQ(info.vocabulary, 256u);
  EXPECT_EQ(info.global_batch, 2u);
  EXPECT_EQ(info.has_ignored, 1);
  EXPECT_EQ(info.ignored, -100);
  EXPECT_EQ(info.seed, 1234u);
  const Ids ids(info, 0);
  const int32_t *tokens = ids.tokens.data(), *targets = ids.targets.data();
  txrt_train_data from = {};
  const txrt_lr_schedule schedule = {};

  // NULL is refused by each call, by its name.
  const std::pair<txrt_status, const char *> nulls[] = {
      {txrt_train_describe(nullptr, &info, &error), "describe"},
      {txrt_train_describe(t, nullptr, &error), "describe"},
      {txrt_train_initialize(nullptr, 1, &error), "initialize"},
      {txrt_train_load(nullptr, "x", 0, &error), "load"},
      {txrt_train_load(t, nullptr, 0, &error), "load"},
      {txrt_train_load(t, "", 0, &error), "load"},
      {txrt_train_save(nullptr, "x", 0, &error), "save"},
      {txrt_train_save(t, nullptr, 0, &error), "save"},
      {txrt_train_where(nullptr, nullptr, &error), "where"},
      {txrt_train_open_data(nullptr, &from, &error), "open_data"},
      {txrt_train_open_data(t, nullptr, &error), "open_data"},
      {txrt_train_open_data(t, &from, &error), "open_data"},
      {txrt_train_set_schedule(nullptr, &schedule, TXRT_SCHEDULE_SAME, &error), "set_schedule"},
      {txrt_train_set_schedule(t, nullptr, TXRT_SCHEDULE_SAME, &error), "set_schedule"},
      {txrt_train_step(nullptr, 1, nullptr, &error), "step"},
      {txrt_train_step_batch(nullptr, tokens, targets, 2, 1, nullptr, &error), "step_batch"},
      {txrt_train_step_batch(t, nullptr, targets, 2, 1, nullptr, &error), "step_batch"},
      {txrt_train_step_batch(t, tokens, nullptr, 2, 1, nullptr, &error), "step_batch"},
      {txrt_train_evaluate(nullptr, 0, nullptr, &error), "evaluate"},
      {txrt_train_evaluate_batch(t, nullptr, targets, 2, nullptr, &error), "evaluate_batch"},
      {txrt_train_evaluate_batch(t, tokens, targets, 0, nullptr, &error), "evaluate_batch"}};
  for (const auto &[status, call] : nulls)
    EXPECT_EQ(status, TXRT_USAGE) << call;
  expectRefused(txrt_train_step(nullptr, 1, nullptr, &error), TXRT_USAGE, "txrt_train_step: an argument is NULL");
  // The caller need not listen.
  EXPECT_EQ(txrt_train_step(nullptr, 1, nullptr, nullptr), TXRT_USAGE);

  // Nothing runs without weights or data.
  expectRefused(txrt_train_step_batch(t, tokens, targets, 2, 1, nullptr, &error), TXRT_USAGE,
                "no weights yet: initialize or load");
  expectRefused(txrt_train_save(t, file("w").c_str(), 0, &error), TXRT_USAGE, "no weights yet");
  expectRefused(txrt_train_evaluate_batch(t, tokens, targets, 2, nullptr, &error), TXRT_USAGE, "no weights yet");
  ASSERT_EQ(txrt_train_initialize(t, 1, &error), TXRT_OK);
  expectRefused(txrt_train_step(t, 1, nullptr, &error), TXRT_USAGE, "no training data");
  expectRefused(txrt_train_evaluate(t, 0, nullptr, &error), TXRT_USAGE, "no validation data");
}

TEST_F(TrainApi, WhatIsWrongIsNamed) {
  const Handle train = initialized();
  txrt_train *t = train.get();
  txrt_train_info info;
  ASSERT_EQ(txrt_train_describe(t, &info, &error), TXRT_OK);
  Ids ids(info, 0);
  auto step = [&](uint64_t rows, double lr) {
    return txrt_train_step_batch(t, ids.tokens.data(), ids.targets.data(), rows, lr, nullptr, &error);
  };
  expectRefused(step(1, 1), TXRT_USAGE, "1 rows, and the global batch has 2");
  expectRefused(step(2, -1), TXRT_USAGE, "-1 is no learning rate");
  expectRefused(step(2, std::numeric_limits<double>::quiet_NaN()), TXRT_USAGE, "nan is no learning rate");
  ids.tokens[17] = 256;
  expectRefused(step(2, 1), TXRT_BAD_INPUT, "tokens have 256 at row 1, column 1; the model's vocabulary has 256");
  ids.tokens[17] = -100; // counts in no loss, but has no row in a table
  expectRefused(step(2, 1), TXRT_BAD_INPUT, "tokens have -100");
  ids.tokens[17] = 0;
  ids.targets[3] = -1;
  expectRefused(step(2, 1), TXRT_BAD_INPUT, "targets have -1 at row 0, column 3");
  ids.targets[3] = -100;
  EXPECT_EQ(step(2, 1), TXRT_OK) << error.message;
  EXPECT_EQ(iteration(train), 1) << "what is refused is no iteration";

  expectRefused(txrt_train_load(t, file("none").c_str(), 0, &error), TXRT_IO, "No such file");
  expectRefused(txrt_train_step(t, 1, nullptr, &error), TXRT_USAGE, "no training data");
  expectRefused(step(2, 1), TXRT_USAGE, "no weights yet"); // the others are gone
  expectRefused(txrt_train_load(t, data.c_str(), 0, &error), TXRT_BAD_INPUT, "no safetensors file");
  ASSERT_EQ(txrt_train_initialize(t, 1, &error), TXRT_OK);
  expectRefused(txrt_train_save(t, (folder + "/none/w.safetensors").c_str(), 0, &error), TXRT_IO, "cannot be written");

  txrt_train_data from = {};
  from.path = "none.txt";
  expectRefused(txrt_train_open_data(t, &from, &error), TXRT_IO, "none.txt");
  from.path = data.c_str();
  from.format = 9;
  expectRefused(txrt_train_open_data(t, &from, &error), TXRT_USAGE, "9 is no format");
  from.format = TXRT_DATA_UINT16;
  expectRefused(txrt_train_open_data(t, &from, &error), TXRT_BAD_INPUT, "--data-format");
  from.format = TXRT_DATA_AUTO;
  from.split[0] = -1;
  expectRefused(txrt_train_open_data(t, &from, &error), TXRT_USAGE, "-1 is no share");

  txrt_lr_schedule schedule = {1, 0, 0, 1, 7};
  expectRefused(txrt_train_set_schedule(t, &schedule, TXRT_SCHEDULE_SAME, &error), TXRT_USAGE, "7 is no shape");
  schedule.decay = TXRT_DECAY_LINEAR;
  expectRefused(txrt_train_set_schedule(t, &schedule, 5, &error), TXRT_USAGE, "5 is no choice");
  schedule.lr = INFINITY;
  expectRefused(txrt_train_set_schedule(t, &schedule, TXRT_SCHEDULE_SAME, &error), TXRT_USAGE, "rates must be finite");

  txrt_train_options options = {};
  options.global_batch_size = 3;
  txrt_train *none = nullptr;
  expectRefused(txrt_train_open(artifact.c_str(), &options, &none, &error), TXRT_BAD_INPUT,
                "--global-batch-size 3 is no multiple");
}

// A loss that is not finite is an error with a verdict; the run stands where it stood.
TEST_F(TrainApi, NumbersThatAreNone) {
  FakeModel faulty;
  faulty.faults = R"({"nan_loss_at": 2})";
  for (bool ignored : {false, true}) {
    txrt_train_options options = {};
    options.ignore_nonfinite = ignored;
    const Handle train = open(write("f.txa", fakeArtifact(faulty)), &options);
    ASSERT_EQ(txrt_train_initialize(train.get(), 1, &error), TXRT_OK);
    stepOn(train, 0);
    txrt_train_info info;
    ASSERT_EQ(txrt_train_describe(train.get(), &info, &error), TXRT_OK);
    const Ids ids(info, 1);
    txrt_step_result result = {};
    const txrt_status status =
        txrt_train_step_batch(train.get(), ids.tokens.data(), ids.targets.data(), ids.rows, 1, &result, &error);
    if (ignored) {
      EXPECT_EQ(status, TXRT_OK);
      EXPECT_TRUE(std::isnan(result.loss));
      EXPECT_TRUE(std::isnan(result.grad_norm));
    } else {
      expectRefused(status, TXRT_NUMERIC, "reproduced");
    }
    EXPECT_EQ(iteration(train), ignored ? 2 : 1);
  }
}

} // namespace
