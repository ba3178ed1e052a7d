//===- Placement.h - where each buffer lies in the arena ------------------------------------------------*- C++ -*-===//
//
// Static placement: buffers with known lifetimes get offsets in one arena, so that nothing is allocated while a step
// runs. `place` decides the offsets, `verifyPlacement` checks them without trust in `place`, and `readPlacementCsv`
// reads buffers in the format of the public benchmarks.
//
//   std::vector<Buffer> buffers = {{0, 2, 4096, 256}, {1, 3, 100, 256}};
//   Placement placement = place(buffers);
//   if (auto fault = verifyPlacement(buffers, placement))
//     return emitError() << *fault;
//   arena = allocate(placement.height); // bytes; offsets[i] is buffer i's
//
// The placement depends on the input alone. Effort is counted in search steps and not in seconds, so that every rank
// and every rerun gets the same offsets.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_PLACEMENT_H
#define TX_PLAN_PLACEMENT_H

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tx::plan {

/// One buffer, alive in the half-open interval [lower, upper) of schedule time (the places of ops in their block). It
/// owns its size rounded up to its alignment: a kernel may then read and write whole vectors, and the arena's height is
/// the sum that the planner counted.
struct Buffer {
  int64_t lower = 0;
  int64_t upper = 0;
  int64_t size = 0;      ///< bytes; a buffer of 0 bytes is allowed and takes no room
  int64_t alignment = 1; ///< bytes, positive; need not be a power of two

  /// Bytes the buffer owns: its size rounded up to its alignment.
  int64_t alignedSize() const { return (size + alignment - 1) / alignment * alignment; }
};

struct PlacementOptions {
  /// A height in bytes that is good enough: the search stops at it instead of trying to reach the lower bound. The
  /// placement may still be higher; the caller has to compare.
  std::optional<int64_t> capacity;
  /// The most steps that the search may take when the greedy packings are above the wanted height; about 10^8 steps
  /// take a second.
  int64_t effort = 150'000'000;
};

struct Placement {
  std::vector<int64_t> offsets; ///< in bytes, one for each buffer; empty if verifyBuffers finds a fault
  int64_t height = 0;           ///< bytes of the arena
  int64_t lowerBound = 0;       ///< the most bytes, sizes rounded up to alignments, that are alive at one time
  int64_t effort = 0;           ///< search steps taken
  std::string method;           ///< what found the placement: greedy, search or nothing

  double ratio() const { return lowerBound ? double(height) / double(lowerBound) : 1.0; }
};

/// Returns a message if the buffer cannot be placed: a negative size, an alignment below 1, bytes that are never alive.
/// `name` says which one it is.
std::optional<std::string> verifyBuffer(const Buffer &buffer, const std::string &name);

/// Returns a message if the buffers cannot be placed: one of them cannot, or they have more than 2^60 bytes in all.
std::optional<std::string> verifyBuffers(const std::vector<Buffer> &buffers);

/// Places the buffers. If verifyBuffers finds a fault, the placement has no offsets.
Placement place(const std::vector<Buffer> &buffers, const PlacementOptions &options = {});

/// Checks a placement by a sweep over the lifetimes that shares no code with `place`, and returns a message about the
/// first fault. Offsets must be aligned, not negative and within the height; no two buffers that are alive at one time
/// may share a byte; the lower bound must be the peak of live bytes.
std::optional<std::string> verifyPlacement(const std::vector<Buffer> &buffers, const Placement &placement);

/// The buffers that a text lists, with their ids; or an error that names the line.
struct PlacementCsv {
  std::vector<Buffer> buffers;
  std::vector<std::string> ids;
  std::optional<std::string> error;
};

/// Reads CSV text with the columns `id`, `lower`, `upper`, `size` and optionally `alignment`; others are passed over.
/// The first line names the columns, in any order. `name` is the file's, for error messages.
PlacementCsv readPlacementCsv(const std::string &text, const std::string &name, int64_t defaultAlignment = 1);

/// The same text with a last column `offset`. readPlacementCsv must have read it without an error; `offsets` has a
/// number for each buffer.
std::string addOffsetColumn(const std::string &text, const std::vector<int64_t> &offsets);

} // namespace tx::plan

#endif // TX_PLAN_PLACEMENT_H
