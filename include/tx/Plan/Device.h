//===- Device.h - What a machine can do -----------------------------------------------------------------*- C++ -*-===//
//
// A machine as data: rates of arithmetic and of memory with what of them is reached, links between ranks, memory, and
// times that were measured on it. docs/Devices.md describes the JSON that says all this.
//
//   llvm::Expected<Device> device = findDevice("h100");          // a preset
//   llvm::Expected<Device> device = findDevice("machine.json");  // a file, as tx-run --bench --write-device makes it
//
// Rates are per second, sizes are bytes or FLOPs, times are seconds.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_DEVICE_H
#define TX_PLAN_DEVICE_H

#include "tx/Plan/Step.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace tx::plan {

/// A rate, and the share of it that work of some size reaches. Between the table's sizes the share is a power of the
/// size; before the first and behind the last it is theirs. No share grows faster than its size, so more work never
/// takes less time.
struct Rate {
  double perSecond = 0;
  std::vector<std::pair<double, double>> efficiency; ///< (size, share), sizes ascending; empty: all of it always

  double getShare(double amount) const;
  double secondsOf(double amount) const;
};

/// Rates by element type. A type that is not listed is computed at the rate of f32.
class TypedRates {
public:
  void set(ElementType type, Rate rate) { rates[type] = std::move(rate); }
  const Rate &get(ElementType type) const;
  bool isEmpty() const { return rates.empty(); }

private:
  std::map<ElementType, Rate> rates;
};

/// A cache, or the memory behind all caches.
struct MemoryLevel {
  std::string name;
  int64_t bytes = 0; ///< work on at most so many bytes is served by this level
  Rate rate;
};

/// What joins ranks. Of several links the first that joins enough ranks is used.
struct Link {
  std::string name;
  int64_t ranks = 0;
  double latencySeconds = 0; ///< of one collective
  Rate rate;
  std::map<std::string, double> factors; ///< by collective: how many times the least bytes it sends; else once
};

/// Memory that runs take beside the arena.
struct OutsideMemory {
  std::string name;
  bool isOfCommunicator = false; ///< taken once for each group of ranks that talk; else once by the process
  int64_t bytes = 0;
  std::string source;
};

/// Times of one kind of work at several sizes.
class Samples {
public:
  /// What tells two pieces of work of one kind apart.
  using Sizes = std::array<double, 4>;

  void add(const Sizes &sizes, double amount, double seconds);
  /// The time that was measured of work with these sizes; nothing if there was none.
  std::optional<double> find(const Sizes &sizes) const;
  /// The time of `amount` at a rate between those of the measured sizes, of which near ones count most. Distances are
  /// those of the sizes' logarithms.
  double estimate(const Sizes &sizes, double amount) const;

private:
  struct Sample {
    Sizes sizes, logarithms;
    double seconds, rate;
  };
  std::vector<Sample> samples;
};

/// What makes products comparable.
struct ProductKind {
  ElementType type;
  bool transposeA, transposeB, isBatch;

  bool operator<(const ProductKind &other) const {
    return std::tie(type, transposeA, transposeB, isBatch) <
           std::tie(other.type, other.transposeA, other.transposeB, other.isBatch);
  }
};

struct Device {
  std::string name;
  TypedRates matrix;                      ///< FLOPs of products
  TypedRates tilesForward, tilesBackward; ///< FLOPs of kernels that multiply tiles: attention; empty: those of products
  TypedRates vector;                      ///< FLOPs of all other arithmetic
  std::vector<MemoryLevel> memory;        ///< ascending; the last is the device's memory
  double launchSeconds = 0;               ///< what each launch takes beside its work
  std::vector<Link> links;                ///< by ascending ranks
  std::vector<OutsideMemory> outside;
  std::map<ProductKind, Samples> products; ///< sizes: m, n, k, batch
  std::map<std::string, Samples> kernels;  ///< by getKernelKind; sizes: FLOPs, operands and results

  int64_t getMemoryBytes() const { return memory.back().bytes; }
  int64_t getOutsideBytes(int64_t communicators) const;
  double secondsToMove(double bytes) const;
};

/// The preset of this name, or the device that the file describes.
llvm::Expected<Device> findDevice(llvm::StringRef nameOrFile);

/// Reads JSON text. Errors name `file`, the place in it, what was found and what would work.
llvm::Expected<Device> parseDevice(llvm::StringRef text, llvm::StringRef file);

std::vector<llvm::StringRef> getDeviceNames();

/// The names of element types in files, manifests and reports.
llvm::StringRef stringify(ElementType type);

} // namespace tx::plan

#endif // TX_PLAN_DEVICE_H
