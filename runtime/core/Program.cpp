#include "core/Program.h"

#include <cmath>
#include <set>

using namespace txrt;

using ull = unsigned long long;
using u128 = unsigned __int128;

// Products of two such numbers, summed a few times, fit in 128 bits.
static constexpr uint64_t maxExtent = uint64_t(1) << 48;
static constexpr uint32_t maxKernelBuffers = 1024;
static constexpr uint32_t maxRanks = 1u << 20;
// CUDA's limits: threads of a block, and what it can have of shared memory.
static constexpr uint32_t maxThreads = 1024, maxSharedBytes = 227 * 1024;

GemmOperand txrt::gemmOperand(const txrt_gemm_launch &g, int operand) {
  switch (operand) {
  case 0:
    return g.transpose_a
               ? GemmOperand{g.k, g.m, g.lda, g.stride_a0, g.stride_a1}
               : GemmOperand{g.m, g.k, g.lda, g.stride_a0, g.stride_a1};
  case 1:
    return g.transpose_b
               ? GemmOperand{g.n, g.k, g.ldb, g.stride_b0, g.stride_b1}
               : GemmOperand{g.k, g.n, g.ldb, g.stride_b0, g.stride_b1};
  default:
    return GemmOperand{g.m, g.n, g.ldc, g.stride_c0, g.stride_c1};
  }
}

Program::Program(const Container &container, const Manifest &manifest)
    : container(container), manifest(manifest) {
  readTables();
  layOutArena();
  checkBuffers();
  checkKernels();
  checkGpuCode();
  for (uint32_t i = 0; i < launches.size(); ++i)
    checkLaunch(i);
  checkEntries();
}

void Program::refuse(const std::string &what) const {
  fail(TXRT_BAD_INPUT, "%s: %s", container.name().c_str(), what.c_str());
}

void Program::readTables() {
  entries = container.table<txrt_entry>(TXRT_SECTION_ENTRIES);
  launches = container.table<txrt_launch>(TXRT_SECTION_LAUNCHES);
  buffers = container.table<txrt_buffer>(TXRT_SECTION_BUFFERS);
  kernels = container.table<txrt_kernel>(TXRT_SECTION_KERNELS);
  for (uint64_t size : {uint64_t(entries.size()), uint64_t(launches.size()),
                        uint64_t(buffers.size()), uint64_t(kernels.size())})
    if (size > uint64_t(INT32_MAX))
      refuse(format("a table has %llu items", static_cast<ull>(size)));
  gpuKernels = container.table<txrt_gpu_kernel>(TXRT_SECTION_GPU_KERNELS);
  gpuImages = container.table<txrt_gpu_image>(TXRT_SECTION_GPU_IMAGES);
  Span strings = container.section(TXRT_SECTION_STRINGS);
  if (!strings.size || strings.data[strings.size - 1] != 0)
    refuse("section strings does not end with a NUL");
  for (const std::string &feature : manifest.features)
    features.push_back(feature.c_str());

  data.name = container.name().c_str();
  data.target_backend = manifest.backend.c_str();
  data.target_triple = manifest.triple.c_str();
  data.target_features = features.data();
  data.target_feature_count = static_cast<uint32_t>(features.size());
  data.entries = entries.data();
  data.launches = launches.data();
  data.buffers = buffers.data();
  data.kernels = kernels.data();
  data.entry_count = static_cast<uint32_t>(entries.size());
  data.launch_count = static_cast<uint32_t>(launches.size());
  data.buffer_count = static_cast<uint32_t>(buffers.size());
  data.kernel_count = static_cast<uint32_t>(kernels.size());
  data.strings = reinterpret_cast<const char *>(strings.data);
  Span elf = container.section(TXRT_SECTION_HOST_ELF);
  data.host_elf = elf.data;
  data.host_elf_bytes = elf.size;
  if (container.has(TXRT_SECTION_GPU_KERNELS))
    data.gpu_kernels = gpuKernels.data();
  data.gpu_images = gpuImages.data();
  data.gpu_image_count = static_cast<uint32_t>(gpuImages.size());
  data.gpu_code = container.section(TXRT_SECTION_GPU_CODE).data;
}

void Program::layOutArena() {
  // The manifest's reader has made sure that the sum does not overflow.
  for (uint32_t s = 0; s < TXRT_SEGMENT_COUNT; ++s) {
    data.segment_base[s] = data.arena_bytes;
    data.segment_bytes[s] = manifest.segmentBytes[s];
    data.arena_bytes += manifest.segmentBytes[s];
  }
}

