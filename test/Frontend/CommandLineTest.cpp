//===- CommandLineTest.cpp - Flags, their classes and their order -------------------------------------------------===//

#include "FrontendTest.h"

#include "tx/Frontend/Flags.h"
#include "tx/Frontend/Help.h"
#include "tx/Frontend/Presets.h"

using namespace tx;

TEST(CommandLine, FlagsAloneDescribeAModel) {
  CompileOptions options = parsed({"--num-layers", "2", "--hidden-size=64", "--num-attention-heads", "4",
                                   "--vocab-size", "256", "--seq-length", "32", "-o", "step.txa"});
  EXPECT_EQ(options.model.numLayers, 2);
  EXPECT_EQ(options.model.ffnHiddenSize, 256);
  EXPECT_EQ(options.model.maxPositionEmbeddings, 32);
  EXPECT_EQ(options.model.attentionDropout, 0.1);
  EXPECT_EQ(options.output.artifactFile, "step.txa");
}

TEST(CommandLine, FlagsOverrideThePresetWhereverTheyStand) {
  for (const CompileOptions &options : {parsed({"--num-layers", "3", "gpt2-124m", "--bf16"}),
                                        parsed({"gpt2-124m", "--bf16", "--num-layers", "5", "--num-layers=3"})}) {
    EXPECT_EQ(options.model.numLayers, 3);
    EXPECT_EQ(options.model.hiddenSize, 768);
    EXPECT_EQ(options.model.dtype, DType::BF16);
  }
  // The default of one size follows the other.
  EXPECT_EQ(parsed({"gpt2-124m", "--hidden-size", "96"}).model.ffnHiddenSize, 384);
}

TEST(CommandLine, ListsTakeCommasAndSpaces) {
  using List = std::vector<std::string>;
  List expected = {"core_attn", "mlp", "layernorm"};
  EXPECT_EQ(parsed({"gpt2-124m", "--recompute-modules", "core_attn", "mlp", "layernorm"}).recompute.modules, expected);
  EXPECT_EQ(parsed({"gpt2-124m", "--recompute-modules=core_attn,mlp,layernorm"}).recompute.modules, expected);
  EXPECT_EQ(parsed({"gpt2-124m", "--recompute-modules", "core_attn, mlp", "layernorm", "--bf16"}).recompute.modules,
            expected);
  // -- ends a list, so that the input can follow.
  CompileOptions options = parsed({"--recompute-layers", "0,2-5", "--", "gpt2-124m"});
  EXPECT_EQ(options.recompute.layers, (List{"0", "2-5"}));
  EXPECT_EQ(options.input, "gpt2-124m");
  // The control run of a sweep has no module.
  EXPECT_EQ(parsed({"gpt2-124m", "--recompute-modules"}).recompute.modules, List{});
  EXPECT_EQ(parsed({"gpt2-124m"}).recompute.modules, std::nullopt);
}

TEST(CommandLine, HiddenDropoutCoversTheEmbedding) {
  ModelConfig model = parsed({"gpt2-124m", "--hidden-dropout", "0.25", "--attention-dropout", "0"}).model;
  EXPECT_EQ(model.hiddenDropout, 0.25);
  EXPECT_EQ(model.embeddingDropout, 0.25);
  EXPECT_EQ(model.attentionDropout, 0.0);
}

TEST(CommandLine, UnknownFlagsNameTheNearest) {
  Failure failure = failureOf({"gpt2-124m", "--num-layer", "2"});
  EXPECT_EQ(failure.exitCode, 2);
  EXPECT_EQ(failure.message, "unknown flag '--num-layer'; the nearest that is known is --num-layers");
  EXPECT_EQ(failureOf({"--zzzzzzzzzz"}).message, "unknown flag '--zzzzzzzzzz'; see tx-compile --help");
}

