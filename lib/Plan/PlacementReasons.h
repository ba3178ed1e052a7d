//===- PlacementReasons.h - why a floor is where it is --------------------------------------------------*- C++ -*-===//
//
// The search records why a floor is as high as it is, or why a choice failed, as a set of sections: only choices that
// placed an item in one of these sections, or raised its floor, can be the cause. When all alternatives at one place
// have failed, the search goes back to the latest choice that touched one of these sections. It skips the choices since
// then: they are not the cause, and their alternatives would fail too.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PLAN_PLACEMENTREASONS_H
#define TX_LIB_PLAN_PLACEMENTREASONS_H

#include <algorithm>

namespace tx::plan::detail {

/// A set of sections as at most 12 stretches [lo, hi) in order. If a set would need more, it also takes in the sections
/// between its two nearest stretches. A larger set is still correct, but lets the search skip less.
class Reasons {
public:
  Reasons() = default;
  Reasons(int lo, int hi) { join(lo, hi); }

  void join(int lo, int hi) {
    int i = 0;
    while (i < count && stretches[i].hi < lo)
      ++i;
    int j = i;
    while (j < count && stretches[j].lo <= hi) {
      lo = std::min(lo, stretches[j].lo);
      hi = std::max(hi, stretches[j].hi);
      ++j;
    }
    if (i == j) {
      std::copy_backward(stretches + i, stretches + count, stretches + count + 1);
      ++count;
    } else {
      std::copy(stretches + j, stretches + count, stretches + i + 1);
      count -= j - i - 1;
    }
    stretches[i] = {lo, hi};
    if (count > kMost)
      closeNarrowestGap();
  }

  void join(const Reasons &other) {
    for (int i = 0; i < other.count; ++i)
      join(other.stretches[i].lo, other.stretches[i].hi);
  }

  /// Is a section of [lo, hi) in the set?
  bool touches(int lo, int hi) const {
    for (int i = 0; i < count && stretches[i].lo < hi; ++i)
      if (lo < stretches[i].hi)
        return true;
    return false;
  }

private:
  void closeNarrowestGap() {
    int best = 1;
    for (int i = 2; i < count; ++i)
      if (gap(i) < gap(best))
        best = i;
    stretches[best - 1].hi = stretches[best].hi;
    std::copy(stretches + best + 1, stretches + count, stretches + best);
    --count;
  }
  int gap(int i) const { return stretches[i].lo - stretches[i - 1].hi; }

  static constexpr int kMost = 12;
  struct Stretch {
    int lo, hi;
  };
  Stretch stretches[kMost + 1];
  int count = 0;
};

} // namespace tx::plan::detail

#endif // TX_LIB_PLAN_PLACEMENTREASONS_H
