//===- PlacementInstance.cpp - buffers to sections ------------------------------------------------------*- C++ -*-===//

#include "PlacementInstance.h"

#include <algorithm>

using namespace tx::plan;
using namespace tx::plan::detail;

Instance tx::plan::detail::makeInstance(const std::vector<Buffer> &buffers) {
  struct Event {
    int64_t time;
    bool isStart; // false sorts first: lifetimes are half-open
    int item;
  };
  Instance instance;
  std::vector<Event> events;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Buffer &buffer = buffers[i];
    if (buffer.size == 0)
      continue;
    int item = instance.size();
    instance.items.push_back({0, 0, buffer.alignedSize(), buffer.alignment, static_cast<int>(i)});
    events.push_back({buffer.lower, true, item});
    events.push_back({buffer.upper, false, item});
  }
  std::sort(events.begin(), events.end(), [](const Event &a, const Event &b) {
    if (a.time != b.time)
      return a.time < b.time;
    if (a.isStart != b.isStart)
      return b.isStart;
    return a.item < b.item;
  });

  // A section ends before each end of a lifetime that follows a start: there the set of live buffers is maximal.
  int64_t live = 0;
  bool inStarts = false;
  for (const Event &event : events) {
    Item &item = instance.items[event.item];
    if (event.isStart) {
      if (!inStarts)
        instance.total.push_back(0);
      item.lo = instance.numSections() - 1;
      live += item.size;
      instance.total.back() = live;
    } else {
      item.hi = instance.numSections();
      live -= item.size;
    }
    inStarts = event.isStart;
  }
  for (int64_t total : instance.total)
    instance.lowerBound = std::max(instance.lowerBound, total);
  std::sort(instance.items.begin(), instance.items.end(), [](const Item &a, const Item &b) {
    if (a.lo != b.lo)
      return a.lo < b.lo;
    if (a.hi != b.hi)
      return a.hi > b.hi;
    if (a.size != b.size)
      return a.size > b.size;
    return a.buffer < b.buffer;
  });
  return instance;
}