TEST(CommandLine, ValuesThatAreMissingOrTooMany) {
  EXPECT_EQ(failureOf({"--num-layers"}).message, "--num-layers needs a value: --num-layers N");
  EXPECT_EQ(failureOf({"--num-layers", "--bf16"}).message, "--num-layers needs a value: --num-layers N");
  EXPECT_EQ(failureOf({"--bf16=1"}).message, "--bf16 takes no value, found '1'");
  EXPECT_EQ(failureOf({"gpt2-124m", "--num-layers", "many"}).message,
            "--num-layers takes a whole number, found 'many'");
  for (const char *number : {"nan", "inf", "0x1p4", "1e400", ""})
    EXPECT_EQ(failureOf({"gpt2-124m", "--weight-decay", number}).exitCode, 2) << number;
  EXPECT_EQ(failureOf({"gpt2-124m", "gpt2-355m"}).message, "one input at a time: found 'gpt2-355m' after 'gpt2-124m'");
  EXPECT_EQ(failureOf({"gpt2-124m", "--weight-decay", "nan"}).message, "--weight-decay takes a number, found 'nan'");
  EXPECT_EQ(failureOf({"gpt2-124m", "-o", ""}).message, "-o takes FILE.txa, found nothing");
  EXPECT_EQ(failureOf({""}).message, "the input's name is empty");
  EXPECT_EQ(failureOf({"--megatron-args", "--megatron-args --bf16"}).message,
            "--megatron-args holds another --megatron-args");
  EXPECT_EQ(failureOf({}).message,
            "nothing to compile: give a preset, a config.json, a .mlir file or flags; see tx-compile --help");
  EXPECT_EQ(failureOf({}).exitCode, 2);
  EXPECT_EQ(failureOf({"--num-layers", "2"}).message,
            "--hidden-size is missing: give it, or start from a config.json or a preset such as gpt2-124m");
}

TEST(CommandLine, ANegativeNumberIsAValue) {
  EXPECT_EQ(failureOf({"gpt2-124m", "--seed", "-3"}).message, "--seed is -3; it must be at least 0");
  EXPECT_EQ(failureOf({"gpt2-124m", "--weight-decay", "-0.5"}).message,
            "--weight-decay is -0.5; it must be at least 0");
}

TEST(CommandLine, ContradictionsNameBothFlags) {
  Failure failure = failureOf({"gpt2-124m", "--bf16", "--num-layers", "2", "--fp32"});
  EXPECT_EQ(failure.exitCode, 2);
  EXPECT_EQ(failure.message, "--bf16 and --fp32 contradict each other; give one of them");
  EXPECT_EQ(failureOf({"gpt2-124m", "--fp32", "--megatron-args", "--bf16"}).message,
            "--fp32 and --bf16 contradict each other; give one of them");
  EXPECT_EQ(failureOf({"gpt2-124m", "--use-flash-attn", "--attention-backend", "unfused"}).message,
            "--use-flash-attn and --attention-backend unfused contradict each other; give one of them");
  // Said twice, and overridden.
  EXPECT_EQ(parsed({"gpt2-124m", "--bf16", "--bf16", "--num-layers", "2", "--num-layers", "3"}).model.numLayers, 3);
  EXPECT_EQ(parsed({"gpt2-124m", "--attention-backend", "auto", "--use-flash-attn"}).model.attentionBackend,
            AttentionBackend::Flash);
}

TEST(CommandLine, WhatChangesTheModelIsRefusedByName) {
  struct {
    std::vector<llvm::StringRef> flags;
    const char *words;
  } cases[] = {
      {{"--geglu"}, "--geglu is refused: the MLP is GELU (tanh form), or SwiGLU"},
      {{"--tensor-model-parallel-size", "8"}, "--tensor-model-parallel-size 8 is refused: a step runs on one device"},
      {{"--fp8-format", "hybrid"}, "--fp8-format hybrid is refused"},
      {{"--num-experts", "8"}, "mixture of experts is not there yet"},
      {{"--normalization", "L2Norm"}, "--normalization L2Norm is refused"},
      {{"--position-embedding-type", "mrope"}, "--position-embedding-type mrope is refused"},
      {{"--no-position-embedding"}, "--no-position-embedding is refused with learned_absolute positions"},
      {{"--qk-layernorm"}, "--qk-layernorm is refused with LayerNorm"},
      {{"--apply-layernorm-1p"}, "--apply-layernorm-1p is refused with LayerNorm"},
      {{"--attention-backend", "flash", "--num-attention-heads", "2"},
       "--attention-backend flash is refused: heads are 384 wide, and flash attention takes at most 256"},
      {{"--use-flash-attn", "--num-attention-heads", "2"},
       "--use-flash-attn is refused: heads are 384 wide, and flash attention takes at most 256; leave it out"},
      {{"--use-kitchen-attention"}, "--use-kitchen-attention is refused: Tx has a flash attention of its own"},
      {{"--optimizer", "sgd"}, "--optimizer sgd is refused"},
      {{"--no-bias-gelu-fusion"}, "erf"},
      {{"--fp16"}, "--fp16 is refused"},
  };
  for (auto &[flags, words] : cases) {
    flags.insert(flags.begin(), "gpt2-124m");
    Failure failure = failureOf(flags);
    EXPECT_EQ(failure.exitCode, 1);
    EXPECT_HOLDS(failure.message, words);
  }
}

