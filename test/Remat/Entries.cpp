//===- Entries.cpp - Entries and a small machine to test with ---------------------------------------------------===//

#include "Entries.h"

#include "llvm/ADT/SmallVector.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

using namespace tx;

void EntryWriter::addValue(const std::string &name, int64_t bytes, int producer) {
  plan::Value value;
  value.name = name;
  value.bytes = bytes;
  value.producer = producer;
  value.storage = entry.values.size();
  entry.values.push_back(std::move(value));
}

int EntryWriter::addInput(int64_t bytes) {
  int number = entry.values.size();
  addValue("input" + std::to_string(number), bytes, /*producer=*/-1);
  entry.arguments.push_back(number);
  return number;
}

std::vector<int> EntryWriter::addOp(Segment segment, int layer, const std::string &path, std::vector<int> operands,
                                    std::vector<int64_t> resultBytes, ReplayKind replay) {
  plan::Op op;
  op.name = layer < 0 ? path : "layers." + std::to_string(layer) + "." + path;
  op.segment = segment;
  op.layer = layer;
  llvm::SmallVector<llvm::StringRef> components;
  llvm::StringRef(path).split(components, '.');
  op.path.assign(components.begin(), components.end());
  op.replay = replay;
  for (int operand : operands)
    op.operands.push_back({operand});
  if (replay == ReplayKind::Keyed)
    op.replayKey = operands.back();
  op.matrixFlops = 1;
  for (int64_t bytes : resultBytes) {
    int number = entry.values.size();
    std::string name = op.results.empty() ? op.name : op.name + "." + std::to_string(op.results.size());
    addValue(name, bytes, static_cast<int>(entry.ops.size()));
    op.results.push_back(number);
  }
  if (segment == Segment::Forward)
    entry.addLayer(layer);
  entry.ops.push_back(std::move(op));
  return entry.ops.back().results;
}

int EntryWriter::addView(int layer, const std::string &path, int whole) {
  int view = addOp(Segment::Forward, layer, path, {whole}, {0})[0];
  entry.values[view].storage = entry.values[whole].storage;
  return view;
}

plan::Entry tx::makeGpt(int layers) {
  EntryWriter writer;
  int key = writer.addInput(), targets = writer.addInput(), weight = writer.addInput();
  auto forward = [&](int layer, const std::string &path, std::vector<int> operands, int64_t bytes) {
    operands.push_back(weight);
    return writer.addOp(Segment::Forward, layer, path, operands, {bytes})[0];
  };
  auto dropout = [&](int layer, const std::string &path, int x, int64_t bytes) {
    return writer.addOp(Segment::Forward, layer, path, {x, key}, {bytes}, ReplayKind::Keyed)[0];
  };
  struct Layer {
    int input, norm1, qkv, q, k, v, softmax, dropped, context, middle, norm2, fc1, act;
  };
  std::vector<Layer> kept;

  int x = dropout(-1, "embedding", forward(-1, "embedding", {}, 1), 1);
  for (int l = 0; l < layers; ++l) {
    Layer t;
    t.input = x;
    t.norm1 = writer.addOp(Segment::Forward, l, "layernorm.input", {x, weight}, {1, 0, 0})[0];
    t.qkv = forward(l, "self_attention.qkv", {t.norm1}, 3);
    t.q = writer.addView(l, "self_attention.qkv", t.qkv);
    t.k = writer.addView(l, "self_attention.qkv", t.qkv);
    t.v = writer.addView(l, "self_attention.qkv", t.qkv);
    int scores = forward(l, "self_attention.core_attn", {t.q, t.k}, 2);
    t.softmax = forward(l, "self_attention.core_attn", {scores}, 2);
    t.dropped = dropout(l, "self_attention.core_attn", t.softmax, 2);
    t.context = forward(l, "self_attention.core_attn", {t.dropped, t.v}, 1);
    int projected = forward(l, "self_attention.proj", {t.context}, 1);
    t.middle = forward(l, "self_attention.residual", {x, dropout(l, "self_attention.residual", projected, 1)}, 1);
    t.norm2 = writer.addOp(Segment::Forward, l, "layernorm.pre_mlp", {t.middle, weight}, {1, 0, 0})[0];
    t.fc1 = forward(l, "mlp.fc1", {t.norm2}, 4);
    t.act = forward(l, "mlp.mlp_act", {t.fc1}, 4);
    int fc2 = forward(l, "mlp.fc2", {t.act}, 1);
    x = forward(l, "mlp_residual", {t.middle, dropout(l, "mlp_residual", fc2, 1)}, 1);
    kept.push_back(t);
  }
  int normed = writer.addOp(Segment::Forward, -1, "final_layernorm", {x, weight}, {1, 0, 0})[0];
  int logits = forward(-1, "output_layer", {normed}, 8);
  int lse = writer.addOp(Segment::Forward, -1, "loss", {logits, targets}, {0, 0})[1];

  auto backward = [&](int layer, const std::string &path, std::vector<int> operands) {
    return writer.addOp(Segment::Backward, layer, path, operands, {1})[0];
  };
  int dy = backward(-1, "loss", {logits, targets, lse});
  dy = backward(-1, "output_layer", {dy, normed});
  dy = backward(-1, "final_layernorm", {dy, x, normed + 1, normed + 2});
  for (int l = layers - 1; l >= 0; --l) {
    const Layer &t = kept[l];
    int da = backward(l, "mlp_residual", {dy, key});
    backward(l, "mlp.fc2", {t.act, da});
    da = backward(l, "mlp.mlp_act", {da, t.fc1});
    backward(l, "mlp.fc1", {t.norm2, da});
    dy = backward(l, "layernorm.pre_mlp", {da, dy, t.middle, t.norm2 + 1, t.norm2 + 2});
    da = backward(l, "self_attention.residual", {dy, key});
    backward(l, "self_attention.proj", {t.context, da});
    int dv = backward(l, "self_attention.core_attn", {t.dropped, da});
    da = backward(l, "self_attention.core_attn", {da, t.v, key, t.softmax});
    da = backward(l, "self_attention.core_attn", {da, t.q, t.k, dv});
    backward(l, "self_attention.qkv", {t.norm1, da});
    dy = backward(l, "layernorm.input", {da, dy, t.input, t.norm1 + 1, t.norm1 + 2});
  }
  return writer.entry;
}

