//===- MemoryBlocks.h - Lifetimes as an allocator would have them ---------------------------------------*- C++ -*-===//
//
// Several launches may write parts of one tensor, for example its columns; each part is a value of its own among the
// lifetimes, and their address ranges overlap. A viewer of allocations knows only blocks that do not overlap. This
// joins such values to one block, which lives from the first write to the last read:
//
//   for (const MemoryBlock &block : findBlocks(findLifetimes(program, entry)))
//     ... bytes [block.begin, block.end) from launch block.first to launch block.last ...
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_MEMORYBLOCKS_H
#define TXRT_CORE_MEMORYBLOCKS_H

#include "core/Lifetimes.h"

namespace txrt {

struct MemoryBlock {
  uint64_t begin, end;
  uint32_t first, last;
  size_t value; // the block's first value, as an index among the lifetimes
  bool isResult;
};

/// The blocks of the values that findLifetimes returns, sorted by launch and then by address. A value that is written
/// in place of another one, by the last launch that reads the other, is a block of its own.
std::vector<MemoryBlock> findBlocks(const std::vector<Lifetime> &values);

} // namespace txrt

#endif // TXRT_CORE_MEMORYBLOCKS_H
