//===- OptionsTest.cpp - The command line -------------------------------------------------------------------------===//

#include "Options.h"
#include "TestFiles.h"

using namespace txrun;

namespace {

void expectUsage(const std::vector<std::string> &arguments, const std::string &part) {
  expectError(TXRT_USAGE, part, [&] { parseOptions(arguments); });
}

TEST(Options, BothSpellingsOfAValue) {
  Options a =
      parseOptions({"s.txa", "--train-iters", "5", "--data-path", "d", "--lr", "1e-3", "--lr-decay-style", "cosine"});
  Options b = parseOptions({"--train-iters=5", "--data-path=d", "--lr=1e-3", "--lr-decay-style=cosine", "s.txa"});
  for (const Options &options : {a, b}) {
    EXPECT_EQ(options.artifact, "s.txa");
    EXPECT_EQ(options.trainIterations, 5);
    EXPECT_EQ(options.data.path, "d");
    EXPECT_EQ(options.lr, 1e-3);
    EXPECT_EQ(options.lrDecayStyle, DecayStyle::Cosine);
  }
  // Only the first equals sign separates.
  Options c = parseOptions({"s", "--sample=3", "--prompt=a=b"});
  EXPECT_EQ(c.prompt, "a=b");
}

TEST(Options, TheLastOneCounts) {
  const Options options = parseOptions({"s", "--bench", "--seed", "1", "--threads", "2", "--seed=2"});
  EXPECT_EQ(options.seed, 2);
  ASSERT_EQ(options.notes.size(), 1u);
  EXPECT_EQ(options.notes[0], "--seed is given 2 times, with 1 and 2: the last one counts");
  // Nothing is lost of these.
  EXPECT_TRUE(parseOptions({"s", "--bench", "--seed", "1", "--seed", "1", "--bench"}).notes.empty());
  EXPECT_TRUE(parseOptions({"s", "--function", "f", "--input", "a=1", "--input", "b=2", "--output", "c=1.npy",
                            "--output", "c=2.npy"})
                  .notes.empty());
  EXPECT_EQ(parseOptions({"s", "--function", "f", "--input", "a=1", "--input=a=2"}).notes.at(0),
            "--input a is given 2 times, with 1 and 2: the last one counts");
}

TEST(Options, WhoseScheduleHolds) {
  expectUsage({"s", "--train-iters", "1", "--data-path", "d", "--load", "l", "--override-opt_param-scheduler",
               "--use-checkpoint-opt_param-scheduler"},
              "contradict each other");
  expectUsage({"s", "--train-iters", "1", "--data-path", "d", "--override-opt-param-scheduler"},
              "--override-opt_param-scheduler needs --load");
}

TEST(Options, UnknownFlagsNameTheNearest) {
  expectUsage({"s", "--train-iter", "5"}, "the nearest one is --train-iters");
  expectUsage({"s", "--lrr=3"}, "the nearest one is --lr");
  expectUsage({"s", "--recomput"}, "unknown flag --recomput; --help lists all");
  expectUsage({"s", "--frob"}, "unknown flag --frob; --help lists all");
  expectUsage({"s", "--x"}, "unknown flag --x; --help lists all");
  expectUsage({"s", "-x"}, "two dashes");
}

TEST(Options, FlagsOfTheCompilerAreExplained) {
  expectUsage({"s", "--weight-decay", "0.1"}, "give it to tx-compile");
  expectUsage({"s", "--clip-grad=1"}, "give it to tx-compile");
  expectUsage({"s", "--micro-batch-size", "3"}, "give it to tx-compile");
}

TEST(Options, Values) {
  expectUsage({"s", "--train-iters", "x"}, "'x' is no whole number");
  expectUsage({"s", "--train-iters", "1.5"}, "no whole number");
  expectUsage({"s", "--train-iters", "-1"}, "not between 0 and 2147483646");
  expectUsage({"s", "--train-iters", "99999999999999999999"}, "past 64 bits");
  expectUsage({"s", "--lr", "1,5"}, "'1,5' is no number");
  expectUsage({"s", "--lr", "nan"}, "no finite number");
  expectUsage({"s", "--lr", "1e400"}, "outside of what 64 bits hold");
  expectUsage({"s", "--lr", "-1"}, "less than 0");
  expectUsage({"s", "--lr"}, "--lr needs a value");
  expectUsage({"s", "--lr", "--seed"}, "--lr needs a value");
  expectUsage({"s", "--bench=1"}, "takes no value");
  expectUsage({"s", "--threads", "0"}, "not between 1 and 1024");
  expectUsage({"s", "--data-format", "utf8"}, "none of auto, text");
  expectUsage({"s", "--backend", "tpu"}, "'tpu' is no backend; present: host, cuda, dryrun");
  expectUsage({"s", "--input", "tokens"}, "not NAME=FILE.npy");
}

// A step takes f32 and i32: what they cannot hold is refused with the flag's name.
TEST(Options, NumbersThatLeaveTheirType) {
  for (const char *flag : {"--lr", "--min-lr"}) {
    expectUsage({"s", flag, "1e39"}, std::string(flag) + ": '1e39' is more than");
    expectUsage({"s", flag, "1e-60"}, std::string(flag) + ": '1e-60' is 0 in");
    expectUsage({"s", flag, "-inf"}, "no finite number");
    expectUsage({"s", flag, "-1e-9"}, "less than 0");
  }
  EXPECT_NO_THROW(parseOptions({"s", "--bench", "--lr", "0"}));
  EXPECT_NO_THROW(parseOptions({"s", "--bench", "--lr", "3.4028234e38"}));
  for (const char *flag : {"--train-iters", "--verify-iters"})
    expectUsage({"s", flag, "2147483647"}, std::string(flag) + ": '2147483647'");
  expectUsage({"s", "--distributed-timeout-minutes", "1e300"}, "more than");
  expectUsage({"s", "--split", "1e308,1e308"}, "more than 1e+09");
  EXPECT_EQ(parseOptions({"s", "--bench", "--seed", "9223372036854775807"}).seed, 9223372036854775807);
  expectUsage({"s", "--seed", "9223372036854775808"}, "past 64 bits");
}

TEST(Options, Split) {
  Options options = parseOptions({"s", "--evaluate", "--data-path", "d", "--split", "969, 30, 1"});
  EXPECT_EQ(options.data.split, (std::vector<double>{969, 30, 1}));
  expectUsage({"s", "--split", "1"}, "TRAINING,VALIDATION");
  expectUsage({"s", "--split", "0,0"}, "sum above 0");
  expectUsage({"s", "--split", "1,2,3,4"}, "TRAINING,VALIDATION");
  expectUsage({"s", "--split", "1,,2"}, "no number");
}

TEST(Options, WhatDoesNotGoTogether) {
  expectUsage({}, "no artifact");
  expectUsage({"a", "b"}, "two artifacts");
  expectUsage({"s"}, "nothing to do");
  expectUsage({"s", "--bench", "--train-iters", "3", "--data-path", "d"}, "run alone");
  expectUsage({"s", "--train-iters", "3"}, "needs --data-path");
  expectUsage({"s", "--evaluate"}, "needs --valid-data-path or --data-path");
  expectUsage({"s", "--bench", "--save", "x"}, "--save needs --train-iters");
  expectUsage({"s", "--bench", "--input", "a=b"}, "belong to --function");
  expectUsage({"s", "--bench", "--backend", "dryrun"}, "runs nothing");
  expectUsage({"s", "--train-iters", "3", "--data-path", "d", "--lr-warmup-iters", "3"}, "not below --train-iters 3");
  expectUsage({"s", "--train-iters", "3", "--data-path", "d", "--lr-warmup-iters", "3", "--lr-decay-iters", "2"},
              "not below --lr-decay-iters 2");
  expectUsage({"s", "--train-iters", "3", "--data-path", "d", "--min-lr", "1"}, "above the rate without --lr, 0.0003");
  expectUsage({"s", "--train-iters", "3", "--data-path", "d", "--min-lr", "1", "--lr", ".5"}, "above --lr 0.5");
  EXPECT_NO_THROW(parseOptions({"s", "--backend", "dryrun"}));
  EXPECT_NO_THROW(parseOptions({"s", "--backend", "dryrun", "--function", "apply"}));
}

TEST(Options, Observers) {
  const std::vector<std::string> train = {"s", "--train-iters", "20", "--data-path", "d"};
  auto trainWith = [&](std::vector<std::string> more) {
    more.insert(more.begin(), train.begin(), train.end());
    return more;
  };
  const Options profile = parseOptions(trainWith({"--profile"}));
  EXPECT_EQ(profile.profileStart, 10);
  EXPECT_EQ(profile.profileEnd, 12);
  EXPECT_EQ(profile.trace, "trace.json");
  EXPECT_EQ(parseOptions(trainWith({"--profile", "--trace", "t.json"})).trace, "t.json");
  expectUsage({"s", "--info", "--write-device", "m.json"}, "--write-device needs --bench");
  expectUsage({"s", "--bench", "--merge-device"}, "--merge-device needs --write-device");
  expectUsage({"s", "--bench", "--write-device", "m.json", "--ranks", "2"}, "--write-device measures one rank");
  expectUsage({"s", "--bench", "--profile"}, "--profile needs --train-iters");
  expectUsage(trainWith({"--profile-step-start", "3"}), "--profile-step-start needs --profile");
  expectUsage(trainWith({"--profile-step-end", "3"}), "--profile-step-end needs --profile");
  expectUsage(trainWith({"--profile", "--profile-step-start", "12"}),
              "--profile-step-end 12 is not after --profile-step-start 12");
  expectUsage({"s", "--train-iters", "5", "--data-path", "d", "--profile"},
              "--profile-step-start 10, the one without the flag, is not below --train-iters 5");

  EXPECT_EQ(parseOptions({"s", "--record-memory-history"}).memorySnapshot, "snapshot.pickle");
  EXPECT_NO_THROW(parseOptions(trainWith({"--record-memory-history", "--memory-snapshot-path", "p"})));
  expectUsage({"s", "--bench", "--memory-snapshot-path", "p"}, "--memory-snapshot-path needs --record-memory-history");
  expectUsage({"s", "--info", "--record-memory-history"},
              "--record-memory-history goes alone, with --train-iters or with --bench");

  EXPECT_EQ(parseOptions(trainWith({"--tensorboard-dir", "t"})).tensorboardInterval, 1);
  expectUsage({"s", "--bench", "--tensorboard-dir", "t"}, "--tensorboard-dir needs --train-iters");
  expectUsage(trainWith({"--log-memory-to-tensorboard"}), "--log-memory-to-tensorboard needs --tensorboard-dir");
  expectUsage(trainWith({"--tensorboard-log-interval", "2"}), "--tensorboard-log-interval needs --tensorboard-dir");
  expectUsage(trainWith({"--tensorboard-dir", "t", "--tensorboard-log-interval", "0"}), "less than 1");
}

TEST(Options, FlagsOfAnotherBackend) {
  for (const char *flag : {"--tune", "--no-cuda-graph", "--no-cudnn"}) {
    const std::string part = std::string(flag) + " is for the backend cuda; this run's is ";
    expectUsage({"s", "--bench", "--backend", "host", flag}, part + "host");
    expectUsage({"s", flag, "--backend=dryrun"}, part + "dryrun");
    expectUsage({"s", "--info", flag}, part + "none");
    const Options own = parseOptions({"s", "--bench", flag});
    EXPECT_NO_THROW(requireEffect(own, "cuda"));
    expectError(TXRT_USAGE, part + "host", [&] { requireEffect(own, "host"); });
  }
  expectUsage({"s", "--bench", "--backend=host", "--tuning-cache", "c.json"}, "--tuning-cache is for the backend cuda");
  EXPECT_NO_THROW(parseOptions({"s", "--bench", "--backend=cuda", "--tune", "--tuning-cache", "c.json"}));
}

TEST(Options, HelpNeedsNothingElseAndNamesEveryGroup) {
  EXPECT_TRUE(parseOptions({"--help"}).help);
  std::string text = helpText();
  for (const char *part : {"What to do", "Data:", "Training:", "Files:", "Text:", "Machine:",
                           "--lr-decay-style constant|linear|cosine", "Exit codes"})
    EXPECT_NE(text.find(part), std::string::npos) << part;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    EXPECT_LE(end - at, 100u) << text.substr(at, end - at);
    at = end + 1;
  }
}

} // namespace