TEST(CommandLine, ARefusedFlagPassesWithWhatTxDoesAnyway) {
  parsed({"gpt2-124m", "--tensor-model-parallel-size", "1", "--pipeline-model-parallel-size=1", "--rotary-percent", "1",
          "--optimizer", "adam", "--normalization", "LayerNorm", "--kv-channels", "64", "--no-bias-gelu-fusion",
          "--openai-gelu", "--attention-backend", "unfused"});
}

TEST(CommandLine, TheAttentionBackendIsFlashUnlessAskedFor) {
  auto backendOf = [](std::vector<llvm::StringRef> flags) {
    flags.insert(flags.begin(), "gpt2-124m");
    return parsed(flags).model.attentionBackend;
  };
  EXPECT_EQ(backendOf({}), AttentionBackend::Flash);
  EXPECT_EQ(backendOf({"--attention-backend", "local"}), AttentionBackend::Unfused);
  EXPECT_EQ(backendOf({"--attention-backend", "flash"}), AttentionBackend::Flash);
  EXPECT_EQ(backendOf({"--use-flash-attn"}), AttentionBackend::Flash);
  EXPECT_EQ(failureOf({"gpt2-124m", "--attention-backend", "flesh"}).message,
            "--attention-backend takes auto, flash, fused or unfused, found 'flesh'");
  EXPECT_EQ(failureOf({"gpt2-124m", "--attention-backend", "flesh"}).exitCode, 2);
}

// Flash is the op; who computes it is the target's affair.
TEST(CommandLine, FusedAttentionIsFlashByCudnn) {
  auto librariesOf = [](std::vector<llvm::StringRef> flags) {
    flags.insert(flags.begin(), {"gpt2-124m", "--target", "cuda:sm_90"});
    CompileOptions options = parsed(flags);
    EXPECT_EQ(options.model.attentionBackend, AttentionBackend::Flash);
    return options.libraries;
  };
  EXPECT_EQ(librariesOf({}).attention, AttentionBackend::Auto);
  EXPECT_EQ(librariesOf({"--attention-backend", "fused"}).attention, AttentionBackend::Fused);
  EXPECT_EQ(librariesOf({"--use-flash-attn"}).attention, AttentionBackend::Flash);
  EXPECT_TRUE(librariesOf({}).deterministicAttention);
  EXPECT_FALSE(librariesOf({"--allow-nondeterministic-attention"}).deterministicAttention);
  EXPECT_HOLDS(
      failureOf({"gpt2-124m", "--target", "cuda:sm_90", "--attention-backend", "fused", "--num-attention-heads", "2"})
          .message,
      "--attention-backend fused is refused: heads are 384 wide");
}

TEST(CommandLine, AutoTakesFlashAttentionWhereItCan) {
  CompileOptions flash = parsed({"gpt2-124m", "--attention-backend", "auto"});
  EXPECT_EQ(flash.model.attentionBackend, AttentionBackend::Flash);
  EXPECT_FALSE(hasNote(flash.notes, "--attention-backend"));
  CompileOptions unfused = parsed({"gpt2-124m", "--attention-backend", "auto", "--num-attention-heads", "2"});
  EXPECT_EQ(unfused.model.attentionBackend, AttentionBackend::Unfused);
  EXPECT_TRUE(hasNote(unfused.notes, "attention is unfused, not flash: heads are 384 wide"));
}

