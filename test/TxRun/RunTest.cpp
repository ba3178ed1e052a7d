//===- RunTest.cpp - Whole runs on the fake runtime ---------------------------------------------------------------===//

#include "Run.h"
#include "FakeRuntime.h"
#include "Interrupt.h"
#include "TestFiles.h"
#include "core/OutputFile.h"
#include "train/Safetensors.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <csignal>
#include <sstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace txrun;
using nlohmann::json;

namespace {

class RunTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    std::string text;
    for (int i = 0; i < 400; ++i)
      text += "the cat sat on the mat. ";
    data = write("data.txt", text);
    artifact = make("m.txa", FakeModel());
  }
  std::string make(const std::string &name, const FakeModel &model) const { return write(name, fakeArtifact(model)); }

  /// Runs the tool and returns what it printed.
  std::string tool(std::vector<std::string> arguments) const {
    ::testing::internal::CaptureStdout();
    try {
      code = run(parseOptions(arguments));
    } catch (...) {
      printed = ::testing::internal::GetCapturedStdout();
      throw;
    }
    return printed = ::testing::internal::GetCapturedStdout();
  }
  std::string train(const std::string &which, int iterations, std::vector<std::string> more) const {
    std::vector<std::string> arguments = {
        which, "--data-path",      data,      "--train-iters", std::to_string(iterations), "--lr",
        "5",   "--lr-decay-style", "constant"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tool(arguments);
  }
  std::vector<json> events(const std::string &log, const char *kind) const {
    std::vector<json> found;
    std::istringstream lines(read(log));
    for (std::string line; std::getline(lines, line);) {
      json event = json::parse(line);
      if (event["event"] == kind)
        found.push_back(event);
    }
    return found;
  }

  std::string data, artifact;
  mutable std::string printed;
  mutable txrt_status code = TXRT_OK;
};

TEST_F(RunTest, TrainingLearnsAndLogs) {
  train(artifact, 30, {"--log", file("log"), "--eval-interval", "15", "--save", file("w.safetensors")});
  EXPECT_EQ(code, TXRT_OK);
  std::vector<json> steps = events(file("log"), "step");
  ASSERT_EQ(steps.size(), 30u);
  EXPECT_EQ(steps[0]["step"], 1);
  EXPECT_NEAR(steps[0]["loss"].get<double>(), std::log(256.0), 0.1);
  EXPECT_LT(steps[29]["loss"].get<double>(), 3.0);
  for (const char *field : {"grad_norm", "lr", "tokens_per_second", "seconds", "ms", "valid_count", "peak_bytes"})
    EXPECT_TRUE(steps[3][field].is_number()) << field;
  EXPECT_EQ(steps[3]["valid_count"], 32);
  EXPECT_EQ(events(file("log"), "evaluation").size(), 2u);
  json start = events(file("log"), "start").at(0);
  EXPECT_EQ(start["allocated_bytes"], start["peak_bytes"]);
  EXPECT_NE(printed.find("iteration 10/30  loss"), std::string::npos);
  EXPECT_EQ(printed.find('\r'), std::string::npos); // no terminal

  std::string sample =
      tool({artifact, "--load", file("w.safetensors"), "--sample", "20", "--prompt", "the ", "--temperature", "0"});
  EXPECT_EQ(sample.substr(0, 5), "the t"); // what follows a space most
  EXPECT_EQ(sample.size(), 4u + 20 + 1);
}

TEST_F(RunTest, ACheckpointContinuesBitByBit) {
  train(artifact, 12, {"--save", file("a.safetensors"), "--save-optim", "--log", file("whole")});
  train(artifact, 5, {"--save", file("b.safetensors"), "--save-optim"});
  train(artifact, 12,
        {"--load", file("b.safetensors"), "--save", file("b.safetensors"), "--save-optim", "--log", file("rest")});
  EXPECT_EQ(read(file("a.safetensors")), read(file("b.safetensors")));
  std::vector<json> whole = events(file("whole"), "step");
  std::vector<json> rest = events(file("rest"), "step");
  ASSERT_EQ(rest.size(), 7u);
  EXPECT_EQ(rest[0]["step"], 6);
  EXPECT_EQ(rest[6]["loss"], whole[11]["loss"]);
  // The weights alone begin again.
  train(artifact, 2, {"--load", file("b.safetensors"), "--no-load-optim", "--log", file("again")});
  EXPECT_EQ(events(file("again"), "step").at(0)["step"], 1);
}