//===--------------------------------------------------------------------------------------------------------------===//
// At random
//===--------------------------------------------------------------------------------------------------------------===//

static int below(std::mt19937_64 &random, int end) { return static_cast<int>(random() % end); }

plan::Entry tx::makeRandomEntry(std::mt19937_64 &random) {
  const char *places[] = {
      "layernorm.input", "self_attention.qkv", "self_attention.core_attn", "self_attention.residual", "mlp.fc1",
      "mlp.mlp_act",     "mlp_residual"};
  EntryWriter writer;
  int key = writer.addInput();
  std::vector<int> values = {writer.addInput(5), writer.addInput(7)};
  // Mostly late values, so that chains grow long.
  auto pick = [&] {
    int back = below(random, below(random, 3) == 0 ? values.size() : std::min<size_t>(values.size(), 4));
    return values[values.size() - 1 - back];
  };
  int layers = 1 + below(random, 5);
  for (int layer = -1; layer < layers; ++layer)
    for (int i = 0, e = 1 + below(random, 8); i < e; ++i) {
      std::string place = layer < 0 ? "embedding" : places[below(random, std::size(places))];
      if (layer >= 0 && below(random, 6) == 0) {
        values.push_back(writer.addView(layer, place, pick()));
        continue;
      }
      std::vector<int> operands = {pick()};
      if (below(random, 2))
        operands.push_back(pick());
      bool keyed = below(random, 5) == 0;
      if (keyed)
        operands.push_back(key);
      std::vector<int64_t> bytes(1 + below(random, 3) / 2, 1 + below(random, 9));
      for (int result :
           writer.addOp(Segment::Forward, layer, place, operands, bytes, keyed ? ReplayKind::Keyed : ReplayKind::Exact))
        values.push_back(result);
    }
  std::vector<int> gradients;
  for (int i = 0, e = 3 + below(random, 20); i < e; ++i) {
    std::vector<int> operands = {values[below(random, values.size())]};
    if (!gradients.empty())
      operands.push_back(gradients.back());
    if (below(random, 2))
      operands.push_back(values[below(random, values.size())]);
    gradients.push_back(writer.addOp(Segment::Backward, -1, "backward", operands, {1})[0]);
  }
  return writer.entry;
}