// Any flag that is refused with any value must say its own name.
TEST(CommandLine, EveryRefusalNamesItsFlag) {
  for (const Flag &flag : getFlags()) {
    if (flag.flagClass != FlagClass::Refused)
      continue;
    std::vector<llvm::StringRef> arguments = {"gpt2-124m", flag.name};
    if (flag.arity != FlagArity::Switch)
      arguments.push_back("987");
    Failure failure = failureOf(arguments);
    EXPECT_EQ(failure.exitCode, 1) << flag.name.str();
    EXPECT_EQ(failure.message.find(flag.name.str() + " "), 0u) << failure.message;
    EXPECT_EQ(failure.message.find('\n'), std::string::npos);
  }
}

TEST(CommandLine, HarmlessFlagsAreListedOnce) {
  CompileOptions options =
      parsed({"gpt2-124m", "--wandb-save-dir", "x", "--log-interval", "1", "--lr", "1e-3", "--wandb-save-dir", "y",
              "--data-path", "0.5", "a", "0.5", "b", "--distributed-backend=nccl"});
  ASSERT_EQ(options.notes.size(), 2u);
  EXPECT_EQ(options.notes[0],
            "ignored here, a run decides these (tx-run --help says which it has): --log-interval --lr --data-path");
  EXPECT_EQ(options.notes[1], "ignored, these change nothing here: --wandb-save-dir --distributed-backend");
}

TEST(CommandLine, AWholeMegatronCommandLine) {
  CompileOptions options = parsed({"--megatron-args=torchrun --nproc_per_node 1 pretrain_gpt.py \\\n"
                                   "  --num-layers 12 --hidden-size 768 --num-attention-heads 12 \\\n"
                                   "  --seq-length 1024 --max-position-embeddings 1024 --micro-batch-size 4 \\\n"
                                   "  --vocab-size 50257 --make-vocab-size-divisible-by 128 --bf16 \\\n"
                                   "  --data-path 'my data' --split 969,30,1 --lr 0.00015 --clip-grad 0.5 \\\n"
                                   "  --recompute-granularity full --recompute-method uniform",
                                   "--num-layers", "2"});
  EXPECT_EQ(options.model.numLayers, 2); // later flags win
  EXPECT_EQ(options.model.vocabSize, 50304);
  EXPECT_EQ(options.optimizer.clipGrad, 0.5);
  EXPECT_EQ(options.recompute.granularity, "full");
  EXPECT_EQ(options.recompute.method, "uniform");
  EXPECT_TRUE(hasNote(options.notes, "up to the script: torchrun --nproc_per_node 1 pretrain_gpt.py"));

  EXPECT_TRUE(hasNote(parsed({"gpt2-124m", "--megatron-args=--bf16"}).notes, "the vocabulary stays at 50257"));
  EXPECT_HOLDS(failureOf({"--megatron-args", "${GPT_ARGS[@]}"}).message, "only a shell can expand");
  EXPECT_HOLDS(failureOf({"--megatron-args", "--bf16 word"}).message, "takes flags, found 'word'");
}

TEST(CommandLine, TheLastOfRepeatedValuesCounts) {
  CompileOptions options = parsed({"gpt2-124m", "--seed", "1", "--micro-batch-size", "2", "--seed=5",
                                   "--tensor-model-parallel-size", "4", "--tensor-model-parallel-size", "1"});
  EXPECT_EQ(options.model.seed, 5);
  ASSERT_EQ(options.notes.size(), 2u);
  EXPECT_EQ(options.notes[0], "--seed is given 2 times, with 1 and 5: the last one counts");
  EXPECT_EQ(options.notes[1], "--tensor-model-parallel-size is given 2 times, with 4 and 1: the last one counts");
  EXPECT_TRUE(parsed({"gpt2-124m", "--seed", "1", "--bf16", "--seed", "1", "--bf16"}).notes.empty());
}

