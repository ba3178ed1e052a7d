#include "core/Code.h"
#include "core/Manifest.h"
#include "core/Sha256.h"

#include <cstddef>

using namespace txrt;

using ull = unsigned long long;

// CUDA's limits for one block: its threads, and its bytes of shared memory.
static constexpr uint32_t maxThreads = 1024, maxSharedBytes = 227 * 1024;
static constexpr uint64_t maxExtent = uint64_t(1) << 48;

namespace txrt {

class CodeReader {
public:
  CodeReader(Code &code, const std::string &artifact, Span unit) : code(code), artifact(artifact), unit(unit) {}

  void read() {
    readEnd();
    checkDigest();
    readParts();
    for (uint32_t i = 0; i < code.operands.size(); ++i)
      checkOperand(i);
    for (uint32_t i = 0; i < code.functions.size(); ++i)
      checkFunction(i);
    for (uint32_t i = 0; i < code.images.size(); ++i)
      checkImage(i);
  }

private:
  [[noreturn]] void refuse(const std::string &what) const {
    fail(TXRT_BAD_INPUT, "%s: code: %s", artifact.c_str(), what.c_str());
  }

  void readEnd() {
    if (unit.size < sizeof end)
      refuse(format("%llu bytes, fewer than what stands at its end (%zu)", static_cast<ull>(unit.size), sizeof end));
    memcpy(&end, unit.data + unit.size - sizeof end, sizeof end);
    if (memcmp(end.magic, TXRT_CODE_MAGIC, sizeof end.magic) != 0)
      refuse("does not end as code does (wrong magic)");
    // Counts have 32 bits and the size is below 2^48, so the sum has no overflow.
    const uint64_t parts = uint64_t(end.function_count) * sizeof(txrt_function) +
                           uint64_t(end.operand_count) * sizeof(txrt_operand) +
                           uint64_t(end.image_count) * sizeof(txrt_gpu_image) + end.name_bytes + sizeof end;
    if (end.code_bytes > maxExtent || end.code_bytes + parts != unit.size ||
        end.code_bytes % TXRT_SECTION_ALIGNMENT != 0)
      refuse(format("%llu bytes of it with %u functions, %u operands, %u images "
                    "and %u bytes of names are not the section's %llu bytes",
                    static_cast<ull>(end.code_bytes), end.function_count, end.operand_count, end.image_count,
                    end.name_bytes, static_cast<ull>(unit.size)));
  }

  void checkDigest() const {
    const uint8_t zeros[sizeof end.digest] = {};
    const uint64_t at = unit.size - sizeof end + offsetof(txrt_code_end, digest);
    const uint64_t after = at + sizeof zeros;
    Sha256 sha;
    sha.update(unit.data, at);
    sha.update(zeros, sizeof zeros);
    sha.update(unit.data + after, unit.size - after);
    Sha256::Digest digest = sha.finish();
    if (memcmp(digest.data(), end.digest, digest.size()) != 0)
      refuse("is not what the compiler made: it does not have its digest");
  }

  void readParts() {
    code.instructions = {unit.data, end.code_bytes};
    const uint8_t *next = unit.data + end.code_bytes;
    auto take = [&](auto &items, uint32_t count) {
      items.resize(count);
      const uint64_t bytes = count * sizeof(items[0]);
      if (bytes)
        memcpy(items.data(), next, bytes);
      next += bytes;
    };
    take(code.functions, end.function_count);
    take(code.operands, end.operand_count);
    take(code.images, end.image_count);
    code.names = reinterpret_cast<const char *>(next);
    if (end.name_bytes && code.names[end.name_bytes - 1] != 0)
      refuse("its names do not end with a NUL");
  }

  void checkOperand(uint32_t index) const {
    const txrt_operand &o = code.operands[index];
    const uint64_t element = dtypeBytes(o.dtype);
    if (!element || o.bytes % element != 0 || o.bytes > maxExtent || o.writes > 1 || o.unread > 1)
      refuse(format("operand %u: %llu bytes of dtype %u, or a flag is neither 0 "
                    "nor 1",
                    index, static_cast<ull>(o.bytes), o.dtype));
  }

  void checkFunction(uint32_t index) {
    const txrt_function &f = code.functions[index];
    if (f.name >= end.name_bytes)
      refuse(format("function %u: its name is outside the names", index));
    const std::string name = code.names + f.name;
    const std::string who = "function '" + printable(name) + "': ";
    if (!code.places.insert({name, index}).second)
      refuse(who + "is there twice");
    if (uint64_t(f.first_operand) + f.operand_count > code.operands.size() || f.immediate_count > TXRT_MAX_IMMEDIATES ||
        f.units > maxExtent)
      refuse(who + format("%u operands from %u on of %zu, %u immediates (at most "
                          "%u), %llu units",
                          f.operand_count, f.first_operand, code.operands.size(), f.immediate_count,
                          TXRT_MAX_IMMEDIATES, static_cast<ull>(f.units)));
    const bool isForGpu = !code.images.empty();
    const txrt_gpu_kernel &g = f.gpu;
    if (isForGpu && (g.threads == 0 || g.threads > maxThreads || g.units_per_block == 0 ||
                     g.units_per_block > maxExtent || g.shared_bytes > maxSharedBytes))
      refuse(who + format("%u threads (1 to %u) and %u bytes of shared memory (at "
                          "most %u) for %llu units",
                          g.threads, maxThreads, g.shared_bytes, maxSharedBytes, static_cast<ull>(g.units_per_block)));
    if (!isForGpu && f.entry >= code.instructions.size)
      refuse(who + format("begins at %llu of %llu bytes of code", static_cast<ull>(f.entry),
                          static_cast<ull>(code.instructions.size)));
  }

  void checkImage(uint32_t index) const {
    const txrt_gpu_image &image = code.images[index];
    const uint64_t room = code.instructions.size;
    if (image.kind > TXRT_GPU_PTX || image.bytes == 0 || image.offset > room || image.bytes > room - image.offset)
      refuse(format("GPU image %u: of an unknown kind, or %llu bytes at %llu are "
                    "not inside the code (%llu)",
                    index, static_cast<ull>(image.bytes), static_cast<ull>(image.offset), static_cast<ull>(room)));
    if (image.kind == TXRT_GPU_PTX && code.instructions.data[image.offset + image.bytes - 1] != 0)
      refuse(format("GPU image %u: its PTX does not end with a NUL", index));
  }

  Code &code;
  const std::string &artifact;
  Span unit;
  txrt_code_end end = {};
};

} // namespace txrt

Code::Code(const std::string &artifact, Span unit) { CodeReader(*this, artifact, unit).read(); }

int64_t Code::find(const std::string &name) const {
  auto found = places.find(name);
  return found == places.end() ? int64_t(-1) : found->second;
}
