//===- Access.cpp - Loads, stores, asynchronous copies ------------------------------------------------------------===//

#include "Warp.h"

using namespace ptx;

namespace {

/// `Instruction::variant` of a load or store.
struct Form {
  Space space = Space::Generic;
  bool isSigned = false;
  uint8_t logBytes = 0; // of an element
  uint8_t encode() const { return uint8_t(uint8_t(space) | uint8_t(isSigned) << 2 | logBytes << 3); }
  static Form decode(uint8_t variant) {
    return {static_cast<Space>(variant & 3), (variant & 4) != 0, static_cast<uint8_t>(variant >> 3)};
  }
  unsigned bytes() const { return 1u << logBytes; }
};

template <typename T> uint64_t read(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return static_cast<uint64_t>(static_cast<int64_t>(value)); // signed ones keep their sign
}

template <typename T> void loadAs(Warp &warp, const Instruction &instruction, uint32_t lanes, Space space) {
  forLanes(lanes, [&](unsigned lane) {
    const uint8_t *from = warp.access(instruction, lane, space, warp.addressOf(instruction, lane),
                                      sizeof(T) * instruction.vector, Use::Read);
    for (unsigned i = 0; i < instruction.vector; ++i)
      warp.slot(instruction.slots[i])[lane] = read<T>(from + i * sizeof(T));
  });
}

void load(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  const Form form = Form::decode(instruction.variant);
  switch (form.bytes()) {
  case 1:
    return form.isSigned ? loadAs<int8_t>(warp, instruction, lanes, form.space)
                         : loadAs<uint8_t>(warp, instruction, lanes, form.space);
  case 2:
    return form.isSigned ? loadAs<int16_t>(warp, instruction, lanes, form.space)
                         : loadAs<uint16_t>(warp, instruction, lanes, form.space);
  case 4:
    return form.isSigned ? loadAs<int32_t>(warp, instruction, lanes, form.space)
                         : loadAs<uint32_t>(warp, instruction, lanes, form.space);
  default:
    return loadAs<uint64_t>(warp, instruction, lanes, form.space);
  }
}

void store(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  const Form form = Form::decode(instruction.variant);
  const unsigned size = form.bytes();
  forLanes(lanes, [&](unsigned lane) {
    uint8_t *to = warp.access(instruction, lane, form.space, warp.addressOf(instruction, lane),
                              size * instruction.vector, Use::Write);
    for (unsigned i = 0; i < instruction.vector; ++i)
      std::memcpy(to + i * size, &warp.slot(instruction.slots[i])[lane], size);
  });
}

// The bytes are read now, and arrive as late as they may: when a wait says so. Slots:
// size, how many of the bytes are read (the others are zeros).
void copyAsync(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  forLanes(lanes, [&](unsigned lane) {
    const auto size = static_cast<unsigned>(warp.slot(instruction.slots[0])[lane]);
    const auto read = static_cast<unsigned>(warp.slot(instruction.slots[1])[lane]);
    const uint64_t to = warp.addressOf(instruction, lane, 0), from = warp.addressOf(instruction, lane, 1);
    if (size > 16 || read > size || from % size)
      warp.fail(instruction, lane, "copies 4, 8 or 16 bytes from an address that is a multiple of them");
    warp.access(instruction, lane, Space::Shared, to, size, Use::Write);
    Warp::Copy copy = {to - kSharedBase, {}, size};
    for (unsigned i = 0, bytes = 0; i < read; i += bytes) {
      bytes = i + 4 <= read ? 4 : 1;
      std::memcpy(&copy.bytes[i], warp.access(instruction, lane, Space::Global, from + i, bytes, Use::Read), bytes);
    }
    for (unsigned i = 0; i < size; ++i)
      warp.block.pendingCopies[copy.to + i] = 1;
    warp.block.pendingCount += 1;
    warp.copies[lane].open.push_back(copy);
  });
}

void commitCopies(Warp &warp, const Instruction &, uint32_t lanes) {
  forLanes(lanes, [&](unsigned lane) {
    Warp::Copies &copies = warp.copies[lane];
    copies.groups.push_back(std::move(copies.open));
    copies.open.clear();
  });
}

/// Until at most `most` groups are on their way.
void arrive(Warp &warp, const Instruction &instruction, unsigned lane, uint64_t most) {
  auto &groups = warp.copies[lane].groups;
  for (; groups.size() > most; groups.pop_front())
    for (const Warp::Copy &copy : groups.front()) {
      for (unsigned i = 0; i < copy.size; ++i)
        warp.block.pendingCopies[copy.to + i] = 0;
      warp.block.pendingCount -= 1;
      std::memcpy(warp.access(instruction, lane, Space::Shared, copy.to + kSharedBase, copy.size, Use::Write),
                  copy.bytes.data(), copy.size);
    }
}
void waitForGroups(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  forLanes(lanes, [&](unsigned lane) { arrive(warp, instruction, lane, warp.slot(instruction.slots[0])[lane]); });
}
void waitForAll(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  commitCopies(warp, instruction, lanes);
  forLanes(lanes, [&](unsigned lane) { arrive(warp, instruction, lane, 0); });
}

std::vector<std::string> partsOf(const std::string &mnemonic) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= mnemonic.size();) {
    size_t end = mnemonic.find('.', at);
    end = end == std::string::npos ? mnemonic.size() : end;
    parts.push_back(mnemonic.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

} // namespace

bool ptx::decodeAccess(const std::string &mnemonic, Instruction &instruction, std::string &why) {
  if (mnemonic.compare(0, 9, "cp.async.") == 0) {
    if (mnemonic == "cp.async.commit_group")
      instruction.execute = commitCopies;
    else if (mnemonic == "cp.async.wait_group")
      instruction.execute = waitForGroups;
    else if (mnemonic == "cp.async.wait_all")
      instruction.execute = waitForAll;
    else if (mnemonic.compare(9, 9, "cg.shared") == 0 || mnemonic.compare(9, 9, "ca.shared") == 0)
      instruction.execute = copyAsync;
    else
      why = "is a copy that is unknown here";
    return true;
  }
  std::vector<std::string> parts = partsOf(mnemonic);
  if (parts[0] != "ld" && parts[0] != "st")
    return false;
  Form form;
  bool isTyped = false;
  for (size_t i = 1; i < parts.size(); ++i) {
    const std::string &part = parts[i];
    if (part == "global" || part == "const")
      form.space = Space::Global;
    else if (part == "shared")
      form.space = Space::Shared;
    else if (part == "param")
      form.space = Space::Parameter;
    else if (part == "local")
      why = "uses local memory: registers spill, or an array has no place in them";
    else if (part == "v2" || part == "v4" || part == "v8")
      instruction.vector = static_cast<uint8_t>(part[1] - '0');
    else if (i + 1 == parts.size() && part.size() > 1 && std::strchr("busf", part[0])) {
      form.isSigned = part[0] == 's';
      const std::string bits = part.substr(1);
      isTyped = bits == "8" || bits == "16" || bits == "32" || bits == "64";
      form.logBytes = static_cast<uint8_t>(bits == "8" ? 0 : bits == "16" ? 1 : bits == "32" ? 2 : 3);
    } else if (part != "nc" && part != "weak" && part != "ca" && part != "cg" && part != "cs" && part != "lu" &&
               part != "wb" && part.compare(0, 4, "L1::") != 0 && part.compare(0, 4, "L2::") != 0)
      why = "has the modifier ." + part + ", which is unknown here";
  }
  if (why.empty() && !isTyped)
    why = "has a type that is unknown here";
  instruction.variant = form.encode();
  const bool isLoad = parts[0] == "ld";
  instruction.execute = isLoad ? load : store;
  instruction.results = isLoad ? instruction.vector : 0;
  return true;
}
