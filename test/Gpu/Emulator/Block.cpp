//===- Block.cpp - Blocks of a launch, and barriers -----------------------===//

#include "Warp.h"

#include <algorithm>

using namespace ptx;

Block::Block(const Kernel &kernel, const Launch &launch, Memory &memory, bool findsRaces)
    : kernel(kernel), launch(launch), memory(memory), findsRaces(findsRaces),
      shared(kernel.sharedBytes + launch.sharedBytes), parameters(kernel.parameterBytes), sharedShadow(shared.size()),
      threads(launch.block[0] * launch.block[1] * launch.block[2]) {
  for (size_t i = 0; i < kernel.parameterSizes.size(); ++i)
    std::memcpy(&parameters[kernel.parameterOffsets[i]], launch.parameters[i], kernel.parameterSizes[i]);
  for (unsigned warp = 0; warp * kLanes < threads; ++warp)
    warps.emplace_back(*this, warp);
}

void Block::run(std::array<unsigned, 3> at, uint32_t blockNumber) {
  place = at;
  number = blockNumber;
  std::fill(shared.begin(), shared.end(), 0xff);
  pendingCopies.assign(shared.size(), 0);
  if (!shared.empty())
    sharedShadow.clear();
  for (Warp &warp : warps) {
    unsigned lanes = std::min(kLanes, threads - warp.index * kLanes);
    warp.start(lanes == kLanes ? ~0u : (1u << lanes) - 1);
  }
  do {
    for (Warp &warp : warps)
      warp.run();
  } while (releaseBarriers());
}

/// Returns whether threads could go on; false: the block is done.
bool Block::releaseBarriers() {
  uint64_t live = 0;
  for (Warp &warp : warps)
    live += static_cast<unsigned>(__builtin_popcount(warp.liveLanes()));
  if (live == 0)
    return false;
  std::vector<uint32_t> merged(warps.size(), 0);
  bool released = false;
  for (Warp &first : warps) {
    if (!first.isAtBarrier())
      continue;
    const int id = first.barrier;
    const uint64_t expected = first.barrierThreads ? first.barrierThreads : live;
    uint64_t there = 0;
    for (Warp &warp : warps)
      there += warp.barrier == id ? static_cast<unsigned>(__builtin_popcount(warp.liveLanes())) : 0;
    if (there < expected)
      continue;
    std::fill(merged.begin(), merged.end(), 0);
    std::vector<Warp *> members;
    for (Warp &warp : warps)
      if (warp.barrier == id) {
        ++warp.clocks[warp.index];
        for (size_t i = 0; i < merged.size(); ++i)
          merged[i] = std::max(merged[i], warp.clocks[i]);
        members.push_back(&warp);
      }
    for (Warp *warp : members) {
      warp->clocks = merged;
      warp->passBarrier();
    }
    released = true;
  }
  if (!released)
    for (Warp &warp : warps)
      if (warp.isAtBarrier())
        throw Error(kernel.name + ", block " + std::to_string(number) + ": barrier " + std::to_string(warp.barrier) +
                    " waits for threads that never come");
  return true;
}

Device::Device() : memory(std::make_unique<Memory>()) {}
Device::~Device() = default;
uint64_t Device::allocate(size_t bytes) { return memory->allocate(bytes); }
void Device::release(uint64_t address) { memory->release(address); }
bool Device::contains(uint64_t address, size_t bytes) const {
  uint64_t begin = 0;
  return memory->find(address, bytes, begin) != nullptr;
}
const std::vector<unsigned> &ptx::parameterSizes(const Kernel &kernel) { return kernel.parameterSizes; }

void Device::run(const Kernel &kernel, const Launch &launch) {
  auto fail = [&](const std::string &message) { throw Error(kernel.name + ": " + message); };
  if (launch.parameters.size() != kernel.parameterSizes.size())
    fail("takes " + std::to_string(kernel.parameterSizes.size()) + " parameters, got " +
         std::to_string(launch.parameters.size()));
  uint64_t threads = 1, blocks = 1;
  for (int i = 0; i < 3; ++i)
    threads *= launch.block[i], blocks *= launch.grid[i];
  if (threads == 0 || threads > 1024 || (kernel.maxThreads && threads > kernel.maxThreads))
    fail("launched with " + std::to_string(threads) + " threads, at most " +
         std::to_string(kernel.maxThreads ? kernel.maxThreads : 1024));
  if (blocks == 0)
    fail("launched without blocks");
  if (findsRaces && blocks > kMaxBlocks)
    fail("launched with more blocks than the search for races counts");
  memory->nextLaunch();
  Block block(kernel, launch, *memory, findsRaces);
  uint32_t number = 0;
  for (unsigned z = 0; z < launch.grid[2]; ++z)
    for (unsigned y = 0; y < launch.grid[1]; ++y)
      for (unsigned x = 0; x < launch.grid[0]; ++x)
        block.run({x, y, z}, number++);
  executed += block.executed;
  moved[0] += block.moved[0], moved[1] += block.moved[1];
}
