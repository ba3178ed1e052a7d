//===- Block.cpp - Blocks of a launch, and barriers ---------------------------------------------------------------===//

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
  pendingCount = 0;
  if (!shared.empty())
    sharedShadow.clear();
  meetings = {};
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
  // A barrier counts whole warps, also those of which some threads have left.
  uint64_t all = 0;
  for (Warp &warp : warps)
    all += warp.isDone() ? 0 : kLanes;
  if (all == 0)
    return false;
  bool released = false;
  for (Warp &first : warps) {
    if (!first.isAtBarrier())
      continue;
    std::vector<Warp *> members;
    for (Warp &warp : warps)
      if (warp.barrier == first.barrier)
        members.push_back(&warp);
    const uint64_t expected = first.barrierThreads ? first.barrierThreads : all, there = members.size() * kLanes;
    if (there < expected)
      continue;
    for (const Warp *warp : members)
      if (warp->barrierThreads != first.barrierThreads)
        failAt(first.barrier, "is asked for different numbers of threads");
    if (there > expected)
      failAt(first.barrier, "waits for " + std::to_string(expected) + " threads and " + std::to_string(there) +
                                " have come: who meets whom is chance");
    meet(members);
    released = true;
  }
  if (!released)
    for (Warp &warp : warps)
      if (warp.isAtBarrier())
        failAt(warp.barrier, "waits for threads that never come");
  return true;
}

void Block::failAt(int barrier, const std::string &message) const {
  throw Error(kernel.name + ", block " + std::to_string(number) + ": barrier " + std::to_string(barrier) + " " +
              message);
}

void Block::meet(const std::vector<Warp *> &members) {
  const int id = members.front()->barrier;
  Meeting &last = meetings[static_cast<size_t>(id)];
  Meeting now;
  now.clocks.resize(warps.size());
  for (Warp *warp : members) {
    // A warp that comes for the first time comes after those who met here last, as it knows from elsewhere, or might
    // have come instead of one of them.
    bool isLater = last.members.empty();
    for (unsigned member : last.members)
      isLater |= member == warp->index || warp->clocks[member] >= last.clocks[member];
    if (!isLater)
      failAt(id, "has had other warps before, and nothing orders warp " + std::to_string(warp->index) +
                     " after them: who meets whom is chance");
    ++warp->clocks[warp->index];
    for (size_t i = 0; i < now.clocks.size(); ++i)
      now.clocks[i] = std::max(now.clocks[i], warp->clocks[i]);
    now.members.push_back(warp->index);
  }
  for (Warp *warp : members) {
    warp->clocks = now.clocks;
    warp->passBarrier();
  }
  last = std::move(now);
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
unsigned ptx::staticSharedBytes(const Kernel &kernel) { return kernel.sharedBytes; }
unsigned ptx::maxThreads(const Kernel &kernel) { return kernel.maxThreads; }

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