// Another schedule bends the curve where it was cut: refused, until a flag says which one holds.
TEST_F(RunTest, AnotherScheduleIsNoContinuation) {
  auto with = [&](std::vector<std::string> flags, std::vector<std::string> more) {
    std::vector<std::string> arguments = {artifact, "--data-path", data};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return tool(arguments);
  };
  const std::vector<std::string> whole = {"--train-iters", "4", "--lr", "0.5", "--lr-warmup-iters", "1"};
  const std::string path = file("c.safetensors");
  const std::vector<std::string> load = {"--load", path, "--log", file("log")};
  with(whole, {"--save", path, "--save-optim"});
  struct Case {
    std::vector<std::string> flags;
    const char *part;
  } cases[] = {{{"--train-iters", "8"}, "--lr 0.5 (this run: 3e-04)"},
               {{"--train-iters", "8", "--lr", "0.5", "--lr-warmup-iters", "1"},
                "was trained with --lr-decay-iters 4 (this run: 8): give what it was"},
               {{"--train-iters", "8", "--lr", "0.5", "--lr-decay-iters", "4"}, "--lr-warmup-iters 1 (this run: 0)"},
               {{"--train-iters", "8", "--lr", "0.5", "--lr-warmup-iters", "1", "--lr-decay-style", "cosine"},
                "--lr-decay-style linear (this run: cosine)"},
               {{"--train-iters", "8", "--lr", "0.5", "--min-lr", "0.25"}, "--min-lr 0 (this run: 0.25)"}};
  for (const Case &one : cases)
    expectError(TXRT_BAD_INPUT, one.part, [&] { with(one.flags, load); });

  const std::vector<std::string> other = {"--train-iters", "6", "--lr", "2", "--lr-decay-iters", "8"};
  std::vector<std::string> more = load;
  more.push_back("--override-opt_param-scheduler");
  EXPECT_NE(with(other, more).find("this run goes on with its own"), std::string::npos);
  EXPECT_EQ(events(file("log"), "step").back()["lr"], 2 * (1 - 5 / 8.0));
  more.back() = "--use-checkpoint-opt_param-scheduler";
  EXPECT_NE(with(other, more).find("goes on with the checkpoint's"), std::string::npos);
  EXPECT_EQ(events(file("log"), "step").back()["lr"], 0); // has decayed

  // The batch may change, and is said; a run that trains nothing changes nothing.
  EXPECT_NE(with({"--train-iters", "6", "--lr", "0.5", "--lr-warmup-iters", "1", "--lr-decay-iters", "4",
                  "--global-batch-size", "4", "--split", "80,20", "--data-order", "sequential"},
                 load)
                .find("trained with --data-order random (this run: sequential), "
                      "--global-batch-size 2 (this run: 4), --split 90,10 (this "
                      "run: 80,20)"),
            std::string::npos);
  with({"--train-iters", "0"}, {"--load", path, "--save", file("d.safetensors"), "--save-optim"});
  EXPECT_EQ(read(path), read(file("d.safetensors")));
}

// The first line says how data are read.
TEST_F(RunTest, TheReadingIsSaid) {
  EXPECT_EQ(train(artifact, 1, {}).find("tokens: " + data + " read as text"), 0u);
  EXPECT_EQ(tool({artifact, "--evaluate", "--data-path", data}).find("tokens: " + data + " read as text"), 0u);
}

TEST_F(RunTest, AccumulationSeesTheSameSamples) {
  FakeModel large;
  large.microBatch = 6;
  train(make("six.txa", large), 3, {"--log", file("six")});
  train(artifact, 3, {"--log", file("two"), "--global-batch-size", "6"});
  std::vector<json> six = events(file("six"), "step");
  std::vector<json> two = events(file("two"), "step");
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(six[i]["loss"].get<double>(), two[i]["loss"].get<double>(), 1e-5);
    EXPECT_EQ(six[i]["samples"], two[i]["samples"]);
    EXPECT_NEAR(six[i]["grad_norm"].get<double>(), two[i]["grad_norm"].get<double>(), 1e-5);
  }
  expectError(TXRT_BAD_INPUT, "no multiple of the artifact's micro batch of 2",
              [&] { train(artifact, 1, {"--global-batch-size", "3"}); });
}

TEST_F(RunTest, TheFusedStepGivesTheSame) {
  train(artifact, 4, {"--save", file("a.safetensors"), "--log", file("a")});
  FakeModel parts;
  parts.fused = false;
  train(make("parts.txa", parts), 4, {"--save", file("b.safetensors"), "--log", file("b")});
  EXPECT_EQ(read(file("a.safetensors")), read(file("b.safetensors")));
  EXPECT_EQ(events(file("a"), "step")[3]["loss"], events(file("b"), "step")[3]["loss"]);
}

