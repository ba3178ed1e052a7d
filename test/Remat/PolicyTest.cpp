//===- PolicyTest.cpp - What each policy keeps and recomputes -----------------------------------------------------===//

#include "Entries.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace tx;

namespace {
class Policy : public testing::Test {
protected:
  plan::Entry model = makeGpt(5);
  RematPolicyOptions options;

  RematPlan plan() {
    RematPlan plan = planRemat(model, parseOk(options, model));
    EXPECT_EQ(verifyPlan(model, plan).value_or("fine"), "fine");
    return plan;
  }
  std::set<std::string> saved(int layer) {
    std::set<std::string> names;
    for (int value : getSavedValues(model, plan()))
      if (model.ops[model.values[value].producer].layer == layer && model.values[value].bytes > 0)
        names.insert(model.values[value].name.substr(model.values[value].name.find('.', 7) + 1));
    return names;
  }
  std::map<int, int> recomputedByLayer() {
    std::map<int, int> count;
    for (const plan::Recomputation &recomputation : plan().recomputations)
      ++count[model.ops[recomputation.op].layer];
    return count;
  }
  void selective(const char *modules) { options.granularity = "selective", options.modules = modules; }
  void full(const char *method, const char *numLayers) {
    options.granularity = "full", options.method = method, options.numLayers = numLayers;
  }
};

// Of one layer: its tensors by name; several at one place count once here.
const std::set<std::string> kAll = {"layernorm.input",
                                    "self_attention.qkv",
                                    "self_attention.core_attn",
                                    "layernorm.pre_mlp",
                                    "self_attention.residual",
                                    "mlp.fc1",
                                    "mlp.mlp_act",
                                    "mlp_residual"};
std::set<std::string> allBut(std::initializer_list<const char *> names) {
  std::set<std::string> rest = kAll;
  for (const char *name : names)
    rest.erase(name);
  return rest;
}
constexpr int64_t kLayerBytes = 1 + 3 + (2 + 2 + 1) + 1 + 1 + 4 + 4 + 1;
constexpr int64_t kOutsideBytes = 1 + 1 + 8; // embedding, final norm, logits
} // namespace

TEST_F(Policy, NoneKeepsAll) {
  EXPECT_EQ(saved(2), kAll);
  EXPECT_TRUE(plan().recomputations.empty());
  EXPECT_EQ(getSavedBytes(model, plan()), 5 * kLayerBytes + kOutsideBytes);
}

TEST_F(Policy, CoreAttentionKeepsItsInputsAndItsOutput) {
  selective("core_attn");
  EXPECT_EQ(saved(2), kAll); // the context stays, of the four tensors at this place
  EXPECT_EQ(getSavedBytes(model, plan()), 5 * (kLayerBytes - 4) + kOutsideBytes);
  EXPECT_EQ(recomputedByLayer()[2], 3); // scores, softmax, dropout; not the context
}

TEST_F(Policy, MlpKeepsItsInput) {
  selective("mlp");
  EXPECT_EQ(saved(2), allBut({"mlp.fc1", "mlp.mlp_act"}));
  EXPECT_EQ(recomputedByLayer()[2], 2); // fc2 computes nothing that backward uses
}

TEST_F(Policy, LayernormDiscardsItsOutput) {
  selective("layernorm");
  EXPECT_EQ(saved(2), allBut({"layernorm.input", "layernorm.pre_mlp"}));
  EXPECT_EQ(recomputedByLayer()[2], 2);
  EXPECT_EQ(recomputedByLayer().count(-1), 0u); // the final norm is in no layer
}

TEST_F(Policy, ActivationDiscardsItsOutput) {
  selective("mlp_act");
  EXPECT_EQ(saved(2), allBut({"mlp.mlp_act"}));
  EXPECT_EQ(recomputedByLayer()[2], 1);
}

TEST_F(Policy, ModulesCompose) {
  selective("mlp,layernorm");
  EXPECT_EQ(saved(2), allBut({"layernorm.input", "layernorm.pre_mlp", "mlp.fc1", "mlp.mlp_act"}));
}

TEST_F(Policy, NestedModulesRunOnce) {
  selective("mlp,mlp_act");
  EXPECT_EQ(recomputedByLayer()[2], 2);
}

