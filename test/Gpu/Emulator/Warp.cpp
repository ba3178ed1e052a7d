//===- Warp.cpp - How lanes of a warp go on -----------------------------------------------------------------------===//
//
// The lanes at the lowest place go first, together; so lanes that a branch has parted meet again where its sides do.
// Lanes at an instruction which others must execute with them wait.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Warp.h"

#include <algorithm>

using namespace ptx;

/// A kernel that executes more in one warp does not end.
static constexpr uint64_t kMostInstructions = uint64_t(1) << 32;

Warp::Warp(Block &block, unsigned index)
    : block(block), index(index), registers(size_t(block.kernel.slots) * kLanes, ~uint64_t(0)),
      written(block.kernel.slots) {
  for (auto [slotIndex, value] : block.kernel.constants)
    std::fill_n(slot(slotIndex), kLanes, value);
}

void Warp::start(uint32_t lanes) {
  live = lanes;
  waiting = 0;
  barrier = -1;
  pcs.fill(0);
  clocks.assign((block.threads + kLanes - 1) / kLanes, 0);
  for (Copies &lane : copies)
    lane = {};
  // What the block before left is none of this one's.
  std::fill(written.begin(), written.end(), std::array<uint32_t, 2>());
  for (auto [slotIndex, value] : block.kernel.constants)
    written[slotIndex] = {~0u, ~0u};
  for (auto [slotIndex, special] : block.kernel.specials)
    written[slotIndex] = {~0u, ~0u};
  const Launch &launch = block.launch;
  for (auto [slotIndex, special] : block.kernel.specials)
    for (unsigned lane = 0; lane < kLanes; ++lane) {
      const unsigned thread = index * kLanes + lane;
      const unsigned of[] = {thread % launch.block[0],
                             thread / launch.block[0] % launch.block[1],
                             thread / launch.block[0] / launch.block[1],
                             launch.block[0],
                             launch.block[1],
                             launch.block[2],
                             block.place[0],
                             block.place[1],
                             block.place[2],
                             launch.grid[0],
                             launch.grid[1],
                             launch.grid[2],
                             lane,
                             index};
      slot(slotIndex)[lane] = of[static_cast<unsigned>(special)];
    }
}

uint32_t Warp::lanesAt(uint32_t at) const {
  uint32_t lanes = 0;
  forLanes(live, [&](unsigned lane) { lanes |= uint32_t(pcs[lane] == at) << lane; });
  return lanes;
}

void Warp::go(uint32_t lanes, uint32_t to) {
  forLanes(lanes, [&](unsigned lane) { pcs[lane] = to; });
  waiting &= ~lanes;
}

/// A device gives what was left in the register, and an assembler may give anything.
void Warp::requireWritten(const Instruction &instruction, uint32_t slotIndex, uint32_t lanes) {
  if (const uint32_t missing = lanes & ~(written[slotIndex][0] & written[slotIndex][1]))
    fail(instruction, static_cast<unsigned>(__builtin_ctz(missing)), "reads a register that was never written");
}

void Warp::execute(const Instruction &instruction, uint32_t lanes) {
  const auto &slots = instruction.slots;
  std::array<uint32_t, 2> known = {~0u, ~0u}; // of the result's halves: the lanes that have a value
  for (unsigned i = instruction.results; i < instruction.count; ++i) {
    const std::array<uint32_t, 2> &source = written[slots[i]];
    if (instruction.halves == Halves::Together)
      requireWritten(instruction, slots[i], lanes);
    else if (instruction.halves == Halves::Joined)
      known[i - 1] = source[0] & source[1];
    else
      known = {known[0] & source[0], known[1] & source[1]};
  }
  for (unsigned i = 0; i < instruction.addressCount; ++i)
    requireWritten(instruction, instruction.addresses[i].base, lanes);
  instruction.execute(*this, instruction, lanes);
  for (unsigned i = 0; i < instruction.results; ++i)
    for (unsigned half = 0; half < 2; ++half) {
      uint32_t &lanesOfHalf = written[slots[i]][half];
      lanesOfHalf = (lanesOfHalf & ~lanes) | (lanes & known[instruction.halves == Halves::Split ? i : half]);
    }
}

