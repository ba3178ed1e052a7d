//===- PlacementVerify.cpp - does a placement hold ------------------------------------------------------*- C++ -*-===//
//
// Shares no code with `place`. It sweeps over the lifetimes that the caller gives, and keeps the live buffers ordered
// by address. As the live buffers are disjoint, a new buffer can overlap only with its two neighbours by address.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Plan/Placement.h"

#include <algorithm>
#include <limits>
#include <map>

using namespace tx::plan;

static std::string describe(const std::string &name, const Buffer &b) {
  return "buffer " + name + " (" + std::to_string(b.size) + " bytes, alive [" + std::to_string(b.lower) + ", " +
         std::to_string(b.upper) + "))";
}

static std::string describe(size_t i, const Buffer &b) { return describe(std::to_string(i), b); }

// In bytes: far above any machine's memory, and far enough below 2^63 that no sum overflows.
static constexpr int64_t kLimit = int64_t(1) << 60;

std::optional<std::string> tx::plan::verifyBuffer(const Buffer &b, const std::string &name) {
  if (b.lower > b.upper)
    return describe(name, b) + " ends before it starts";
  if (b.size < 0)
    return describe(name, b) + " has a negative size";
  if (b.size > 0 && b.lower == b.upper)
    return describe(name, b) + " is never alive, yet its bytes are written somewhere; give it one moment";
  if (b.alignment <= 0)
    return describe(name, b) + " asks for alignment " + std::to_string(b.alignment) + "; it must be positive";
  if (b.size > kLimit || b.alignment > kLimit)
    return describe(name, b) + " with alignment " + std::to_string(b.alignment) + " is larger than 2^60 bytes";
  return std::nullopt;
}

std::optional<std::string> tx::plan::verifyBuffers(const std::vector<Buffer> &buffers) {
  int64_t sum = 0;
  if (buffers.size() > size_t(std::numeric_limits<int>::max() / 4))
    return std::to_string(buffers.size()) + " buffers are more than one arena can hold; at most " +
           std::to_string(std::numeric_limits<int>::max() / 4) + " would do";
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Buffer &b = buffers[i];
    if (auto fault = verifyBuffer(b, std::to_string(i)))
      return fault;
    // Adds the alignment too: each buffer may leave a gap of up to its alignment.
    sum += std::min(kLimit, b.alignedSize());
    sum += b.alignment;
    if (sum > kLimit)
      return "the buffers up to " + describe(i, b) + " sum to more than 2^60 bytes";
  }
  return std::nullopt;
}

std::optional<std::string> tx::plan::verifyPlacement(const std::vector<Buffer> &buffers, const Placement &placement) {
  if (auto fault = verifyBuffers(buffers))
    return fault;
  if (placement.offsets.size() != buffers.size())
    return "the placement has " + std::to_string(placement.offsets.size()) + " offsets for " +
           std::to_string(buffers.size()) + " buffers";

  struct Event {
    int64_t time;
    bool isStart;
    size_t buffer;
  };
  std::vector<Event> events;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Buffer &b = buffers[i];
    int64_t offset = placement.offsets[i];
    auto at = [&] { return describe(i, b) + " at offset " + std::to_string(offset); };
    if (offset < 0)
      return at() + " lies below the arena";
    if (offset % b.alignment != 0)
      return at() + " is not aligned to " + std::to_string(b.alignment);
    // Written as a subtraction, so that no offset, however large, overflows.
    if (b.alignedSize() > placement.height || offset > placement.height - b.alignedSize())
      return at() + " ends above the arena's height " + std::to_string(placement.height);
    if (b.size == 0)
      continue;
    events.push_back({b.lower, true, i});
    events.push_back({b.upper, false, i});
  }
  std::sort(events.begin(), events.end(), [](const Event &a, const Event &b) {
    if (a.time != b.time)
      return a.time < b.time;
    if (a.isStart != b.isStart)
      return b.isStart; // lifetimes are half-open: buffers that end now free their bytes first
    return a.buffer < b.buffer;
  });

  std::map<int64_t, size_t> live; // live buffers by offset
  int64_t liveBytes = 0, peak = 0;
  for (const Event &event : events) {
    const Buffer &b = buffers[event.buffer];
    int64_t offset = placement.offsets[event.buffer];
    if (!event.isStart) {
      live.erase(offset);
      liveBytes -= b.alignedSize();
      continue;
    }
    auto clash = [&](size_t other) {
      return describe(other, buffers[other]) + " at offset " + std::to_string(placement.offsets[other]) + " and " +
             describe(event.buffer, b) + " at offset " + std::to_string(offset) + " overlap: both are alive at " +
             std::to_string(event.time);
    };
    auto next = live.lower_bound(offset);
    if (next != live.end() && next->first < offset + b.alignedSize())
      return clash(next->second);
    if (next != live.begin()) {
      auto previous = std::prev(next);
      if (previous->first + buffers[previous->second].alignedSize() > offset)
        return clash(previous->second);
    }
    live.emplace_hint(next, offset, event.buffer);
    liveBytes += b.alignedSize();
    peak = std::max(peak, liveBytes);
  }
  if (placement.lowerBound != peak)
    return "the placement claims " + std::to_string(placement.lowerBound) +
           " bytes as its lower bound, but the peak of live bytes is " + std::to_string(peak);
  return std::nullopt;
}
