//===- Placement.h - where each buffer lies in the arena ------------------------------------------------*- C++ -*-===//
//
// Static placement: buffers with known lifetimes get offsets in one arena, so that nothing is allocated while a step
// runs. Decide, check and read are three things: `place` decides, `verifyPlacement` checks and trusts nothing, and
// `readPlacementCsv` reads the public benchmark format.
//
//   std::vector<Buffer> buffers = {{0, 2, 4096, 256}, {1, 3, 100, 256}};
//   Placement placement = place(buffers);
//   if (auto fault = verifyPlacement(buffers, placement))
//     return emitError() << *fault;
//   arena = allocate(placement.height); // bytes; offsets[i] is buffer i's
//
// The answer is a function of the input alone: effort is counted in steps, never in seconds, so every rank and every
// rerun gets the same bytes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_MEMORY_PLACEMENT_H
#define TX_MEMORY_PLACEMENT_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tx::memory {

/// One buffer: alive in the half-open interval [lower, upper) of schedule time. It owns its size rounded up to its
/// alignment, so that a kernel may touch whole vectors and the arena's height is the sum that the planner counted.
struct Buffer {
  int64_t lower = 0;
  int64_t upper = 0;
  int64_t size = 0;      ///< bytes, 0 is allowed and takes no room
  int64_t alignment = 1; ///< bytes, positive; need not be a power of two

  /// Bytes the buffer owns: its size rounded up to its alignment.
  int64_t alignedSize() const { return (size + alignment - 1) / alignment * alignment; }
};

struct PlacementOptions {
  /// A height that is good enough: the search stops there instead of going on to the lower bound. It is a wish; compare
  /// the placement's height with it.
  std::optional<int64_t> capacity;
  /// How much to spend when the first orders leave a gap, in steps of the search; about 10^8 are a second.
  int64_t effort = 150'000'000;
};

struct Placement {
  std::vector<int64_t> offsets; ///< one per buffer; empty for bad buffers
  int64_t height = 0;           ///< bytes of the arena
  int64_t lowerBound = 0;       ///< most aligned bytes alive at one time
  int64_t effort = 0;           ///< steps of search spent
  std::string method;           ///< what found it: greedy, search or nothing

  double ratio() const { return lowerBound ? double(height) / double(lowerBound) : 1.0; }
};

/// Says what is wrong with the buffers themselves, if anything: a negative size, no alignment, bytes that are never
/// alive, more bytes than 2^60.
std::optional<std::string> verifyBuffers(const std::vector<Buffer> &buffers);

/// Places the buffers. Bad buffers (see verifyBuffers) give no offsets.
Placement place(const std::vector<Buffer> &buffers, const PlacementOptions &options = {});

/// Checks a placement by a sweep over the lifetimes that shares no code with `place`: offsets are aligned, not negative
/// and within the height, no two buffers alive at one time share a byte, and the lower bound is the peak.
std::optional<std::string> verifyPlacement(const std::vector<Buffer> &buffers, const Placement &placement);

/// Buffers read from text, or a message that names the line.
struct PlacementCsv {
  std::vector<Buffer> buffers;
  std::vector<std::string> ids;
  std::optional<std::string> error;
};

/// Reads `id,lower,upper,size` lines (columns by header name, in any order; an optional `alignment` column). `name` is
/// used in messages.
PlacementCsv readPlacementCsv(const std::string &text, const std::string &name, int64_t defaultAlignment = 1);

} // namespace tx::memory

#endif // TX_MEMORY_PLACEMENT_H