void Warp::run() {
  while (live && !isAtBarrier()) {
    uint32_t ready = live & ~waiting, first = UINT32_MAX, second = UINT32_MAX;
    if (!ready) { // those whom the others waited for may have exited
      bool moved = false;
      for (uint32_t lanes = live; lanes && !moved; lanes &= lanes - 1) {
        uint32_t at = pcs[static_cast<unsigned>(__builtin_ctz(lanes))];
        moved = meet(at, lanesAt(at));
      }
      if (!moved)
        failDivergent();
      continue;
    }
    forLanes(ready, [&](unsigned lane) {
      if (pcs[lane] < first)
        second = first, first = pcs[lane];
      else if (pcs[lane] > first)
        second = std::min(second, pcs[lane]);
    });
    step(lanesAt(first) & ready, first, second);
  }
}

/// Executes what lies before `stop`, as long as the lanes of the group stay together.
void Warp::step(uint32_t group, uint32_t at, uint32_t stop) {
  const std::vector<Instruction> &code = block.kernel.code;
  while (at < stop) {
    const Instruction &instruction = code[at];
    if (++block.executed > kMostInstructions)
      fail(instruction, static_cast<unsigned>(__builtin_ctz(group)), "is executed without an end");
    uint32_t lanes = group;
    if (instruction.isGuarded) {
      requireWritten(instruction, instruction.guard, group);
      const uint64_t *guard = slot(instruction.guard);
      uint32_t on = 0;
      forLanes(group, [&](unsigned lane) { on |= uint32_t((guard[lane] & 1) != instruction.guardNegated) << lane; });
      lanes = on;
    }
    if (instruction.control == Control::Next) {
      if (lanes)
        execute(instruction, lanes);
      ++at;
      continue;
    }
    if (instruction.control == Control::Branch && (lanes == 0 || lanes == group)) {
      at = lanes ? instruction.target : at + 1;
      continue;
    }
    go(group & ~lanes, at + 1);
    if (lanes == 0) {
      ++at;
      continue;
    }
    if (instruction.control == Control::Branch)
      go(lanes, instruction.target);
    else if (instruction.control == Control::Exit)
      live &= ~lanes;
    else {
      go(lanes, at);
      waiting |= lanes;
      meet(at, lanes | (lanesAt(at) & waiting));
    }
    return;
  }
  go(group, at);
}

/// Executes what lanes that wait at `at` must execute together, if all whom it needs are there. Returns whether some
/// could go on.
bool Warp::meet(uint32_t at, uint32_t lanes) {
  const Instruction &instruction = block.kernel.code[at];
  const unsigned first = static_cast<unsigned>(__builtin_ctz(lanes));
  if (instruction.control == Control::Warp) {
    if (live != ~0u)
      fail(instruction, first, "needs all 32 threads of the warp, some are not there");
    if (lanes != ~0u)
      return false;
    execute(instruction, lanes);
    go(lanes, at + 1);
    return true;
  }
  if (instruction.control == Control::Barrier) {
    if (lanes != live)
      return false;
    execute(instruction, lanes);
    return true;
  }
  bool moved = false;
  requireWritten(instruction, instruction.slots[instruction.count - 1u], lanes);
  const uint64_t *masks = slot(instruction.slots[instruction.count - 1u]);
  while (lanes) {
    const auto lane = static_cast<unsigned>(__builtin_ctz(lanes));
    const auto mask = static_cast<uint32_t>(masks[lane]);
    if (!(mask >> lane & 1))
      fail(instruction, lane, "is executed by a thread that its mask does not name");
    const uint32_t needed = mask & live;
    uint32_t agreed = 0;
    forLanes(lanes & mask, [&](unsigned other) { agreed |= uint32_t(uint32_t(masks[other]) == mask) << other; });
    if (agreed == needed) {
      execute(instruction, agreed);
      go(agreed, at + 1);
      moved = true;
    }
    lanes &= ~(agreed | 1u << lane);
  }
  return moved;
}

void Warp::passBarrier() {
  barrier = -1;
  forLanes(live, [&](unsigned lane) { ++pcs[lane]; });
  waiting = 0;
}