TEST_F(RunTest, GradientsAreThoseOfTheLastStep) {
  train(artifact, 2, {"--dump-gradients", file("g.safetensors"), "--log", file("log")});
  SafetensorsReader reader(file("g.safetensors"));
  const StoredTensor *tensor = reader.find("transformer.wte.weight");
  ASSERT_NE(tensor, nullptr);
  std::vector<float> values(tensor->elements);
  reader.readF32(*tensor, values.data());
  double norm = 0;
  for (float value : values)
    norm += double(value) * value;
  EXPECT_NEAR(std::sqrt(norm), events(file("log"), "step")[1]["grad_norm"].get<double>(), 1e-6);
}

TEST_F(RunTest, Evaluate) {
  std::string out = tool({artifact, "--evaluate", "--data-path", data, "--log", file("log")});
  json result = events(file("log"), "evaluation").at(0);
  EXPECT_EQ(result["valid_count"], 959); // a tenth of 9600, less the first
  EXPECT_NEAR(result["loss"].get<double>(), std::log(256.0), 0.01);
  EXPECT_NEAR(result["bits_per_byte"].get<double>(), 8.0, 0.02);
  EXPECT_NE(out.find("bits per byte"), std::string::npos);
}

TEST_F(RunTest, AllTargetsIgnoredGivesZero) {
  std::vector<int32_t> tokens(32, 1), targets(32, -100);
  SafetensorsWriter writer;
  writer.add("tokens", "I32", {2, 16}, tokens.data(), 128);
  writer.add("targets", "I32", {2, 16}, targets.data(), 128);
  writer.write(file("p.safetensors"));
  tool({artifact, "--data-path", file("p.safetensors"), "--train-iters", "1", "--log", file("log")});
  json step = events(file("log"), "step").at(0);
  EXPECT_EQ(step["loss"], 0.0);
  EXPECT_EQ(step["grad_norm"], 0.0);
  EXPECT_EQ(step["valid_count"], 0);
}

TEST_F(RunTest, NanIsRepeatedOnceAndStops) {
  auto with = [&](const char *faults) {
    FakeModel model;
    model.faults = faults;
    return make("bad.txa", model);
  };
  struct Case {
    const char *faults, *part, *verdict;
  } cases[] = {{R"({"nan_loss_at": 3})", "iteration 3, micro batch 0: the loss is nan", "reproduced"},
               {R"({"nan_loss_at": 3, "transient": true})", "the loss is nan", "transient"},
               {R"({"nan_gradient_at": 2})", "gradient of transformer.wte.weight has nan at index 5", "reproduced"},
               {R"({"nan_gradient_at": 2, "transient": true})", "nan at index 5", "transient"}};
  for (const Case &one : cases) {
    std::string bad = with(one.faults);
    expectError(TXRT_NUMERIC, one.part, [&] { train(bad, 5, {}); });
    expectError(TXRT_NUMERIC, one.verdict, [&] { train(bad, 5, {}); });
  }
  expectError(TXRT_NUMERIC, "its gradients are finite and were applied",
              [&] { train(with(R"({"nan_loss_alone_at": 2})"), 5, {}); });
}

TEST_F(RunTest, NanUpdatesNothing) {
  FakeModel model;
  model.faults = R"({"nan_gradient_at": 2, "transient": true})";
  std::string bad = make("bad.txa", model);
  train(artifact, 1, {"--save", file("one.safetensors")});
  std::string out = train(bad, 2, {"--no-check-for-nan-in-loss-and-grad", "--save", file("two.safetensors")});
  EXPECT_NE(out.find("grad norm nan"), std::string::npos) << out;
  EXPECT_NE(out.find("nothing updated"), std::string::npos) << out;
  const std::string tensors = read(file("one.safetensors"));
  EXPECT_EQ(tensors.substr(tensors.size() - 4096), read(file("two.safetensors")).substr(tensors.size() - 4096));
}

TEST_F(RunTest, VerifyRecompute) {
  FakeModel full;
  full.policy = "full, uniform, 1";
  std::string out =
      tool({make("full.txa", full), "--verify-recompute", artifact, "--data-path", data, "--log", file("log")});
  EXPECT_NE(out.find("same bits: 3 iterations under 'full, uniform, 1'"), std::string::npos);
  EXPECT_EQ(events(file("log"), "verify").at(0)["same"], true);
  full.faults = R"({"flip_at": 2})";
  std::string bad = make("full.txa", full);
  // Also without data, on random tokens.
  expectError(TXRT_NUMERIC, "iteration 2: transformer.wte.weight.grad at index 7",
              [&] { tool({bad, "--verify-recompute", artifact}); });
  FakeModel other;
  other.sequence = 8;
  std::string another = make("other.txa", other);
  expectError(TXRT_BAD_INPUT, "are two models", [&] { tool({bad, "--verify-recompute", another}); });
}