RematPolicyOptions tx::makeRandomOptions(std::mt19937_64 &random, const plan::Entry &entry) {
  RematPolicyOptions options;
  std::string count = std::to_string(1 + below(random, std::max(1, entry.getLayerCount())));
  std::string layers;
  for (int layer : entry.layers)
    if (below(random, 2))
      layers += (layers.empty() ? "" : ",") + std::to_string(layer);
  std::string modules;
  for (RecomputeModule module : entry.getModulesPresent())
    if (below(random, 2))
      modules += (modules.empty() ? "" : " ") + stringifyRecomputeModule(module).str();

  switch (below(random, 8)) {
  case 0:
    options.granularity = "none";
    break;
  case 1:
  case 2:
    options.granularity = "selective", options.modules = modules;
    if (below(random, 2))
      options.method = "block", options.numLayers = count;
    else if (!layers.empty() && below(random, 2))
      options.layers = layers;
    break;
  case 3:
    options.granularity = "full", options.method = "block", options.numLayers = count;
    break;
  case 4:
    options.granularity = "full";
    if (!layers.empty())
      options.layers = layers;
    break;
  case 5:
  case 6:
    options.granularity = "full", options.method = "uniform", options.numLayers = count;
    break;
  case 7:
    options.saveOnly = "";
    for (int value = 0, e = entry.values.size(); value < e; ++value)
      if (entry.isForwardResult(value) && below(random, 4) == 0)
        *options.saveOnly += entry.values[value].name + " ";
    break;
  }
  return options;
}

RematPolicy tx::parseOk(const RematPolicyOptions &options, const plan::Entry &entry) {
  std::vector<RematMessage> messages;
  std::optional<RematPolicy> policy = parseRematPolicy(options, entry, messages);
  EXPECT_TRUE(policy.has_value()) << messages.front().text;
  return policy.value_or(RematPolicy());
}

//===--------------------------------------------------------------------------------------------------------------===//
// The machine
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
using Memory = std::map<int, size_t>; // value -> what it holds

std::string execute(const plan::Entry &entry, int op, const Memory &from, std::vector<size_t> &results) {
  size_t hash = std::hash<int>()(op);
  for (auto [operand, isRead, mayBeReplaced, isOtherRows] : entry.ops[op].operands) {
    auto found = from.find(operand);
    if (found == from.end())
      return entry.ops[op].name + " reads " + entry.values[operand].name + ", which is not there";
    hash = hash * 1000003 + found->second;
  }
  results.clear();
  for (size_t i = 0; i < entry.ops[op].results.size(); ++i)
    results.push_back(hash + i);
  return "";
}
} // namespace

std::string tx::compareWithoutPlan(const plan::Entry &entry, const RematPlan &plan) {
  Memory all;
  std::vector<size_t> results;
  auto store = [&](int op, Memory &memory) {
    for (size_t i = 0; i < results.size(); ++i)
      memory[entry.ops[op].results[i]] = results[i];
  };
  int opCount = entry.ops.size(), border = 0;
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    if (entry.values[value].producer < 0)
      all[value] = value;
  Memory inputs = all;
  for (; border < opCount && entry.ops[border].isForward(); ++border) {
    execute(entry, border, all, results);
    store(border, all);
  }

  // The border: what is saved, the views of it, and what was there anyway.
  Memory kept = inputs;
  std::vector<int> savedValues = getSavedValues(entry, plan);
  for (auto [value, content] : all) {
    int storage = entry.values[value].storage;
    if (entry.values[storage].producer < 0 ||
        std::find(savedValues.begin(), savedValues.end(), storage) != savedValues.end())
      kept[value] = content;
  }

  Memory clones;
  auto view = [&] { // recomputed values hide kept ones
    Memory memory = kept;
    for (auto [value, content] : clones)
      memory[value] = content;
    return memory;
  };
  size_t next = 0;
  for (int op = border; op < opCount; ++op) {
    for (; next < plan.recomputations.size() && plan.recomputations[next].before == op; ++next) {
      int cloned = plan.recomputations[next].op;
      if (std::string fault = execute(entry, cloned, view(), results); !fault.empty())
        return fault;
      store(cloned, clones);
    }
    if (std::string fault = execute(entry, op, view(), results); !fault.empty())
      return fault;
    store(op, kept);
    execute(entry, op, all, results);
    store(op, all);
    for (int result : entry.ops[op].results)
      if (kept[result] != all[result])
        return entry.ops[op].name + " computes something else than without recomputation";
  }
  return next == plan.recomputations.size() ? "" : "a recomputation stands nowhere";
}
