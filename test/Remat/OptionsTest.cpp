//===- OptionsTest.cpp - Each flag, each message ------------------------------------------------------------------===//
//
// The numbers are those of docs/Recompute.md.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Entries.h"

#include <gtest/gtest.h>

using namespace tx;

namespace {
class Options : public testing::Test {
protected:
  plan::Entry model = makeGpt(4);
  RematPolicyOptions options;
  std::vector<RematMessage> messages;

  std::optional<RematPolicy> parse() {
    messages.clear();
    return parseRematPolicy(options, model, messages);
  }
  std::string error() {
    EXPECT_FALSE(parse().has_value());
    EXPECT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages.at(0).severity, RematMessage::Error);
    return messages.at(0).text;
  }
  std::string accepted(RematMessage::Severity severity) {
    EXPECT_TRUE(parse().has_value());
    EXPECT_EQ(messages.size(), 1u);
    EXPECT_EQ(messages.at(0).severity, severity);
    return messages.at(0).text;
  }
  RematPolicy silent() {
    std::optional<RematPolicy> policy = parse();
    EXPECT_TRUE(policy.has_value());
    EXPECT_TRUE(messages.empty()) << messages.front().text;
    return policy.value_or(RematPolicy());
  }
  std::vector<RematMessage> advice() {
    RematPolicy policy = silent();
    adviseOnPlan(model, policy, planRemat(model, policy), messages);
    return messages;
  }
};
} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Megatron's meaning
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(Options, NothingIsNone) { EXPECT_EQ(silent().granularity, RecomputeGranularity::None); }

TEST_F(Options, LiteralNoneIsNotGiven) {
  options.granularity = options.method = options.numLayers = options.modules = "None";
  EXPECT_EQ(silent().granularity, RecomputeGranularity::None);
}

TEST_F(Options, SelectiveDefaultsToCoreAttention) {
  options.granularity = "selective";
  EXPECT_EQ(silent().modules, std::vector<RecomputeModule>{RecomputeModule::CoreAttn});
}

TEST_F(Options, ShorthandIsSelectiveCoreAttention) {
  options.recomputeActivations = true;
  RematPolicy policy = silent();
  EXPECT_EQ(policy.granularity, RecomputeGranularity::Selective);
  EXPECT_EQ(policy.modules, std::vector<RecomputeModule>{RecomputeModule::CoreAttn});
}

TEST_F(Options, ShorthandTakesModules) {
  options.recomputeActivations = true;
  options.modules = "mlp";
  EXPECT_EQ(silent().modules, std::vector<RecomputeModule>{RecomputeModule::Mlp});
}

TEST_F(Options, ListsAreSeparatedByCommaOrSpace) {
  options.granularity = "selective";
  std::vector<RecomputeModule> both = {RecomputeModule::Mlp, RecomputeModule::Layernorm};
  for (const char *list : {"mlp,layernorm", "mlp layernorm", "mlp, layernorm"}) {
    options.modules = list;
    EXPECT_EQ(silent().modules, both);
  }
}

TEST_F(Options, AnEmptyModuleListIsTheControlRun) {
  options.granularity = "selective";
  options.modules = "";
  EXPECT_TRUE(silent().modules.empty());
}

TEST_F(Options, UniformMayLeaveAShorterChunk) {
  options.granularity = "full", options.method = "uniform", options.numLayers = "3";
  EXPECT_EQ(silent().numLayers, 3);
}

//===--------------------------------------------------------------------------------------------------------------===//
// What Megatron refuses
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(Options, SelectiveOverTheFirstLayers) {
  options.granularity = "selective", options.method = "block", options.numLayers = "2";
  RematPolicy policy = silent();
  EXPECT_TRUE(policy.includesLayer(1));
  EXPECT_FALSE(policy.includesLayer(2));
}

TEST_F(Options, SelectiveOverAListOfLayers) {
  options.granularity = "selective", options.layers = "0-1,3";
  RematPolicy policy = silent();
  EXPECT_TRUE(policy.includesLayer(3));
  EXPECT_FALSE(policy.includesLayer(2));
}

TEST_F(Options, FullOverAListOfLayers) {
  options.granularity = "full", options.layers = "3 1";
  EXPECT_EQ(*silent().layers, (std::vector<int>{1, 3}));
}

TEST_F(Options, SaveOnlyNames) {
  options.saveOnly = "mlp.fc1,layers.2.mlp_residual";
  EXPECT_EQ(silent().saveOnly->size(), 2u);
}

