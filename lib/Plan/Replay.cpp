//===- Replay.cpp - What backward computes again ------------------------------------------------------------------===//

#include "tx/Plan/Replay.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;
using namespace tx::plan;

namespace {

/// Walks the backward ops in program order. The first op that needs a recomputed value decides where it is recomputed.
class Placer {
public:
  Placer(const Entry &entry, const Choices &choices)
      : entry(entry), choices(choices), placed(entry.ops.size(), false) {}

  std::vector<Recomputation> run() {
    for (int op = 0, e = entry.ops.size(); op < e; ++op)
      if (!entry.ops[op].isForward())
        for (const Operand &operand : entry.ops[op].operands)
          demand(operand.value, op);
    return std::move(recomputations);
  }

private:
  // A chain of recomputations can be of any length (about twenty ops for each layer of a chunk), so this uses an
  // explicit stack and does not recurse.
  void demand(int value, int before) {
    auto push = [&](int wanted) {
      int producer = entry.values[wanted].producer;
      if (producer < 0 || choices[wanted] == Choice::Keep || placed[producer])
        return;
      placed[producer] = true;
      stack.push_back({producer, 0});
    };
    push(value);
    while (!stack.empty()) {
      int op = stack.back().first;
      const std::vector<Operand> &operands = entry.ops[op].operands;
      if (stack.back().second < operands.size()) {
        push(operands[stack.back().second++].value);
        continue;
      }
      recomputations.push_back({op, before});
      stack.pop_back();
    }
  }

  const Entry &entry;
  const Choices &choices;
  std::vector<bool> placed;
  std::vector<std::pair<int, size_t>> stack; // op, and the index of its operand to visit next
  std::vector<Recomputation> recomputations;
};

/// Copies an entry op by op, with other numbers, and puts clones between.
class Copier {
public:
  Copier(const Entry &entry, const Choices &choices)
      : entry(entry), choices(choices), numbers(entry.values.size(), -1), clones(entry.values.size(), -1),
        opNumbers(entry.ops.size(), -1) {}

  Entry run(const std::vector<Recomputation> &recomputations) {
    copy.name = entry.name;
    copy.layers = entry.layers;
    copy.ops.reserve(entry.ops.size() + recomputations.size());
    copy.values.reserve(entry.values.size() + recomputations.size());
    for (int value = 0, e = entry.values.size(); value < e; ++value)
      if (entry.values[value].producer < 0)
        numbers[value] = add(entry.values[value], -1, [&](int storage) { return numbers[storage]; });
    const auto *next = recomputations.data(), *end = next + recomputations.size();
    for (int op = 0, e = entry.ops.size(); op < e; ++op) {
      for (; next != end && next->before == op; ++next)
        addClone(next->op);
      addOp(op);
    }
    for (int argument : entry.arguments)
      copy.arguments.push_back(numbers[argument]);
    for (int result : entry.results)
      copy.results.push_back(numbers[result]);
    for (auto [value, state] : entry.stores)
      copy.stores.push_back({numbers[value], state});
    return std::move(copy);
  }

private:
  int inForward(int value) const { return value < 0 ? -1 : numbers[value]; }
  int inBackward(int value) const { return value < 0 ? -1 : clones[value] >= 0 ? clones[value] : numbers[value]; }

  int add(Value data, int producer, llvm::function_ref<int(int)> numberOf) {
    int number = copy.values.size(), storage = data.storage;
    data.producer = producer;
    copy.values.push_back(std::move(data));
    int renumbered = storage < 0 ? number : numberOf(storage);
    copy.values[number].storage = renumbered < 0 ? number : renumbered;
    return number;
  }

  void addOp(int op) {
    const Op &original = entry.ops[op];
    opNumbers[op] = copy.ops.size();
    bool forward = original.isForward();
    addCopy(original, forward, [&](int result, int number) { numbers[result] = number; });
  }

