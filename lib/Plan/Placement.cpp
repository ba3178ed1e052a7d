//===- Placement.cpp - greedy orders, then search -------------------------------------------------------*- C++ -*-===//
//
// Tries one method after another and stops as soon as the height is good enough. First the greedy skyline packs the
// buffers in a few orders and in mixes of them: this takes 10 ms for ten thousand buffers, and is enough wherever
// lifetimes nest. Then the complete search is started again and again, each time with another order: first for a
// packing of the lower bound's height, then for heights between the lower bound and the best packing so far.
// docs/Rationale/placement.md has the numbers.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "PlacementGreedy.h"
#include "PlacementSearch.h"

#include <algorithm>
#include <numeric>

using namespace tx::plan;
using namespace tx::plan::detail;

namespace {

/// Pseudo-random numbers. They are the same on every machine, unlike std::rand's, so that every machine tries the same
/// orders.
class Sequence {
public:
  int64_t below(int64_t bound) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(bound));
  }

private:
  uint64_t state = 0x9e3779b97f4a7c15ull;
};

/// 1 1 2 1 1 2 4 ...: Luby's sequence of restart lengths: it costs at most a logarithmic factor more than the best
/// lengths, without knowing them (Luby, Sinclair, Zuckerman 1993). `i` counts from 1.
int64_t luby(int64_t i) {
  int64_t power = 1; // i is in a block of 2 * power - 1 numbers
  while (2 * power - 1 < i)
    power *= 2;
  return i == 2 * power - 1 ? power : luby(i - power + 1);
}

/// log2(value) in 64ths. It computes with integers, as floating point may differ between machines.
int64_t log64(int64_t value) {
  int64_t whole = 0;
  while ((value >> whole) > 1)
    ++whole;
  int64_t mantissa = whole >= 6 ? value >> (whole - 6) : value << (6 - whole);
  return whole * 64 + mantissa - 64;
}

class Placer {
public:
  Placer(const std::vector<Buffer> &buffers, const PlacementOptions &options)
      : instance(makeInstance(buffers)), effort(options.effort) {
    target = std::max(instance.lowerBound, options.capacity.value_or(0));
    spread.resize(instance.size());
    std::vector<int64_t> most = mostOverlaps();
    for (int u = 0; u < instance.size(); ++u) {
      const Item &item = instance.items[u];
      spread[u] = {log64(item.hi - item.lo), log64(item.size),
                   instance.lowerBound ? most[u] * 256 / instance.lowerBound : 0};
    }
  }

  Placement run(size_t numBuffers) {
    tryGreedy();
    if (best.height > target)
      trySearch();
    Placement placement;
    placement.offsets.assign(numBuffers, 0);
    for (int u = 0; u < instance.size(); ++u)
      placement.offsets[instance.items[u].buffer] = best.offsets[u];
    placement.height = best.height;
    placement.lowerBound = instance.lowerBound;
    placement.effort = spent;
    placement.method = method;
    return placement;
  }

private:
  /// The properties of an item by which orders sort.
  struct Spread {
    int64_t width, size, total;
  };

  /// For each item the most bytes that any of its sections has; by a sparse table.
  std::vector<int64_t> mostOverlaps() const {
    std::vector<std::vector<int64_t>> levels = {instance.total};
    for (int span = 1; 2 * span <= instance.numSections(); span *= 2) {
      const std::vector<int64_t> &last = levels.back();
      std::vector<int64_t> next(last.size() - span);
      for (size_t s = 0; s < next.size(); ++s)
        next[s] = std::max(last[s], last[s + span]);
      levels.push_back(std::move(next));
    }
    std::vector<int64_t> most(instance.size());
    for (int u = 0; u < instance.size(); ++u) {
      const Item &item = instance.items[u];
      int level = 0;
      while ((2 << level) <= item.hi - item.lo)
        ++level;
      most[u] = std::max(levels[level][item.lo], levels[level][item.hi - (1 << level)]);
    }
    return most;
  }

  /// Lists the items by descending key; items with equal keys are in time order.
  template <typename Key> std::vector<int> orderBy(Key key) const {
    std::vector<std::pair<int64_t, int>> keyed(instance.size());
    for (int u = 0; u < instance.size(); ++u)
      keyed[u] = {-key(u), u};
    std::sort(keyed.begin(), keyed.end());
    std::vector<int> order(instance.size());
    for (int i = 0; i < instance.size(); ++i)
      order[i] = keyed[i].second;
    return order;
  }