const char *Program::name(uint32_t offset, const std::string &what) const {
  if (offset >= container.section(TXRT_SECTION_STRINGS).size)
    refuse(what + format(": name at %u is outside section strings", offset));
  return data.strings + offset;
}

std::string Program::describe(uint32_t launch) const {
  std::string who = format("launch %u", launch);
  return who + " (" + printable(name(launches[launch].name, who)) + ")";
}

void Program::checkBuffers() const {
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    const txrt_buffer &b = buffers[i];
    auto bad = [&](const std::string &what) {
      refuse(format("buffer %u: ", i) + what);
    };
    if (b.segment >= TXRT_SEGMENT_COUNT)
      bad(format("unknown segment %u", b.segment));
    uint64_t size = dtypeBytes(b.dtype);
    if (!size)
      bad(format("unknown dtype %u", b.dtype));
    if (b.writes > 1 || b.reserved)
      bad("'writes' is neither 0 nor 1, or a reserved field is not zero");
    uint64_t room = data.segment_bytes[b.segment];
    if (b.offset > room || b.bytes > room - b.offset)
      bad(format("%llu bytes at %llu end outside segment %s (%llu)",
                 static_cast<ull>(b.bytes), static_cast<ull>(b.offset),
                 segmentName(b.segment), static_cast<ull>(room)));
    if (b.offset % size != 0 || b.bytes % size != 0)
      bad(format("%llu bytes at %llu are not aligned to %s",
                 static_cast<ull>(b.bytes), static_cast<ull>(b.offset),
                 dtypeName(b.dtype)));
  }
}

void Program::checkKernels() const {
  for (uint32_t i = 0; i < kernels.size(); ++i) {
    const txrt_kernel &k = kernels[i];
    std::string who = format("kernel %u", i);
    if (!*name(k.name, who))
      refuse(who + ": has no name");
    if (k.buffer_count > maxKernelBuffers ||
        k.immediate_count > TXRT_MAX_IMMEDIATES || k.reserved)
      refuse(who + format(": takes %u buffers (at most %u) and %u immediates "
                          "(at most %u), or a reserved field is not zero",
                          k.buffer_count, maxKernelBuffers, k.immediate_count,
                          TXRT_MAX_IMMEDIATES));
  }
}

void Program::checkGpuCode() const {
  bool all = true, any = false;
  for (txrt_section_kind kind : {TXRT_SECTION_GPU_KERNELS,
                                 TXRT_SECTION_GPU_IMAGES,
                                 TXRT_SECTION_GPU_CODE}) {
    all &= container.has(kind);
    any |= container.has(kind);
  }
  if (!any)
    return;
  if (!all || gpuKernels.size() != kernels.size())
    refuse(format("GPU code needs its three sections; section gpu_kernels has "
                  "%zu items for %zu kernels",
                  gpuKernels.size(), kernels.size()));
  for (uint32_t i = 0; i < gpuKernels.size(); ++i) {
    const txrt_gpu_kernel &k = gpuKernels[i];
    if (k.threads == 0 || k.threads > maxThreads || k.units_per_block == 0 ||
        k.units_per_block > maxExtent || k.shared_bytes > maxSharedBytes)
      refuse(format("GPU kernel %u: %u threads (1 to %u) and %u bytes of "
                    "shared memory (at most %u) for %llu units",
                    i, k.threads, maxThreads, k.shared_bytes, maxSharedBytes,
                    static_cast<ull>(k.units_per_block)));
  }
  Span code = container.section(TXRT_SECTION_GPU_CODE);
  for (uint32_t i = 0; i < gpuImages.size(); ++i) {
    const txrt_gpu_image &image = gpuImages[i];
    if (image.kind > TXRT_GPU_PTX || image.bytes == 0 ||
        image.offset > code.size || image.bytes > code.size - image.offset)
      refuse(format("GPU image %u: of an unknown kind, or %llu bytes at %llu "
                    "are not inside section gpu_code (%llu)",
                    i, static_cast<ull>(image.bytes),
                    static_cast<ull>(image.offset),
                    static_cast<ull>(code.size)));
    if (image.kind == TXRT_GPU_PTX &&
        code.data[image.offset + image.bytes - 1] != 0)
      refuse(format("GPU image %u: its PTX does not end with a NUL", i));
  }
}