TEST_F(Policy, FullKeepsALayersInput) {
  full("uniform", "1");
  for (int layer = 0; layer < 5; ++layer)
    EXPECT_EQ(saved(layer), std::set<std::string>{"mlp_residual"});
  EXPECT_EQ(getSavedBytes(model, plan()), 5 * 1 + kOutsideBytes);
}

TEST_F(Policy, UniformKeepsAChunksInput) {
  full("uniform", "3"); // [0,1,2], [3,4]
  std::set<std::string> nothing, output = {"mlp_residual"};
  EXPECT_EQ(saved(0), nothing);
  EXPECT_EQ(saved(1), nothing);
  EXPECT_EQ(saved(2), output);
  EXPECT_EQ(saved(3), nothing);
  EXPECT_EQ(saved(4), output);
  // Only the last layer of a chunk ends before its last product.
  std::map<int, int> recomputed = recomputedByLayer();
  EXPECT_EQ(recomputed[0], recomputed[1]);
  EXPECT_EQ(recomputed[2] + 3, recomputed[1]); // fc2, dropout, residual
  EXPECT_EQ(recomputed[4], recomputed[2]);
}

TEST_F(Policy, UniformNeverRecomputesOutsideOfLayers) {
  full("uniform", "5");
  EXPECT_EQ(recomputedByLayer().count(-1), 0u);
}

TEST_F(Policy, BlockRecomputesTheFirstLayers) {
  full("block", "2");
  EXPECT_EQ(saved(1), std::set<std::string>{"mlp_residual"});
  EXPECT_EQ(saved(2), kAll);
  EXPECT_EQ(recomputedByLayer().size(), 2u);
}

TEST_F(Policy, ListRecomputesTheseLayers) {
  options.granularity = "full", options.layers = "1,3";
  EXPECT_EQ(saved(0), kAll);
  EXPECT_EQ(saved(1), std::set<std::string>{"mlp_residual"});
  EXPECT_EQ(recomputedByLayer().size(), 2u);
}

TEST_F(Policy, SelectiveOverABlock) {
  selective("mlp");
  options.method = "block", options.numLayers = "2";
  EXPECT_EQ(recomputedByLayer(), (std::map<int, int>{{0, 2}, {1, 2}}));
}

TEST_F(Policy, SelectiveOverAList) {
  selective("mlp");
  options.layers = "0,4";
  EXPECT_EQ(recomputedByLayer(), (std::map<int, int>{{0, 2}, {4, 2}}));
}

TEST_F(Policy, SaveOnlyKeepsWhatIsNamed) {
  options.saveOnly = "mlp_residual,layers.2.mlp.fc1";
  EXPECT_EQ(saved(1), std::set<std::string>{"mlp_residual"});
  EXPECT_EQ(saved(2), (std::set<std::string>{"mlp_residual", "mlp.fc1"}));
}

TEST_F(Policy, SavingAViewSavesTheWhole) {
  EntryWriter writer;
  int whole = writer.addOp(Segment::Forward, 0, "self_attention.qkv", {}, {3})[0];
  int query = writer.addView(0, "self_attention.query", whole), key = writer.addView(0, "self_attention.key", whole);
  int scores = writer.addOp(Segment::Forward, 0, "self_attention.core_attn", {query, key}, {2})[0];
  writer.addOp(Segment::Backward, 0, "self_attention.core_attn", {query, key, scores}, {1});
  model = writer.entry;
  options.saveOnly = "self_attention.query";
  EXPECT_EQ(getSavedValues(model, plan()), std::vector<int>{whole});
  EXPECT_EQ(recomputedByLayer()[0], 1); // the scores, from both views
}

TEST_F(Policy, SavingLayerInputsIsFullUniform) {
  options.saveOnly = "mlp_residual";
  RematPlan named = plan();
  options = {};
  full("uniform", "1");
  RematPlan uniform = plan();
  EXPECT_EQ(getSavedValues(model, named), getSavedValues(model, uniform));
  EXPECT_EQ(named.recomputations.size(), uniform.recomputations.size());
}

