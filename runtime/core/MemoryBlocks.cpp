//===- MemoryBlocks.cpp - Lifetimes as an allocator would have them -----------------------------------------------===//

#include "core/MemoryBlocks.h"

#include <algorithm>
#include <numeric>
#include <tuple>

using namespace txrt;

namespace {

/// Sets of values; each has its earliest value as the root.
class Sets {
public:
  explicit Sets(const std::vector<Lifetime> &values) : values(values), parents(values.size()) {
    std::iota(parents.begin(), parents.end(), size_t(0));
  }

  size_t root(size_t value) {
    while (parents[value] != value)
      value = parents[value] = parents[parents[value]];
    return value;
  }

  void join(size_t a, size_t b) {
    a = root(a);
    b = root(b);
    if (std::tie(values[b].first, b) < std::tie(values[a].first, a))
      std::swap(a, b);
    parents[b] = a;
  }

private:
  const std::vector<Lifetime> &values;
  std::vector<size_t> parents;
};

/// Whether one of the values ends before the other begins. The launch that reads one value last may write the other
/// one in its place.
bool follow(const Lifetime &a, const Lifetime &b) {
  return a.first != b.first && (a.last <= b.first || b.last <= a.first);
}

} // namespace

std::vector<MemoryBlock> txrt::findBlocks(const std::vector<Lifetime> &values) {
  Sets sets(values);
  std::vector<size_t> open; // the values before the current one, in the order of addresses, that reach past its begin
  for (size_t i = 0; i < values.size(); ++i) {
    open.erase(std::remove_if(open.begin(), open.end(), [&](size_t o) { return values[o].end <= values[i].begin; }),
               open.end());
    for (size_t o : open)
      if (!follow(values[o], values[i]))
        sets.join(o, i);
    open.push_back(i);
  }

  std::vector<MemoryBlock> blocks;
  std::vector<size_t> blockOf(values.size(), values.size()); // by root
  for (size_t i = 0; i < values.size(); ++i) {
    const Lifetime &value = values[i];
    size_t &index = blockOf[sets.root(i)];
    if (index == values.size()) {
      index = blocks.size();
      blocks.push_back({value.begin, value.end, value.first, value.last, sets.root(i), value.isResult});
    }
    MemoryBlock &block = blocks[index];
    block.end = std::max(block.end, value.end);
    block.first = std::min(block.first, value.first);
    block.last = std::max(block.last, value.last);
    block.isResult |= value.isResult;
  }
  std::sort(blocks.begin(), blocks.end(), [](const MemoryBlock &a, const MemoryBlock &b) {
    return std::tie(a.first, a.begin) < std::tie(b.first, b.begin);
  });
  return blocks;
}