void Program::checkEntries() const {
  std::set<std::string> names;
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const txrt_entry &e = entries[i];
    std::string who = format("entry %u", i);
    std::string text = name(e.name, who);
    if (!names.insert(text).second)
      refuse(who + ": '" + printable(text) + "' is there twice");
    if (uint64_t(e.first_launch) + e.launch_count > launches.size() ||
        e.reserved)
      refuse(who + format(": launches %u to %u of %zu, or a reserved field is "
                          "not zero",
                          e.first_launch, e.first_launch + e.launch_count,
                          launches.size()));
  }
  std::set<std::string> declared(manifest.entries.begin(),
                                 manifest.entries.end());
  for (const std::string &text : names)
    if (!declared.count(text))
      refuse("entry '" + printable(text) + "' is not in the manifest");
  for (const std::string &text : declared)
    if (!names.count(text))
      refuse("the manifest's entry '" + printable(text) +
             "' is not in section entries");
}

void Program::checkLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  std::string who = describe(index);
  if (l.phase > TXRT_PHASE_OPTIMIZER)
    refuse(who + format(": unknown phase %u", l.phase));
  if (l.layer < -1)
    refuse(who + format(": layer %d", l.layer));
  if (uint64_t(l.first_buffer) + l.buffer_count > buffers.size())
    refuse(who + format(": %u buffers from %u on; there are %zu",
                        l.buffer_count, l.first_buffer, buffers.size()));
  if (l.kind == TXRT_LAUNCH_KERNEL)
    checkKernelLaunch(index);
  else if (l.kind == TXRT_LAUNCH_GEMM)
    checkGemmLaunch(index);
  else if (l.kind == TXRT_LAUNCH_COLLECTIVE)
    checkCollectiveLaunch(index);
  else
    refuse(who + format(": unknown kind %u", l.kind));
}

void Program::checkKernelLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_kernel_launch &k = l.u.kernel;
  if (k.kernel >= kernels.size())
    refuse(describe(index) + format(": kernel %u of %zu", k.kernel,
                                    kernels.size()));
  const txrt_kernel &kernel = kernels[k.kernel];
  if (l.buffer_count != kernel.buffer_count ||
      k.immediate_count != kernel.immediate_count)
    refuse(describe(index) +
           format(": gives %u buffers and %u immediates; the kernel takes %u "
                  "and %u",
                  l.buffer_count, k.immediate_count, kernel.buffer_count,
                  kernel.immediate_count));
  if (k.units == 0 || k.grain == 0 || k.units > maxExtent ||
      k.grain > maxExtent)
    refuse(describe(index) + format(": %llu units in grains of %llu; both are "
                                    "1 to 2^48",
                                    static_cast<ull>(k.units),
                                    static_cast<ull>(k.grain)));
}

void Program::checkCollectiveLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_collective_launch &c = l.u.collective;
  auto bad = [&](const std::string &what) {
    refuse(describe(index) + ": " + what);
  };
  if (c.collective >= TXRT_COLLECTIVE_COUNT)
    bad(format("unknown collective %u", c.collective));
  name(c.axis, describe(index) + ": axis");
  if (c.ranks == 0 || c.stride == 0 || c.wraps > 1 ||
      uint64_t(c.ranks) * c.stride > maxRanks)
    bad(format("%u ranks, %u apart (1 to %u in all), or a flag is neither 0 "
               "nor 1",
               c.ranks, c.stride, maxRanks));
  if (l.buffer_count != 2)
    bad(format("%u buffers; expected operand and result", l.buffer_count));
  const bool sums = c.collective == TXRT_ALL_REDUCE ||
                    c.collective == TXRT_REDUCE_SCATTER ||
                    c.collective == TXRT_REDUCE;
  const bool hasRoot =
      c.collective == TXRT_BROADCAST || c.collective == TXRT_REDUCE;
  if (hasRoot && (c.peer < 0 || uint32_t(c.peer) >= c.ranks))
    bad(format("root %d of %u ranks", c.peer, c.ranks));
  const txrt_buffer &from = buffers[l.first_buffer];
  const txrt_buffer &to = buffers[l.first_buffer + 1];
  if (from.dtype != to.dtype || (sums && from.dtype == TXRT_DTYPE_I1))
    bad(format("%s of %s to %s", collectiveName(c.collective),
               dtypeName(from.dtype), dtypeName(to.dtype)));
  // Parts are whole numbers of elements.
  u128 parts = c.outer, results = c.count;
  if (c.collective == TXRT_REDUCE_SCATTER || c.collective == TXRT_ALL_TO_ALL)
    parts *= c.ranks;
  if (c.count == 0 || c.count > maxExtent || c.outer == 0 ||
      parts > c.count || c.count % static_cast<uint64_t>(parts) != 0)
    bad(format("%llu elements in %llu blocks for %u ranks",
               static_cast<ull>(c.count), static_cast<ull>(c.outer), c.ranks));
  if (c.collective == TXRT_ALL_GATHER)
    results *= c.ranks;
  if (c.collective == TXRT_REDUCE_SCATTER)
    results /= c.ranks;
  const uint64_t element = dtypeBytes(from.dtype);
  if (from.bytes != c.count * element || to.bytes != results * element)
    bad(format("%llu elements in buffers of %llu and %llu bytes",
               static_cast<ull>(c.count), static_cast<ull>(from.bytes),
               static_cast<ull>(to.bytes)));
  if (from.writes || !to.writes)
    bad("the operand is marked as written, or the result as not written");
  const bool inPlace =
      c.collective == TXRT_ALL_REDUCE || c.collective == TXRT_BROADCAST;
  if (from.segment == to.segment &&
      !(inPlace && from.offset == to.offset) &&
      from.offset < to.offset + to.bytes && to.offset < from.offset + from.bytes)
    bad("the result overlaps the operand and is not the same bytes");
}