// Variables of the script that a command line was copied from.
TEST(CommandLine, VariablesMatterWhereTheFlagDoes) {
  EXPECT_TRUE(hasNote(
      parsed({"gpt2-124m", "--megatron-args", "--wandb-save-dir ${DIR}/log --data-path $A ${B} --lr=${LR} --fp32"})
          .notes,
      "--wandb-save-dir"));
  EXPECT_HOLDS(failureOf({"gpt2-124m", "--megatron-args", "--seed ${SEED}"}).message,
               "holds '${SEED}', which only a shell can expand");
  EXPECT_HOLDS(failureOf({"gpt2-124m", "--megatron-args", "--swiglu ${MORE}"}).message, "only a shell can expand");
  EXPECT_HOLDS(failureOf({"gpt2-124m", "--megatron-args", "--${FLAG}=3"}).message, "only a shell can expand");
}

// A LLaMA script must never become a GELU GPT.
TEST(CommandLine, ALlamaScriptIsALlama) {
  CompileOptions options =
      parsed({"--megatron-args=--num-layers 32 --hidden-size 4096 --ffn-hidden-size 11008 --num-attention-heads 32 "
              "--seq-length 4096 --max-position-embeddings 4096 --swiglu --disable-bias-linear --normalization RMSNorm "
              "--position-embedding-type rope --no-position-embedding --untie-embeddings-and-output-weights "
              "--vocab-size 32000 --norm-epsilon 1e-5 --hidden-dropout 0 --attention-dropout 0"});
  EXPECT_EQ(options.model.type, "llama");
  EXPECT_EQ(options.model.countParameters(), 6'738'415'616);
}

TEST(CommandLine, FlagsFindTheFamilyWhoseFormTheyDescribe) {
  auto typeOf = [](llvm::StringRef flags) {
    std::string arguments = ("--megatron-args=--num-layers 2 --hidden-size 64 --num-attention-heads 4 --vocab-size 64 "
                             "--seq-length 8 " +
                             flags)
                                .str();
    CompileOptions options = parsed({arguments});
    return options.model.type + (hasNote(options.notes, "no class of Hugging Face has this form") ? "?" : "");
  };
  std::string llama = "--swiglu --normalization RMSNorm --position-embedding-type rope ";
  EXPECT_EQ(typeOf(""), "gpt2");
  EXPECT_EQ(typeOf("--disable-bias-linear"), "?");
  EXPECT_EQ(typeOf(llama + "--disable-bias-linear"), "llama");
  EXPECT_EQ(typeOf(llama), "llama"); // attention_bias and mlp_bias
  EXPECT_EQ(typeOf(llama + "--disable-bias-linear --add-qkv-bias"), "qwen2");
  EXPECT_EQ(typeOf(llama + "--disable-bias-linear --qk-layernorm --kv-channels 32"), "qwen3");
  EXPECT_EQ(typeOf(llama + "--disable-bias-linear --rotary-interleaved"), "?");
  EXPECT_EQ(typeOf(llama + "--disable-bias-linear --rotary-percent 0.5"), "?");
  EXPECT_EQ(typeOf("--swiglu"), "?");
  EXPECT_EQ(typeOf("--use-rotary-position-embeddings"), "?");
  EXPECT_TRUE(hasNote(parsed({"llama3-8b", "--add-qkv-bias"}).notes, "of the family qwen2, no longer of llama"));
  EXPECT_TRUE(parsed({"llama3-8b", "--num-layers", "2"}).notes.empty());
}

// Megatron counts --num-query-groups beside --group-query-attention alone, and has 1 of them by default.
TEST(CommandLine, GroupsOfQueries) {
  auto groupsOf = [](std::vector<llvm::StringRef> flags) { return parsed(std::move(flags)).model.numKeyValueHeads; };
  EXPECT_EQ(groupsOf({"gpt2-124m"}), 12);
  EXPECT_EQ(groupsOf({"gpt2-124m", "--num-query-groups", "1"}), 12);
  EXPECT_EQ(groupsOf({"gpt2-124m", "--group-query-attention", "--num-query-groups", "4"}), 4);
  EXPECT_EQ(groupsOf({"llama3-8b"}), 8);
  EXPECT_EQ(groupsOf({"llama3-8b", "--group-query-attention"}), 8);
  EXPECT_EQ(groupsOf({"llama3-8b", "--num-query-groups", "1"}), 1);
  std::string alone = "--megatron-args=--num-layers 2 --hidden-size 64 --num-attention-heads 4 --vocab-size 64 "
                      "--seq-length 8 ";
  std::string one = alone + "--group-query-attention", two = one + " --num-query-groups 2";
  EXPECT_EQ(groupsOf({one}), 1);
  EXPECT_EQ(groupsOf({two}), 2);
  std::string without = alone + "--num-query-groups 2", none = alone + "--num-query-groups 1";
  std::string all = alone + "--num-query-groups 4";
  EXPECT_EQ(groupsOf({all}), 4);
  EXPECT_EQ(failureOf({without}).message, "--num-query-groups 2 needs --group-query-attention, as in Megatron; add it");
  EXPECT_EQ(groupsOf({none}), 4);
  EXPECT_HOLDS(failureOf({"llama3-8b", "--num-query-groups", "5"}).message,
               "--num-query-groups (num_key_value_heads) is 5, which does not divide --num-attention-heads "
               "(num_attention_heads) 32; 4 or 8 would");
}

TEST(CommandLine, FlagsOfRotaryPositions) {
  auto ropeOf = [](std::vector<llvm::StringRef> flags) {
    flags.insert(flags.begin(), {"llama3-8b", "--seq-length", "64"});
    return parsed(flags).model.rope;
  };
  EXPECT_EQ(ropeOf({}).theta, 500000.0);
  EXPECT_EQ(ropeOf({"--rotary-base", "10000"}).theta, 10000.0);
  EXPECT_EQ(ropeOf({"--rotary-percent", "0.5"}).percent, 0.5);
  EXPECT_TRUE(ropeOf({"--rotary-interleaved"}).interleaved);
  RopeConfig scaled = ropeOf({"--use-rope-scaling"}),
             further = ropeOf({"--use-rope-scaling", "--rope-scaling-factor", "32"});
  EXPECT_EQ(scaled.scaling, RopeScaling::Llama3);
  EXPECT_EQ(scaled.factor, 8.0);
  EXPECT_EQ(scaled.originalPositions, 8192);
  EXPECT_EQ(further.factor, 32.0);
  EXPECT_EQ(ropeOf({"--rotary-seq-len-interpolation-factor", "4"}).scaling, RopeScaling::Linear);
  EXPECT_HOLDS(failureOf({"llama3-8b", "--use-rope-scaling", "--rotary-seq-len-interpolation-factor", "4"}).message,
               "two scalings of rotary positions");
  EXPECT_HOLDS(failureOf({"llama3-8b", "--rotary-percent", "0"}).message, "--rotary-percent is 0; it must be above 0");
  EXPECT_HOLDS(failureOf({"llama3-8b", "--kv-channels", "33"}).message, "an even number would work");
  EXPECT_HOLDS(failureOf({"llama3-8b", "--rotary-base", "1"}).message,
               "--rotary-base (rope_theta) is 1; it must be above 1");
  EXPECT_TRUE(hasNote(parsed({"gpt2-124m", "--rotary-base", "500000"}).notes, "have no use for --rotary-base"));
  EXPECT_TRUE(hasNote(parsed({"llama3-8b", "--rope-scaling-factor", "4"}).notes, "has no effect without"));
  EXPECT_EQ(parsed({"llama3.2-1b", "--rope-scaling-factor", "4"}).model.rope.factor, 4.0);
  EXPECT_TRUE(hasNote(parsed({"llama2-7b", "--seq-length", "8192"}).notes, "rotary positions go on"));
}

// Megatron rounds two thirds of 4 x hidden size down to a multiple of 64.
TEST(CommandLine, SwigluChangesTheDefaultWidth) {
  EXPECT_EQ(parsed({"gpt2-124m", "--swiglu"}).model.ffnHiddenSize, 2048);
  EXPECT_EQ(parsed({"llama2-7b", "--hidden-size", "2048"}).model.ffnHiddenSize, 11008);
}

TEST(CommandLine, AFamilysDefaultsWinOverMegatronsAndFlagsOverBoth) {
  EXPECT_EQ(parsed({"llama2-7b"}).model.hiddenDropout, 0.0);
  EXPECT_EQ(parsed({"llama2-7b", "--hidden-dropout", "0.1"}).model.hiddenDropout, 0.1);
  EXPECT_EQ(parsed({"llama2-7b", "--attention-dropout", "0.1"}).model.attentionDropout, 0.1);
}

// What divides work among data-parallel ranks changes nothing for one of them.
TEST(CommandLine, FlagsThatDivideWorkAmongRanks) {
  CompileOptions options = parsed({"gpt2-124m", "--use-distributed-optimizer", "--overlap-param-gather",
                                   "--overlap-grad-reduce", "--sequence-parallel"});
  EXPECT_TRUE(hasNote(options.notes, "ignored, these change nothing here: --use-distributed-optimizer "
                                     "--overlap-param-gather --overlap-grad-reduce --sequence-parallel"));
  EXPECT_HOLDS(failureOf({"gpt2-124m", "--data-parallel-size", "2", "--use-distributed-optimizer"}).message,
               "--use-distributed-optimizer is refused: parameters and optimizer state are whole");
  EXPECT_HOLDS(failureOf({"gpt2-124m", "--use-torch-fsdp2"}).message, "--use-torch-fsdp2 is refused");
}

TEST(CommandLine, AModuleTakesNoModelFlags) {
  Failure failure = failureOf({"model.mlir", "--num-layers", "2"});
  EXPECT_EQ(failure.message, "--num-layers describes a model, but the input is one already: model.mlir");
  CompileOptions options = parsed({"model.mlir", "--recompute-activations", "--seed", "7"});
  EXPECT_TRUE(options.inputIsModule);
  EXPECT_TRUE(options.recompute.activations);
  // It does not say how many ranks share its batch, nor who computes its attention.
  EXPECT_EQ(parsed({"model.mlir", "--data-parallel-size", "2"}).parallel.dataParallelSize, 2);
  EXPECT_EQ(parsed({"model.mlir", "--attention-backend", "flash"}).libraries.attention, AttentionBackend::Flash);
  EXPECT_HOLDS(failureOf({"model.mlir", "--attention-backend", "unfused"}).message,
               "--attention-backend unfused is refused: the input has its attention ops already: model.mlir");
}

TEST(CommandLine, InputsThatAreNone) {
  EXPECT_HOLDS(failureOf({"gpt5"}).message, "'gpt5' is neither a preset (gpt2-124m,");
  EXPECT_EQ(failureOf({"gpt5"}).exitCode, 2);
  EXPECT_HOLDS(failureOf({"-"}).message, "-: standard input is not read");
  EXPECT_EQ(failureOf({"-"}).exitCode, 2);
  EXPECT_EQ(failureOf({"/nonexistent/config.json"}).exitCode, 7);
}

TEST(CommandLine, HelpNeedsNothingElse) {
  EXPECT_EQ(parsed({"--help", "--num-layers", "x"}).output.print, OutputOptions::Print::Help);
  EXPECT_EQ(parsed({"nosuch", "-h"}).output.print, OutputOptions::Print::Help);
}

TEST(CommandLine, HelpTeachesEveryFlag) {
  std::string text, page;
  llvm::raw_string_ostream os(text), pageStream(page);
  StageHelp phases[] = {{"model", "one function", true}, {"joint", "forward and backward", true}};
  printHelp(os, phases);
  printMegatronHelp(os);
  printMarkdown(pageStream, phases);
  for (const Flag &flag : getFlags()) {
    EXPECT_HOLDS(text, flag.name.str());
    EXPECT_HOLDS(page, flag.name.str());
    if (flag.flagClass == FlagClass::Modelled) {
      EXPECT_FALSE(flag.text.empty()) << flag.name.str();
    }
  }
  EXPECT_HOLDS(page, "model: one function; joint: forward and backward");
}