  void take(const Packing &packing, const char *how) {
    if (!method.empty() && packing.height >= best.height)
      return;
    best = packing;
    method = how;
  }

  void tryGreedy() {
    if (instance.items.empty()) {
      method = "nothing";
      return;
    }
    auto attempt = [&](auto key) { pack(orderBy(key)); };
    const std::vector<Item> &items = instance.items;
    attempt([&](int u) { return -items[u].lo; });
    attempt([&](int u) { return spread[u].width; });
    attempt([&](int u) { return items[u].hi; });
    attempt([&](int u) { return spread[u].total * 4096 + spread[u].width; });
    attempt([&](int u) { return spread[u].width + spread[u].size; });
    attempt([&](int u) { return items[u].size; });
    // Then orders by mixes of these keys. A packing is cheap compared to a search over as many items.
    int64_t end = effort / 2;
    for (int i = 0; i < 24 && best.height > target && spent < end; ++i)
      pack(nextOrder(/*useTotal=*/false));
    effort -= std::min(effort, spent);
  }

  /// Packs the items in this order, once without `flatUnder` and once with it; does nothing once the target is reached.
  void pack(const std::vector<int> &order) {
    constexpr int64_t kStepsPerItem = 128; // what packing costs for each item, in search steps
    for (std::optional<int64_t> flatUnder : {std::optional<int64_t>(), std::optional(target)}) {
      if (!method.empty() && best.height <= target)
        return;
      take(packSkyline(instance, order, flatUnder), "greedy");
      spent += kStepsPerItem * instance.size();
    }
  }

  void trySearch() {
    // The search keeps a list of items for each section: do not search if the lists are too long for memory.
    constexpr int64_t kMostListed = 40'000'000;
    int64_t listed = 0;
    for (const Item &item : instance.items)
      listed += item.hi - item.lo;
    if (listed > kMostListed)
      return;
    PackingSearch search(instance);
    // Most of the effort goes to packings of the target height; the rest to heights between the target and the best
    // packing.
    int64_t reserve = effort / 4;
    effort -= reserve;
    Outcome outcome = restart(search, target, effort);
    effort += reserve;
    int64_t low = target;
    while (outcome != Outcome::Found && effort > 0 && best.height - low > low / 4096) {
      int64_t middle = low + (best.height - low) / 2;
      int64_t slice = std::max<int64_t>(effort / 3, 1);
      int64_t left = slice;
      if (restart(search, middle, left) != Outcome::Found)
        low = middle;
      effort -= slice - left;
      if (best.height <= target)
        break;
    }
  }

  enum class Outcome { Found, GaveUp };

  Outcome restart(PackingSearch &search, int64_t capacity, int64_t &left) {
    int64_t before = left;
    int64_t base = 1000 * static_cast<int64_t>(instance.size());
    Outcome outcome = Outcome::GaveUp;
    for (int64_t i = 1; left > 0; ++i) {
      int64_t slice = std::min(left, base * luby(i));
      int64_t remaining = slice;
      SearchStatus status = search.run(capacity, nextOrder(/*useTotal=*/true), nextPivot(), remaining);
      left -= std::max<int64_t>(slice - remaining, 1);
      if (status == SearchStatus::Found) {
        take(search.packing(), "search");
        outcome = Outcome::Found;
      }
      if (status != SearchStatus::LimitReached)
        break;
    }
    spent += before - left;
    return outcome;
  }

  /// Makes an order from random weights of lifetime, size and fullest section, with some noise.
  std::vector<int> nextOrder(bool useTotal) {
    int64_t width = sequence.below(17), size = 16 - width;
    int64_t total = useTotal ? sequence.below(2) * 64 : 0;
    int64_t noise = 1 + sequence.below(3) * 512;
    return orderBy([&](int u) {
      return width * spread[u].width + size * spread[u].size + total * spread[u].total + sequence.below(noise);
    });
  }
  Pivot nextPivot() { return static_cast<Pivot>(sequence.below(kNumPivots)); }

  Instance instance;
  std::vector<Spread> spread;
  Sequence sequence;
  int64_t target, effort, spent = 0;
  Packing best;
  std::string method;
};

} // namespace

Placement tx::plan::place(const std::vector<Buffer> &buffers, const PlacementOptions &options) {
  if (verifyBuffers(buffers))
    return {};
  return Placer(buffers, options).run(buffers.size());
}