// A stage of a larger model has layers in the middle of it.
TEST_F(Policy, LayersAreThoseThatExist) {
  EntryWriter writer;
  int x = writer.addInput();
  std::vector<int> inner;
  for (int layer : {5, 6, 9}) {
    inner.push_back(writer.addOp(Segment::Forward, layer, "mlp.fc1", {x}, {4})[0]);
    int output = writer.addOp(Segment::Forward, layer, "mlp.fc2", {inner.back()}, {1})[0];
    x = writer.addOp(Segment::Forward, layer, "mlp_residual", {output}, {1})[0];
  }
  writer.addOp(Segment::Backward, 9, "mlp", inner, {1});
  model = writer.entry;
  EXPECT_EQ(model.layers, (std::vector<int>{5, 6, 9}));
  full("block", "1");
  EXPECT_EQ(recomputedByLayer(), (std::map<int, int>{{5, 1}}));
  full("block", "3");
  EXPECT_EQ(recomputedByLayer(), (std::map<int, int>{{5, 1}, {6, 1}, {9, 1}}));
  full("uniform", "2");
  EXPECT_EQ(plan().lines, (std::vector<std::string>{"full uniform, layers 5-6", "full uniform, layer 9"}));
  options = {};
  options.granularity = "full", options.layers = "5-6,9";
  EXPECT_EQ(recomputedByLayer().size(), 3u);
  selective("mlp");
  options.layers = "9";
  EXPECT_EQ(recomputedByLayer(), (std::map<int, int>{{9, 1}}));
  EXPECT_EQ(plan().lines, std::vector<std::string>{"selective mlp, layer 9"});
}

// Layers that are nothing but the module: each one's output is kept all the same.
TEST_F(Policy, ARegionEndsWhereTheNextLayerBegins) {
  EntryWriter writer;
  int x = writer.addInput();
  std::vector<int> used;
  for (int layer = 0; layer < 3; ++layer) {
    used.push_back(writer.addOp(Segment::Forward, layer, "mlp.fc1", {x}, {4})[0]);
    used.push_back(x = writer.addOp(Segment::Forward, layer, "mlp.fc2", {used.back()}, {1})[0]);
  }
  writer.addOp(Segment::Backward, 0, "mlp", used, {1});
  model = writer.entry;
  selective("mlp");
  EXPECT_EQ(saved(0), std::set<std::string>{"mlp.fc2"});
  EXPECT_EQ(saved(1), std::set<std::string>{"mlp.fc2"});
  EXPECT_EQ(recomputedByLayer()[1], 1);
}

TEST_F(Policy, WhatMustHappenOnceIsKept) {
  EntryWriter writer;
  int x = writer.addInput();
  int inner = writer.addOp(Segment::Forward, 0, "mlp.fc2", {x}, {4})[0];
  int sum = writer.addOp(Segment::Forward, 0, "mlp.fc2", {inner}, {4}, ReplayKind::Never)[0];
  int after = writer.addOp(Segment::Forward, 0, "mlp.out_act", {sum}, {4})[0];
  writer.addOp(Segment::Backward, 0, "mlp", {inner, sum, after}, {1});
  model = writer.entry;
  for (const char *policy : {"full", "mlp", "nothing"}) {
    options = {};
    if (policy == std::string("full"))
      full("uniform", "1");
    else if (policy == std::string("mlp"))
      selective("mlp");
    else
      options.saveOnly = "mlp.fc2";
    RematPlan made = plan();
    EXPECT_FALSE(made.isRecomputed(sum)) << policy;
    EXPECT_TRUE(made.isRecomputed(after)) << policy;
  }
}

TEST_F(Policy, RegisteredPoliciesGetTheirArgument) {
  auto recomputeNamed = [](const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
    int line = plan.addLine("named " + policy.argument);
    for (int value = 0, e = input.entry.values.size(); value < e; ++value)
      if (input.entry.isForwardResult(value) && matchesName(policy.argument, input.entry.values[value].name))
        plan.recompute(value, line);
  };
  auto refuse = [](const RematInput &, const RematPolicy &, RematPlan &plan) { plan.refusal = "not today"; };
  registerRematPolicy({"named", "a module by its name", nullptr, refuse});
  options.policy = "named:mlp.mlp_act";
  EXPECT_EQ(planRemat(model, parseOk(options, model)).refusal, "not today");
  registerRematPolicy({"named", "a module by its name", nullptr, recomputeNamed}); // takes its place
  EXPECT_EQ(getRegisteredPolicyNames(), std::vector<std::string>{"named"});
  EXPECT_EQ(saved(0), allBut({"mlp.mlp_act"}));
  EXPECT_EQ(plan().lines, std::vector<std::string>{"named mlp.mlp_act"});
}
