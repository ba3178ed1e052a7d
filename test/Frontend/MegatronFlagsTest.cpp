//===- MegatronFlagsTest.cpp - Megatron's own list against ours ---------------------------------------------------===//

#include "FrontendTest.h"

#include "tx/Frontend/Flags.h"

#include <fstream>
#include <sstream>

using namespace tx;

namespace {

struct MegatronFlag {
  std::string name, arity;
};

/// test/Data/megatron-flags.txt: a flag a line.
std::vector<MegatronFlag> readMegatronFlags() {
  std::ifstream file(std::string(TX_TEST_DATA_DIR) + "/megatron-flags.txt");
  EXPECT_TRUE(file.is_open());
  std::vector<MegatronFlag> flags;
  for (std::string line; std::getline(file, line);) {
    MegatronFlag flag;
    if (std::istringstream(line) >> flag.name >> flag.arity && flag.name[0] == '-')
      flags.push_back(flag);
  }
  return flags;
}

const char *nameOf(FlagArity arity) {
  switch (arity) {
  case FlagArity::Switch:
    return "Switch";
  case FlagArity::Value:
    return "Value";
  case FlagArity::List:
    return "List";
  }
  return "";
}

/// The error of a command line of Megatron's, behind a whole model.
Failure failureOfMegatron(const std::string &arguments) {
  std::string flag = "--megatron-args=" + arguments;
  return failureOf({"gpt2-124m", flag});
}

} // namespace

// Unknown, or followed by something else: then the next word would be read as another flag's.
TEST(MegatronFlags, EachIsKnownWithWhatFollowsIt) {
  std::vector<MegatronFlag> flags = readMegatronFlags();
  EXPECT_GT(flags.size(), 900u);
  for (const MegatronFlag &flag : flags) {
    const Flag *known = findFlag(flag.name);
    EXPECT_TRUE(known) << flag.name;
    if (known)
      EXPECT_EQ(nameOf(known->arity), flag.arity) << flag.name;
  }
}

TEST(MegatronFlags, WhatChangesARunIsRefused) {
  for (const char *arguments :
       {"--rampup-batch-size 32 32 1000", "--step-batch-size-schedule '0:8 1K:16'", "--lr-warmup-init 1e-5",
        "--lr-wsd-decay-iters 10", "--iterations-to-skip 3 4", "--ckpt-step 100", "--pretrained-checkpoint x",
        "--perform-rl-step", "--grpo-kl-beta 0.5", "--prompts a b", "--img-h 336", "--export-kd-teacher-load x",
        "--batch-size 4", "--data-parallel-random-init", "--fim-rate 0.4"}) {
    Failure failure = failureOfMegatron(arguments);
    EXPECT_EQ(failure.exitCode, 1) << arguments;
    EXPECT_HOLDS(failure.message, " is refused: ");
  }
}

// A script may say what is so anyway.
TEST(MegatronFlags, MegatronsDefaultsPass) {
  for (const char *arguments : {"--moe-router-topk 2", "--lr-warmup-samples 0", "--lr-warmup-init 0",
                                "--kv-lora-rank 32", "--fp8-recipe delayed", "--export-kv-cache-quant none",
                                "--muon-momentum 0.9", "--model-provider gpt", "--img-h 224"})
    EXPECT_EQ(failureOfMegatron(arguments).message, "") << arguments;
}

TEST(MegatronFlags, AVariableInAHarmlessFlagIsHarmless) {
  for (const char *arguments :
       {"--tensorboard-dir ${DIR}", "--tensorboard-dir=$DIR/x --bf16", "--data-path 0.5 ${DATA}/a",
        "--save ${SAVE} --data-cache-path ${CACHE}", "--wandb-exp-name run-$(date +%s) --bf16"})
    EXPECT_EQ(failureOfMegatron(arguments).message, "") << arguments;
  EXPECT_HOLDS(failureOfMegatron("--output-path ${OUT}").message, "--output-path ${OUT} is refused: it steers how");
  // Where its value matters it must be known.
  for (const char *arguments : {"--num-layers $N", "--tensor-model-parallel-size ${TP}", "$ARGS", "--$NAME 1",
                                "--recompute-modules ${MODULES}"}) {
    Failure failure = failureOfMegatron(arguments);
    EXPECT_EQ(failure.exitCode, 2) << arguments;
    EXPECT_HOLDS(failure.message, "only a shell can expand");
  }
}