TEST_F(RunTest, Function) {
  std::vector<int32_t> ids(32, 65);
  SafetensorsWriter writer;
  writer.add("tokens", "I32", {2, 16}, ids.data(), 128);
  writer.write(file("p.safetensors"));
  std::string out = tool({artifact, "--function", "evaluate", "--input", "tokens=" + file("p.safetensors"), "--input",
                          "targets=66", "--output", "loss_sum=" + file("s.npy")});
  EXPECT_NE(out.find("valid_count = 32"), std::string::npos);
  tool({artifact, "--function", "predict", "--input", "tokens=" + file("p.safetensors"), "--input", "row=15",
        "--output", "logits=" + file("l.npy")});
  EXPECT_EQ(read(file("l.npy")).size() % 64, 0u);
  EXPECT_GT(read(file("l.npy")).size(), 2u * 256 * 4);
  expectError(TXRT_BAD_INPUT, "'row' has 16 at index 0",
              [&] { tool({artifact, "--function", "predict", "--input", "tokens=1", "--input", "row=16"}); });
  expectError(TXRT_BAD_INPUT, "--input targets=... is missing",
              [&] { tool({artifact, "--function", "evaluate", "--input", "tokens=1"}); });
  expectError(TXRT_BAD_INPUT, "has no argument 'x'; it takes: tokens",
              [&] { tool({artifact, "--function", "evaluate", "--input", "x=1"}); });
  expectError(TXRT_BAD_INPUT, "'tokens' has 256 at index 0",
              [&] { tool({artifact, "--function", "evaluate", "--input", "tokens=256", "--input", "targets=1"}); });
  expectError(TXRT_BAD_INPUT, "no entry 'x'; present: microbatch, apply", [&] { tool({artifact, "--function", "x"}); });
}

TEST_F(RunTest, Bench) {
  std::string out = tool({artifact, "--bench", "--bench-iters", "3", "--bench-warmup", "1", "--log", file("log")});
  EXPECT_NE(out.find("step (step): median"), std::string::npos);
  EXPECT_NE(out.find("by phase"), std::string::npos);
  EXPECT_NE(out.find("allocated (equal)"), std::string::npos);
  json event = events(file("log"), "bench").at(0);
  EXPECT_EQ(event["allocations"], 0);
  EXPECT_GT(event["memory"]["rss_bytes"].get<uint64_t>(), 0u);
  EXPECT_TRUE(event["phases"]["forward_ms"].is_number());
  double launches = 0;
  for (const json &group : event["launches"])
    launches += group["ms"].get<double>() > 0 && group["launches"] > 0;
  EXPECT_EQ(launches, event["launches"].size());
}

TEST_F(RunTest, InfoNeedsNoMemory) {
  std::string out = tool({artifact, "--info"});
  EXPECT_NE(out.find("0.07 million parameters"), std::string::npos);
  EXPECT_NE(out.find("entry apply: takes lr f32[], step i32[]"), std::string::npos);
}

/// Every flag that names an output.
const char *const outputFlags[] = {"--save", "--dump-gradients", "--trace", "--log", "--output"};

