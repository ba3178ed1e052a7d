//===- LaunchTable.h - What an artifact's launches do ---------------------------------------------------*- C++ -*-===//
//
// The table is what the runtime executes, so it is also what tests of a step should read, and where they put faults
// that no earlier phase can see.
//
//   LaunchTable table(step.artifact);
//   for (txrt_launch &launch : table.launches("microbatch")) ...
//   table.seal(); // or the runtime refuses the bytes
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_PROPERTIES_LAUNCHTABLE_H
#define TX_TEST_PROPERTIES_LAUNCHTABLE_H

#include "txrt/abi.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <vector>

namespace txtest {

class LaunchTable {
public:
  /// Of an artifact as the compiler wrote it. Edits go into its bytes.
  explicit LaunchTable(std::vector<char> &artifact) : artifact(artifact) {}

  txrt_entry &entry(llvm::StringRef name);
  llvm::MutableArrayRef<txrt_launch> launches(llvm::StringRef entry);
  llvm::MutableArrayRef<txrt_buffer> operands(const txrt_launch &launch);
  /// What a library may compute in the kernel's place; null: nothing.
  const txrt_attention *attention(const txrt_launch &launch);
  /// For people: module path and kernel.
  const char *name(const txrt_launch &launch);

  /// Writes the digest of the bytes as they are now.
  void seal();

private:
  template <typename T> llvm::MutableArrayRef<T> section(uint32_t kind);

  std::vector<char> &artifact;
};

/// What a microbatch recomputes and saves, from its launches alone.
struct RecomputeWork {
  int launches = 0;
  int products = 0; ///< of these, matrix products, and kernels made of them
  int64_t productFlops = 0, tileFlops = 0;
  /// Of all kernels of backward: one may hold ops of both kinds.
  int64_t vectorFlops = 0;
  /// Launches of recomputation that stand before the end of forward.
  int early = 0;
  /// Transient bytes that forward writes last and later launches read.
  int64_t savedBytes = 0;
};

RecomputeWork measureRecompute(std::vector<char> artifact);

} // namespace txtest

#endif // TX_TEST_PROPERTIES_LAUNCHTABLE_H