// Megatron takes no prefixes and no other spelling, so a name that is nearly one is a mistake.
TEST(MegatronFlags, NamesAreSpelledAsMegatronWants) {
  EXPECT_EQ(failureOfMegatron("--num-lay 2").exitCode, 2);
  EXPECT_EQ(failureOfMegatron("--num_layers 2").message,
            "unknown flag '--num_layers'; the nearest that is known is --num-layers");
  EXPECT_EQ(failureOfMegatron("--use-checkpoint-opt_param-scheduler").message, "");
}

TEST(MegatronFlags, TheTableIsPaddedUnlessItMustNotBe) {
  auto vocabularyOf = [](const char *arguments) {
    std::string flag = std::string("--megatron-args=") + arguments;
    return parsed({"gpt2-124m", flag}).model.vocabSize;
  };
  EXPECT_EQ(vocabularyOf("--make-vocab-size-divisible-by 128"), 50304);
  EXPECT_EQ(vocabularyOf("--make-vocab-size-divisible-by 128 --no-pad-vocab-size"), 50257);
  EXPECT_EQ(vocabularyOf("--no-pad-vocab-size --disable-pad-vocab-size --make-vocab-size-divisible-by 128"), 50257);
}

TEST(MegatronFlags, ASettingOfNemoIsSaidToBeOne) {
  EXPECT_HOLDS(failureOfMegatron("trainer.num_nodes=1").message, "a setting of NeMo");
}

// The flags of Megatron's functional tests that train a dense GPT on one rank, without those of a run.
TEST(MegatronFlags, ItsOwnTestsOnOneRank) {
  CompileOptions gpt = parsed(
      {"--megatron-args=--num-layers 12 --hidden-size 512 --num-attention-heads 8 --log-params-norm "
       "--tensorboard-dir ${TENSORBOARD_PATH} --micro-batch-size 4 --global-batch-size 32 --seq-length 1024 "
       "--max-position-embeddings 1024 --timing-log-level 0 --vocab-file ${DATA_PATH}/vocab.json --merge-file "
       "${DATA_PATH}/merges.txt --transformer-impl transformer_engine --tensor-model-parallel-size 1 "
       "--pipeline-model-parallel-size 1 --use-distributed-optimizer --overlap-grad-reduce --overlap-param-gather "
       "--no-mmap-bin-files --deterministic-mode --no-gradient-accumulation-fusion --attention-softmax-in-fp32 "
       "--use-mcore-models --ckpt-format torch_dist --dist-ckpt-strictness log_all --bf16 --attention-backend unfused",
       "--vocab-size", "50257"});
  EXPECT_EQ(gpt.model.type, "gpt2");
  EXPECT_TRUE(hasNote(gpt.notes, "--use-distributed-optimizer"));
  CompileOptions llama = parsed(
      {"--megatron-args=--rotary-base 500 --finetune --seed 1 --override-opt_param-scheduler --no-load-optim "
       "--recompute-num-layers 1 --deterministic-mode --bf16 "
       "--manual-gc --use-mcore-models --sequence-parallel --untie-embeddings-and-output-weights "
       "--position-embedding-type rope --rotary-percent 1.0 --max-position-embeddings 4096 --num-layers 32 "
       "--hidden-size 3072 --ffn-hidden-size 8192 --num-attention-heads 32 --num-query-groups 8 --seq-length 512 "
       "--kv-channels 128 --group-query-attention --normalization RMSNorm --swiglu --attention-dropout 0.0 "
       "--hidden-dropout 0.0 --no-create-attention-mask-in-dataloader --disable-bias-linear "
       "--use-distributed-optimizer",
       "--vocab-size", "131072"});
  EXPECT_EQ(llama.model.type, "llama");
  EXPECT_EQ(llama.model.getQuerySize(), 4096);
  EXPECT_EQ(llama.model.rope.theta, 500.0);
  for (const char *flag : {"--fp16", "--fim-data", "--use-mup", "--use-torch-fsdp2"})
    EXPECT_HOLDS(failureOfMegatron(flag).message, std::string(flag) + " is refused: ");
}