TEST(MatchesName, ByComponents) {
  EXPECT_TRUE(matchesName("mlp.fc1", "layers.3.mlp.fc1"));
  EXPECT_TRUE(matchesName("layers.3.mlp.fc1", "layers.3.mlp.fc1"));
  EXPECT_TRUE(matchesName("mlp", "layers.3.mlp.fc1"));
  EXPECT_TRUE(matchesName("layernorm.input", "layers.3.layernorm.input.mean"));
  EXPECT_FALSE(matchesName("layers.2.mlp.fc1", "layers.3.mlp.fc1"));
  EXPECT_FALSE(matchesName("mlp.fc", "layers.3.mlp.fc1"));
  EXPECT_FALSE(matchesName("fc1", "layers.3.mlp.fc1"));
  EXPECT_FALSE(matchesName("layers.3", "layers.31.mlp.fc1"));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Messages
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(Options, D01UnknownGranularity) {
  options.granularity = "ful";
  EXPECT_EQ(error(), "--recompute-granularity 'ful' is unknown; known: none, selective, full, auto");
}

TEST_F(Options, D01UnknownMethod) {
  options.granularity = "full", options.method = "blok";
  EXPECT_EQ(error(), "--recompute-method 'blok' is unknown; known: uniform, block");
}

TEST_F(Options, D02FullWithoutMethod) {
  options.granularity = "full";
  EXPECT_EQ(accepted(RematMessage::Note),
            "--recompute-granularity full without --recompute-method (uniform, block): taken as uniform with "
            "--recompute-num-layers 1");
  EXPECT_EQ(parse()->method, RecomputeMethod::Uniform);
  EXPECT_EQ(parse()->numLayers, 1);
}

TEST_F(Options, D03NumLayersMissing) {
  options.granularity = "full";
  for (const char *method : {"uniform", "block"}) {
    options.method = method;
    EXPECT_EQ(error(),
              std::string("--recompute-method ") + method + " needs --recompute-num-layers; this model allows 1 to 4");
  }
}

TEST_F(Options, D03NumLayersOutOfRange) {
  options.granularity = "full", options.method = "block";
  for (const char *count : {"0", "-1", "5", "99999999999999999999", "two", "1.5", ""}) {
    options.numLayers = count;
    EXPECT_EQ(error(), std::string("--recompute-num-layers '") + count +
                           "' is not a number of layers; this model allows 1 to 4");
  }
}

TEST_F(Options, D04NumLayersWithoutMethod) {
  options.numLayers = "2";
  options.granularity = "full";
  EXPECT_EQ(error(), "--recompute-num-layers 2 needs --recompute-method: uniform, block");
  options.granularity = "selective";
  EXPECT_EQ(error(), "--recompute-num-layers 2 needs --recompute-method: block");
  options.granularity = "none";
  EXPECT_EQ(error(), "--recompute-num-layers 2 needs --recompute-granularity full or selective");
  options.granularity.reset();
  EXPECT_EQ(accepted(RematMessage::Warning),
            "--recompute-num-layers 2 has no effect without --recompute-granularity full or selective: nothing is "
            "recomputed");
  options.layers = "0";
  EXPECT_EQ(error(), "--recompute-num-layers 2 needs --recompute-granularity full or selective");
}

TEST_F(Options, D05UniformOverSelective) {
  options.granularity = "selective", options.method = "uniform", options.numLayers = "2";
  EXPECT_EQ(error(), "--recompute-method uniform means nothing with --recompute-granularity selective, which has no "
                     "chunks; use --recompute-method block with --recompute-num-layers (the first layers), or "
                     "--recompute-layers (any layers)");
}

TEST_F(Options, D06UnknownModule) {
  options.granularity = "selective", options.modules = "moe_layer";
  EXPECT_EQ(error(), "recompute module 'moe_layer' is unknown; known: core_attn, mlp, mlp_act, layernorm, moe, "
                     "shared_experts, moe_act, mla_up_proj, gdn_norm_out, gdp_in_proj, gdp_qkv, mhc, qk_norm");
}

TEST_F(Options, D06DuplicateModule) {
  options.granularity = "selective", options.modules = "mlp,mlp";
  EXPECT_EQ(error(), "recompute module 'mlp' is given twice in --recompute-modules mlp,mlp");
}

TEST_F(Options, D07ModuleThatTheModelHasNot) {
  options.granularity = "selective";
  const char *present = "; present: core_attn, mlp, mlp_act, layernorm";
  const std::pair<const char *, const char *> missing[] = {
      {"moe", "mixture of experts"},          {"shared_experts", "mixture of experts with shared ones"},
      {"moe_act", "mixture of experts"},      {"mla_up_proj", "multi-latent attention"},
      {"gdn_norm_out", "gated delta net"},    {"gdp_in_proj", "gated delta product"},
      {"gdp_qkv", "gated delta product"},     {"mhc", "hyper-connections"},
      {"qk_norm", "norm of queries and keys"}};
  for (auto [module, part] : missing) {
    options.modules = module;
    EXPECT_EQ(error(), std::string("recompute module '") + module + "' names no op in this model, which has no " +
                           part + present);
  }
}

TEST_F(Options, D07DefaultModuleThatTheModelHasNot) {
  EntryWriter writer;
  writer.addOp(Segment::Forward, 0, "mlp.fc1", {}, {1});
  model = writer.entry;
  options.granularity = "selective";
  EXPECT_EQ(error(), "recompute module 'core_attn' names no op in this model, which has no attention; present: mlp");
}

TEST_F(Options, D08ModulesWithFull) {
  options.granularity = "full", options.method = "block", options.numLayers = "1", options.modules = "mlp";
  EXPECT_EQ(accepted(RematMessage::Warning),
            "--recompute-modules mlp has no effect with --recompute-granularity full, which recomputes whole layers; "
            "for these modules alone use --recompute-granularity selective");
}

TEST_F(Options, D09ShorthandBesideFull) {
  options.granularity = "full", options.recomputeActivations = true;
  EXPECT_EQ(error(), "--recompute-activations means --recompute-granularity selective, but --recompute-granularity "
                     "full is given too; leave out one of them");
}

TEST_F(Options, D10ModuleThatFreesNothing) {
  // A fused attention: what its backward uses is the region's output.
  EntryWriter writer;
  int q = writer.addOp(Segment::Forward, 0, "self_attention.qkv", {}, {3})[0];
  int context = writer.addOp(Segment::Forward, 0, "self_attention.core_attn", {q}, {1})[0];
  writer.addOp(Segment::Forward, 0, "self_attention.proj", {context}, {1});
  writer.addOp(Segment::Backward, 0, "self_attention.core_attn", {q, context}, {1});
  model = writer.entry;
  options.granularity = "selective";
  ASSERT_EQ(advice().size(), 1u);
  EXPECT_EQ(messages[0].severity, RematMessage::Warning);
  EXPECT_EQ(messages[0].text,
            "recompute module 'core_attn' frees 0 bytes: 4 are saved with it, 4 without; leave it out");
}

// Flash attention: its output stays, its log-sum-exp is a result too.
TEST_F(Options, D10ModuleThatFreesLittle) {
  options.granularity = "selective";
  for (int64_t bytes : {9, 10}) {
    EntryWriter writer;
    int q = writer.addOp(Segment::Forward, 0, "self_attention.qkv", {}, {990 - bytes})[0];
    std::vector<int> core = writer.addOp(Segment::Forward, 0, "self_attention.core_attn", {q}, {10, bytes});
    writer.entry.ops.back().matrixFlops = 77;
    writer.addOp(Segment::Forward, 0, "self_attention.proj", {core[0]}, {1});
    writer.addOp(Segment::Backward, 0, "self_attention.core_attn", {q, core[0], core[1]}, {1});
    // What other layers save does not count.
    int other = writer.addOp(Segment::Forward, 1, "mlp.fc1", {}, {100000})[0];
    writer.addOp(Segment::Backward, 1, "mlp.fc1", {other}, {1});
    model = writer.entry;
    options.layers = "0";
    messages.clear();
    if (bytes == 10) { // one in a hundred
      EXPECT_TRUE(advice().empty());
      continue;
    }
    ASSERT_EQ(advice().size(), 1u);
    EXPECT_EQ(messages[0].severity, RematMessage::Warning);
    EXPECT_EQ(messages[0].text, "recompute module 'core_attn' frees little: 9 of the 1000 bytes that its layers save, "
                                "for 77 FLOPs computed again; leave it out");
  }
}

// What to take instead: modules that free something and repeat no product.
TEST_F(Options, D10ProposesCheapModules) {
  EntryWriter writer;
  int norm = writer.addOp(Segment::Forward, 0, "layernorm.input", {}, {50})[0];
  int q = writer.addOp(Segment::Forward, 0, "self_attention.qkv", {norm}, {300})[0];
  int context = writer.addOp(Segment::Forward, 0, "self_attention.core_attn", {q}, {100})[0];
  int fc1 = writer.addOp(Segment::Forward, 0, "mlp.fc1", {context}, {400})[0];
  int act = writer.addOp(Segment::Forward, 0, "mlp.mlp_act", {fc1}, {400})[0];
  writer.addOp(Segment::Backward, 0, "mlp.mlp_act", {fc1, act, context, q, norm}, {1});
  model = writer.entry;
  for (plan::Op &op : model.ops)
    op.matrixFlops = op.path.back() == "fc1" || op.path.back() == "qkv";
  options.granularity = "selective";
  ASSERT_EQ(advice().size(), 1u);
  std::string text = messages[0].text;
  EXPECT_NE(text.find("'core_attn' frees 0 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("; leave it out, or take mlp_act,layernorm, which free more and repeat no product"),
            std::string::npos)
      << text;
}

TEST_F(Options, D10PolicyThatFreesNothing) {
  options.saveOnly = "layernorm self_attention mlp mlp_residual";
  ASSERT_EQ(advice().size(), 1u);
  EXPECT_EQ(messages[0].severity, RematMessage::Warning);
  EXPECT_NE(messages[0].text.find("this recompute policy frees 0 bytes"), std::string::npos);
}

TEST_F(Options, D11RaisedPeak) {
  EXPECT_FALSE(warnIfPeakRises(100, 100).has_value());
  std::optional<RematMessage> message = warnIfPeakRises(101, 100);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->severity, RematMessage::Warning);
  EXPECT_EQ(message->text, "this recompute policy raises the peak: 101 bytes, 100 without recompute; use "
                           "--recompute-granularity none");
}

TEST_F(Options, D12LayerOutOfRange) {
  options.granularity = "full";
  for (const char *list : {"4", "2-4", "1,3-9"}) {
    options.layers = list;
    EXPECT_NE(error().find("is out of range; this model has layers 0-3"), std::string::npos);
  }
}

TEST_F(Options, D12LayersWithGaps) {
  model.layers = {5, 6, 9};
  options.granularity = "full";
  for (const char *list : {"4", "5-9", "7", "0", "10"}) {
    options.layers = list;
    EXPECT_NE(error().find("is out of range; this model has layers 5-6,9"), std::string::npos) << list;
  }
  options.layers = "";
  EXPECT_EQ(error(), "--recompute-layers names no layer; this model has layers 5-6,9");
}

TEST_F(Options, D12OverlappingLayers) {
  options.granularity = "full";
  for (const char *list : {"1,1", "0-2,2", "0-2,1-3"}) {
    options.layers = list;
    EXPECT_NE(error().find(" twice"), std::string::npos);
  }
}

TEST_F(Options, D12MalformedLayers) {
  options.granularity = "full";
  for (const char *list : {"a", "3-1", "-1", "1-", "1-2-3", "1..2", "99999999999"}) {
    options.layers = list;
    EXPECT_EQ(error(),
              std::string("--recompute-layers '") + list + "' is neither a layer nor a range of layers, as in 0-3,7");
  }
  options.layers = "";
  EXPECT_EQ(error(), "--recompute-layers names no layer; this model has layers 0-3");
}

TEST_F(Options, D12LayersBesideMethod) {
  options.granularity = "full", options.layers = "1", options.method = "block", options.numLayers = "1";
  EXPECT_EQ(error(), "--recompute-layers says which layers take part, and so does --recompute-method block; leave out "
                     "one of them");
}

TEST_F(Options, D13NameThatMatchesNothing) {
  options.saveOnly = "mlp.fc3";
  EXPECT_EQ(error().find("--recompute-save-only 'mlp.fc3' names no value of this model; near: mlp.fc1, mlp.fc2"), 0u);
  options.saveOnly = "fc2";
  EXPECT_EQ(error().find("--recompute-save-only 'fc2' names no value of this model; near: mlp.fc2"), 0u);
  options.saveOnly = "layers.9.mlp.fc1";
  EXPECT_EQ(error(), "--recompute-save-only 'layers.9.mlp.fc1' names no value of this model; its layers are 0-3");
}

TEST_F(Options, D14NestedModule) {
  options.granularity = "selective", options.modules = "mlp,mlp_act";
  ASSERT_EQ(advice().size(), 1u);
  EXPECT_EQ(messages[0].severity, RematMessage::Note);
  EXPECT_EQ(messages[0].text, "recompute module 'mlp_act' is part of 'mlp' and runs once, with it; it can be left out");
}

TEST_F(Options, BytesAsPeopleWriteThem) {
  EXPECT_EQ(parseBytes("17179869184"), 17179869184);
  EXPECT_EQ(parseBytes("9007199254740993"), 9007199254740993) << "more digits than a double has";
  EXPECT_EQ(parseBytes("16GiB"), int64_t(16) << 30);
  EXPECT_EQ(parseBytes("0.5 MiB"), 1 << 19);
  EXPECT_EQ(parseBytes("500MB"), 500000000);
  EXPECT_EQ(parseBytes("2tb"), 2000000000000);
  EXPECT_EQ(parseBytes("1.5e9"), 1500000000);
  for (const char *text : {"", "GiB", "much", "-1", "16 GiB of it", "1e99", "16GiBs"})
    EXPECT_EQ(parseBytes(text), std::nullopt) << text;
}

TEST_F(Options, D19BudgetThatIsNoNumber) {
  options.granularity = "auto";
  for (const char *text : {"much", "0", "-5GiB"}) {
    options.memoryBudget = text;
    EXPECT_TRUE(
        llvm::StringRef(error()).starts_with("--memory-budget '" + std::string(text) + "' is neither a number"));
  }
}

TEST_F(Options, D19BudgetWithoutAuto) {
  options.memoryBudget = "16GiB";
  EXPECT_EQ(error(), "--memory-budget 16GiB needs --recompute-granularity auto");
}

TEST_F(Options, D20AutoBesideOtherFlags) {
  options.granularity = "auto", options.memoryBudget = "16GiB";
  EXPECT_EQ(silent().memoryBudget, int64_t(16) << 30);
  options.modules = "mlp";
  EXPECT_EQ(error(), "--recompute-granularity auto decides about each value by itself; leave out --recompute-modules");
  options.modules.reset(), options.layers = "0";
  EXPECT_EQ(error(), "--recompute-granularity auto decides about each value by itself; leave out --recompute-layers");
}

TEST_F(Options, D21AutoOfAnEntryAlone) {
  options.granularity = "auto", options.memoryBudget = "16GiB";
  EXPECT_EQ(planRemat(model, silent()).refusal, "needs a whole step and a device");
}

TEST_F(Options, D25PolicyThatNobodyRegisters) {
  options.policy = "mine:5";
  EXPECT_TRUE(llvm::StringRef(error()).starts_with("--recompute-policy 'mine' is registered by no plug-in; "));
}

TEST_F(Options, FlagsWithoutGranularity) {
  options.method = "uniform";
  EXPECT_EQ(error(), "--recompute-method uniform needs --recompute-granularity full");
  options.method = "block";
  EXPECT_EQ(error(), "--recompute-method block needs --recompute-granularity full or selective");
  options.method.reset(), options.modules = "mlp";
  EXPECT_EQ(error(), "--recompute-modules mlp needs --recompute-granularity selective");
  options.modules.reset(), options.layers = "0";
  EXPECT_EQ(error(), "--recompute-layers 0 needs --recompute-granularity full or selective");
}

TEST_F(Options, SaveOnlyBesideAnotherPolicy) {
  options.saveOnly = "mlp.fc1";
  options.granularity = "full";
  EXPECT_EQ(error(), "--recompute-save-only is a policy of its own; leave out --recompute-granularity");
  options.granularity.reset(), options.recomputeActivations = true;
  EXPECT_EQ(error(), "--recompute-save-only is a policy of its own; leave out --recompute-activations");
}

TEST_F(Options, SavedNamesThatStopNoReplay) {
  options.saveOnly = "mlp.fc1";
  ASSERT_EQ(advice().size(), 1u);
  EXPECT_EQ(messages[0].severity, RematMessage::Note);
  EXPECT_EQ(messages[0].text,
            "no saved name carries from layer to layer, so that one replay runs through all 4 layers; "
            "to save each layer's input too, add 'mlp_residual'");
  options.saveOnly = "mlp.fc1,mlp_residual";
  EXPECT_TRUE(advice().empty());
}