// The work itself would end with another code.
TEST_F(RunTest, OutputsAreTriedBeforeTheWork) {
  FakeModel never;
  never.faults = R"({"nan_loss_at": 1})";
  const std::string bad = make("bad.txa", never), longName(256, 'x');
  write("only-read", "mine");
  ASSERT_EQ(::chmod(file("only-read").c_str(), 0444), 0);
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("round", file("round"));
  std::filesystem::create_symlink("only-read", file("link"));
  std::filesystem::create_directory(file("folder"));
  const auto count = std::distance(std::filesystem::directory_iterator(folder), {});
  for (const std::string flag : outputFlags)
    for (const char *name :
         {"none/w", "only-read", "link", "pipe", "round", "folder", "only-read/w", "folder/", longName.c_str()}) {
      SCOPED_TRACE(flag + " " + name);
      const bool isFolder = std::string(name) == "none/w" || std::strncmp(name, "folder", 6) == 0;
      if (flag == "--save" && isFolder)
        continue; // a folder, which can be made
      const std::string shownName = std::string(name).substr(0, 40);
      expectError(TXRT_IO, shownName, [&] {
        if (flag == "--output") // its inputs are missing
          tool({bad, "--function", "evaluate", flag, "loss_sum=" + file(name)});
        else
          train(bad, 1, {flag, file(name)});
      });
      EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), count);
      EXPECT_EQ(read(file("only-read")), "mine");
    }
  for (const char *name : {"none/w.safetensors", "folder/none/w.safetensors", "pipe/w"})
    expectError(TXRT_IO, name, [&] { train(bad, 1, {"--save", file(name)}); });
  // A folder of weights whose files are somebody's.
  std::filesystem::create_directories(file("folder/model.safetensors.index.json"));
  expectError(TXRT_IO, "index.json: is no regular file", [&] { train(bad, 1, {"--save", file("folder")}); });
  std::filesystem::create_directory(file("kept"));
  write("kept/model.safetensors", "mine");
  ASSERT_EQ(::chmod(file("kept/model.safetensors").c_str(), 0444), 0);
  expectError(TXRT_IO, "model.safetensors: cannot be written: it is read-only",
              [&] { train(bad, 1, {"--save", file("kept")}); });
  std::filesystem::create_directory(file("other"));
  write("other/config.json", R"({"model_type": "gpt2", "vocab_size": 99})");
  expectError(TXRT_BAD_INPUT, "config.json: is of another model: 'vocab_size' is 99, and 256 in the model to save",
              [&] { train(bad, 1, {"--save", file("other")}); });
}

TEST_F(RunTest, RoomIsLookedForBeforeTheWork) {
  FakeModel never;
  never.faults = R"({"nan_loss_at": 1})";
  const std::string bad = make("bad.txa", never);
  rlimit before, small;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 200000; // the weights are 256 x 256 x 4 bytes
  for (const char *flag : {"--save", "--dump-gradients"}) {
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    expectError(TXRT_IO, "out.safetensors: will take 256 KiB, and the limit of a file",
                [&] { train(bad, 1, {flag, file("out.safetensors")}); });
    ::setrlimit(RLIMIT_FSIZE, &before);
  }
  // Of a folder, each file counts by itself.
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expectError(TXRT_IO, "index.json: will take 256 KiB, and the limit of a file",
              [&] { train(bad, 1, {"--save", file("out")}); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  expectError(TXRT_IO, "what is free on its disk is", [&] { requireRoom(file("out"), uint64_t(1) << 62, 1); });
  EXPECT_NO_THROW(requireRoom(file("out"), 1, 1));
}

TEST_F(RunTest, WhatLiesBesideAnOutputStays) {
  for (const std::string flag : outputFlags) {
    SCOPED_TRACE(flag);
    const char *const others[] = {"out.lock", "out.tx-tmp", "out.tmp", "out~", "out.safetensors.lock"};
    for (const char *other : others)
      write(other, "mine");
    const std::string out = file(flag == "--save" ? "out.safetensors" : "out");
    std::filesystem::remove(out);
    const auto count = std::distance(std::filesystem::directory_iterator(folder), {});
    if (flag == "--output")
      tool(
          {artifact, "--function", "evaluate", "--input", "tokens=1", "--input", "targets=1", flag, "loss_sum=" + out});
    else
      train(artifact, 2, {flag, out});
    EXPECT_GT(read(out).size(), 0u);
    for (const char *other : others)
      EXPECT_EQ(read(file(other)), "mine") << other;
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), count + 1);
  }
}

TEST_F(RunTest, OneFileHasOneUse) {
  train(artifact, 1, {"--save", file("w.safetensors")});
  const std::string weights = read(file("w.safetensors"));
  std::filesystem::create_symlink("w.safetensors", file("link"));
  for (const std::string flag : outputFlags) {
    if (flag == "--save" || flag == "--output")
      continue;
    expectError(TXRT_USAGE, flag + " would overwrite --load",
                [&] { train(artifact, 2, {"--load", file("w.safetensors"), flag, file("link")}); });
    EXPECT_EQ(read(file("w.safetensors")), weights);
  }
  EXPECT_NO_THROW(train(artifact, 2, {"--load", file("link"), "--save", file("w.safetensors")}));
  EXPECT_NE(read(file("w.safetensors")), weights);
}

// Last: the mark of a signal stays set.
TEST_F(RunTest, ZAnInterruptSavesAndLeavesWith130) {
  catchInterrupts();
  std::raise(SIGINT);
  train(artifact, 1000, {"--save", file("w.safetensors")});
  EXPECT_EQ(code, TXRT_INTERRUPTED);
  EXPECT_TRUE(std::filesystem::exists(file("w.safetensors")));
  EXPECT_NE(printed.find("interrupted after iteration 0 of 1000"), std::string::npos);
  ::alarm(0); // that would end what does not leave
}

} // namespace
