#include "LaunchTable.h"

#include "llvm/Support/SHA256.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

using namespace txtest;

//===--------------------------------------------------------------------------------------------------------------===//
// The tables of abi.h
//===--------------------------------------------------------------------------------------------------------------===//

template <typename T> llvm::MutableArrayRef<T> LaunchTable::section(uint32_t kind) {
  auto *header = reinterpret_cast<txrt_header *>(artifact.data());
  auto *sections = reinterpret_cast<txrt_section *>(header + 1);
  for (uint32_t i = 0; i < header->section_count; ++i)
    if (sections[i].kind == kind)
      return {reinterpret_cast<T *>(artifact.data() + sections[i].offset),
              static_cast<size_t>(sections[i].bytes / sizeof(T))};
  return {};
}

txrt_entry &LaunchTable::entry(llvm::StringRef name) {
  const char *strings = section<char>(TXRT_SECTION_STRINGS).data();
  return *llvm::find_if(section<txrt_entry>(TXRT_SECTION_ENTRIES),
                        [&](const txrt_entry &entry) { return strings + entry.name == name; });
}

llvm::MutableArrayRef<txrt_launch> LaunchTable::launches(llvm::StringRef name) {
  const txrt_entry &range = entry(name);
  return section<txrt_launch>(TXRT_SECTION_LAUNCHES).slice(range.first_launch, range.launch_count);
}

llvm::MutableArrayRef<txrt_buffer> LaunchTable::operands(const txrt_launch &launch) {
  return section<txrt_buffer>(TXRT_SECTION_BUFFERS).slice(launch.first_buffer, launch.buffer_count);
}

const txrt_attention *LaunchTable::attention(const txrt_launch &launch) {
  if (launch.kind != TXRT_LAUNCH_KERNEL || !launch.u.kernel.attention)
    return nullptr;
  return &section<txrt_attention>(TXRT_SECTION_ATTENTIONS)[launch.u.kernel.attention - 1];
}

const char *LaunchTable::name(const txrt_launch &launch) {
  return section<char>(TXRT_SECTION_STRINGS).data() + launch.name;
}

void LaunchTable::seal() {
  auto *header = reinterpret_cast<txrt_header *>(artifact.data());
  memset(header->digest, 0, sizeof(header->digest));
  auto digest = llvm::SHA256::hash({reinterpret_cast<uint8_t *>(artifact.data()), artifact.size()});
  memcpy(header->digest, digest.data(), sizeof(header->digest));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Measuring
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// Who wrote each byte of the transient segment last.
class TransientBytes {
public:
  explicit TransientBytes(int64_t &saved) : saved(saved) {}

  void run(const txrt_launch &launch, llvm::ArrayRef<txrt_buffer> operands) {
    // A launch may write over what it reads.
    for (bool writes : {false, true})
      for (const txrt_buffer &buffer : operands)
        if (buffer.segment == TXRT_SEGMENT_TRANSIENT && buffer.writes == writes)
          touch(buffer, launch.phase);
  }

private:
  enum Owner : char { Nobody, Forward, Later, Saved };

  void touch(const txrt_buffer &buffer, uint32_t phase) {
    uint64_t end = buffer.offset + buffer.bytes;
    if (owners.size() < end)
      owners.resize(end, Nobody);
    bool isForward = phase == TXRT_PHASE_FORWARD;
    for (uint64_t byte = buffer.offset; byte < end; ++byte) {
      if (buffer.writes)
        owners[byte] = isForward ? Forward : Later;
      else if (!isForward && owners[byte] == Forward) {
        owners[byte] = Saved;
        ++saved;
      }
    }
  }

  int64_t &saved;
  std::vector<Owner> owners;
};

} // namespace

RecomputeWork txtest::measureRecompute(std::vector<char> artifact) {
  LaunchTable table(artifact);
  RecomputeWork work;
  TransientBytes bytes(work.savedBytes);
  int sinceForward = 0;
  for (const txrt_launch &launch : table.launches("microbatch")) {
    bytes.run(launch, table.operands(launch));
    if (launch.phase == TXRT_PHASE_FORWARD) {
      work.early += sinceForward;
      sinceForward = 0;
      continue;
    }
    bool isProduct = launch.kind == TXRT_LAUNCH_GEMM;
    bool isTile = llvm::StringRef(table.name(launch)).contains(":tile");
    if (!isProduct && !isTile)
      work.vectorFlops += launch.flops;
    if (launch.phase != TXRT_PHASE_RECOMPUTE)
      continue;
    ++work.launches;
    ++sinceForward;
    work.products += isProduct || isTile;
    if (isProduct)
      work.productFlops += launch.flops;
    if (isTile)
      work.tileFlops += launch.flops;
  }
  return work;
}