void Warp::failDivergent() {
  const auto lane = static_cast<unsigned>(__builtin_ctz(live));
  const Instruction &instruction = block.kernel.code[pcs[lane]];
  std::string others;
  for (uint32_t rest = live & ~lanesAt(pcs[lane]); rest;
       rest &= ~lanesAt(pcs[static_cast<unsigned>(__builtin_ctz(rest))])) {
    uint32_t at = pcs[static_cast<unsigned>(__builtin_ctz(rest))];
    others += (others.empty() ? "others wait at line " : ", ") + std::to_string(block.kernel.code[at].line);
  }
  fail(instruction, lane,
       "waits for threads of its warp that never come: " +
           (others.empty() ? std::string("its mask names more than are there") : others));
}

void Warp::fail(const Instruction &instruction, unsigned lane, const std::string &message) {
  const auto at = static_cast<size_t>(&instruction - block.kernel.code.data());
  throw Error(block.kernel.name + ", line " + std::to_string(instruction.line) + ", block " +
              std::to_string(block.number) + ", thread " + std::to_string(index * kLanes + lane) + ": '" +
              block.kernel.texts[at] + "' " + message);
}

static std::string hex(uint64_t value) {
  char text[32];
  snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

uint8_t *Warp::access(const Instruction &instruction, unsigned lane, Space space, uint64_t address, unsigned bytes,
                      Use use) {
  if (space == Space::Generic) {
    space = address >= kSharedWindow ? Space::Shared : Space::Global;
    address -= space == Space::Shared ? kSharedWindow : 0;
  }
  if (address & (bytes - 1)) // powers of two
    fail(instruction, lane,
         "has the address " + hex(address) + ", which is no multiple of its " + std::to_string(bytes) + " bytes");
  if (space == Space::Parameter) {
    if (use == Use::Write || address + bytes > block.parameters.size())
      fail(instruction, lane, "is outside of the kernel's parameters");
    return &block.parameters[address];
  }
  const unsigned thread = index * kLanes + lane;
  Shadow *shadow = nullptr;
  uint8_t *memory = nullptr;
  uint64_t offset = 0;
  if (space == Space::Shared) {
    offset = address - kSharedBase;
    if (address < kSharedBase || offset + bytes > block.shared.size())
      fail(instruction, lane,
           "has the address " + hex(address) + ", outside of " + std::to_string(block.shared.size()) +
               " bytes of shared memory from " + hex(kSharedBase));
    memory = &block.shared[offset];
    shadow = &block.sharedShadow;
    const auto *pending = &block.pendingCopies[offset];
    if (const void *at = block.pendingCount ? std::memchr(pending, 1, bytes) : nullptr)
      fail(instruction, lane,
           "uses shared memory that an asynchronous copy has not reached, at byte " +
               std::to_string(offset + (static_cast<decltype(pending)>(at) - pending)));
    if (use == Use::Read && block.findsRaces)
      if (size_t i = shadow->findUnwritten(offset, bytes); i < offset + bytes)
        fail(instruction, lane, "reads shared memory that nobody wrote, at byte " + std::to_string(i));
  } else {
    uint64_t begin = 0;
    Allocation *allocation = block.memory.find(address, bytes, begin);
    if (!allocation)
      fail(instruction, lane, "has the address " + hex(address) + ", out of bounds: " + block.memory.describe(address));
    offset = address - begin;
    memory = reinterpret_cast<uint8_t *>(address);
    block.moved[static_cast<int>(use)] += bytes;
    shadow = &allocation->shadow;
  }
  if (block.findsRaces) {
    if (clocks[index] > kMaxClock)
      fail(instruction, lane, "comes after more barriers than the search for races counts");
    Moment now = momentOf(block.memory.launch, block.number, thread, clocks[index]);
    if (Moment other = shadow->record(offset, bytes, use, now, clocks.data()))
      fail(instruction, lane,
           std::string(use == Use::Read ? "reads" : "writes") + " what thread " + std::to_string(threadOf(other)) +
               " of block " + std::to_string(blockOf(other)) + " accesses without a barrier between, at " +
               (space == Space::Shared ? "byte " + std::to_string(offset) + " of shared memory" : hex(address)));
  }
  return memory;
}