  void addClone(int op) {
    int number = copy.ops.size();
    addCopy(entry.ops[op], /*forward=*/false, [&](int result, int clone) {
      if (choices[result] == Choice::Recompute) // uses of a result that is kept stay
        clones[result] = clone;
    });
    copy.ops[number].segment = Segment::Recompute;
    copy.ops[number].origin = opNumbers[op];
  }

  /// `define` is told each result's number. Views among the results show the memory of other results, or of operands.
  void addCopy(const Op &original, bool forward, llvm::function_ref<void(int, int)> define) {
    auto numberOf = [&](int value) { return forward ? inForward(value) : inBackward(value); };
    int producer = copy.ops.size();
    Op op = original;
    for (Operand &operand : op.operands)
      operand.value = numberOf(operand.value);
    op.replayKey = numberOf(op.replayKey);
    op.sharedOperand = numberOf(op.sharedOperand);
    if (op.scatter)
      op.scatter->ids = numberOf(op.scatter->ids);
    for (int &result : op.results) {
      int old = result, own = copy.values.size();
      result = add(entry.values[old], producer, [&](int storage) { return storage == old ? own : numberOf(storage); });
      define(old, result);
      replaced.push_back({old, result});
    }
    auto ownOf = [&](int value) {
      for (auto [old, result] : replaced)
        if (old == value)
          return result;
      return numberOf(value);
    };
    if (op.product)
      for (int *value : {&op.product->a, &op.product->b, &op.product->c, &op.product->bias})
        *value = ownOf(*value);
    if (op.view) {
      op.view->whole = ownOf(op.view->whole);
      for (auto &[part, start] : op.view->parts)
        part = ownOf(part);
    }
    replaced.clear();
    copy.ops.push_back(std::move(op));
  }

  const Entry &entry;
  const Choices &choices;
  Entry copy;
  std::vector<int> numbers, clones; // of each old value: its number in the copy, and that of its clone
  std::vector<int> opNumbers;
  std::vector<std::pair<int, int>> replaced; // the results of the op that is copied: old and new numbers
};

} // namespace

std::vector<Recomputation> plan::placeRecomputations(const Entry &entry, const Choices &choices) {
  return Placer(entry, choices).run();
}

Entry plan::applyRecomputations(const Entry &entry, const Choices &choices,
                                const std::vector<Recomputation> &recomputations) {
  return Copier(entry, choices).run(recomputations);
}

std::vector<int> plan::getSavedValues(const Entry &entry, const Choices &choices,
                                      const std::vector<Recomputation> &recomputations) {
  std::vector<bool> saved(entry.values.size(), false);
  auto use = [&](const Op &op) {
    for (const Operand &operand : op.operands)
      if (entry.isForwardResult(operand.value) && choices[operand.value] == Choice::Keep)
        saved[entry.values[operand.value].storage] = true;
  };
  for (const Op &op : entry.ops)
    if (!op.isForward())
      use(op);
  for (const Recomputation &recomputation : recomputations)
    use(entry.ops[recomputation.op]);

  std::vector<int> list;
  for (int value = 0, e = saved.size(); value < e; ++value)
    if (saved[value] && entry.isForwardResult(value)) // a view of a parameter is no forward result and saves nothing
      list.push_back(value);
  return list;
}

std::optional<std::vector<int>> plan::matchForward(const Entry &from, const Entry &to) {
  std::vector<int> matches(to.values.size(), -1);
  size_t next = 0;
  for (const Op &op : from.ops) {
    if (!op.isForward())
      continue;
    while (next < to.ops.size() && !to.ops[next].isForward())
      ++next;
    if (next == to.ops.size())
      return std::nullopt;
    const Op &twin = to.ops[next++];
    if (twin.kind != op.kind || twin.name != op.name || twin.results.size() != op.results.size())
      return std::nullopt;
    for (auto [result, other] : llvm::zip(op.results, twin.results))
      matches[other] = result;
  }
  while (next < to.ops.size())
    if (to.ops[next++].isForward())
      return std::nullopt;
  return matches;
}