void Program::checkGemmLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_gemm_launch &g = l.u.gemm;
  auto bad = [&](const std::string &what) {
    refuse(describe(index) + ": " + what);
  };
  if (g.transpose_a > 1 || g.transpose_b > 1 || g.has_reset > 1)
    bad("a flag is neither 0 nor 1");
  for (uint8_t byte : g.reserved)
    if (byte)
      bad("a reserved field is not zero");
  if (!std::isfinite(g.alpha) || !std::isfinite(g.beta))
    bad("alpha or beta is not finite");
  for (uint64_t extent : {g.m, g.n, g.k, g.batch0, g.batch1})
    if (extent == 0 || extent > maxExtent)
      bad(format("m %llu, n %llu, k %llu, batch %llu x %llu; all are 1 to 2^48",
                 static_cast<ull>(g.m), static_cast<ull>(g.n),
                 static_cast<ull>(g.k), static_cast<ull>(g.batch0),
                 static_cast<ull>(g.batch1)));
  if (l.buffer_count != 3u + g.has_reset)
    bad(format("%u buffers; expected A, B, C%s", l.buffer_count,
               g.has_reset ? " and the reset flag" : ""));

  const txrt_buffer *operands = &buffers[l.first_buffer];
  static const char *const names[] = {"A", "B", "C"};
  for (int i = 0; i < 3; ++i) {
    const txrt_buffer &buffer = operands[i];
    GemmOperand o = gemmOperand(g, i);
    if (buffer.dtype != TXRT_DTYPE_F32 && buffer.dtype != TXRT_DTYPE_BF16)
      bad(format("%s is %s; a GEMM takes f32 or bf16", names[i],
                 dtypeName(buffer.dtype)));
    if (o.leading < o.columns || o.leading > maxExtent ||
        o.stride0 > maxExtent || o.stride1 > maxExtent)
      bad(format("%s: leading dimension %llu for rows of %llu, or a stride "
                 "beyond 2^48",
                 names[i], static_cast<ull>(o.leading),
                 static_cast<ull>(o.columns)));
    u128 elements = u128(g.batch0 - 1) * o.stride0 +
                    u128(g.batch1 - 1) * o.stride1 +
                    u128(o.rows - 1) * o.leading + o.columns;
    if (elements * dtypeBytes(buffer.dtype) > buffer.bytes)
      bad(format("%s reaches beyond its buffer of %llu bytes", names[i],
                 static_cast<ull>(buffer.bytes)));
    if (buffer.writes != (i == 2))
      bad(format("%s is marked as %s", names[i],
                 buffer.writes ? "written" : "not written"));
  }
  if (operands[0].dtype != operands[1].dtype)
    bad("A and B differ in dtype");
  // Two tasks would write the same matrix, in any order.
  if ((g.batch0 > 1 && g.stride_c0 == 0) || (g.batch1 > 1 && g.stride_c1 == 0))
    bad("the matrices of C lie on each other");
  const txrt_buffer &c = operands[2];
  for (int i = 0; i < 2; ++i)
    if (operands[i].segment == c.segment &&
        operands[i].offset < c.offset + c.bytes &&
        c.offset < operands[i].offset + operands[i].bytes)
      bad(format("C overlaps %s", names[i]));
  if (g.has_reset) {
    const txrt_buffer &reset = operands[3];
    if (reset.dtype != TXRT_DTYPE_I1 || reset.bytes != 1 || reset.writes)
      bad("the reset flag is not one i1 that is only read");
  }
}
