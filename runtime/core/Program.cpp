#include "core/Program.h"
#include "core/Dependences.h"

#include <algorithm>
#include <set>

using namespace txrt;

using ull = unsigned long long;
using u128 = unsigned __int128;

static constexpr uint32_t maxKernelBuffers = 1024;
static constexpr uint32_t maxRanks = 1u << 20;

Program::Program(const Container &container, const Manifest &manifest) : container(container), manifest(manifest) {
  readTables();
  layOutArena();
  checkBuffers();
  checkKernels();
  findFunctions();
  for (uint32_t i = 0; i < launches.size(); ++i)
    checkLaunch(i);
  checkEntries();
  namePlaces();
  checkWaits(data);
}

static std::string describeUse(uint64_t bytes, uint32_t writes, uint32_t unread) {
  return format("%llu bytes that it %s", static_cast<ull>(bytes),
                writes   ? "writes"
                : unread ? "does not read"
                         : "reads");
}

void Program::refuse(const std::string &what) const {
  fail(TXRT_BAD_INPUT, "%s: %s", container.name().c_str(), what.c_str());
}

void Program::readTables() {
  entries = container.table<txrt_entry>(TXRT_SECTION_ENTRIES);
  launches = container.table<txrt_launch>(TXRT_SECTION_LAUNCHES);
  buffers = container.table<txrt_buffer>(TXRT_SECTION_BUFFERS);
  kernels = container.table<txrt_kernel>(TXRT_SECTION_KERNELS);
  for (uint64_t size :
       {uint64_t(entries.size()), uint64_t(launches.size()), uint64_t(buffers.size()), uint64_t(kernels.size())})
    if (size > uint64_t(INT32_MAX))
      refuse(format("a table has %llu items", static_cast<ull>(size)));
  if (container.has(TXRT_SECTION_CODE))
    code = Code(container.name(), container.section(TXRT_SECTION_CODE));
  attentions = container.table<txrt_attention>(TXRT_SECTION_ATTENTIONS);
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
  data.attentions = attentions.data();
  data.entry_count = static_cast<uint32_t>(entries.size());
  data.launch_count = static_cast<uint32_t>(launches.size());
  data.buffer_count = static_cast<uint32_t>(buffers.size());
  data.kernel_count = static_cast<uint32_t>(kernels.size());
  data.strings = reinterpret_cast<const char *>(strings.data);
  data.code = code.instructions.data;
  data.code_bytes = code.instructions.size;
  data.functions = code.functions.data();
  data.function_count = static_cast<uint32_t>(code.functions.size());
  data.function_names = code.names;
  data.gpu_images = code.images.data();
  data.gpu_image_count = static_cast<uint32_t>(code.images.size());
}

void Program::layOutArena() {
  // The sum does not overflow: readManifest has checked it.
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

std::string txrt::describeLaunch(const txrt_program &program, uint32_t launch) {
  return format("launch %u (%s)", launch, printable(program.strings + program.launches[launch].name).c_str());
}

void Program::checkBuffers() const {
  for (uint32_t i = 0; i < buffers.size(); ++i) {
    const txrt_buffer &b = buffers[i];
    auto bad = [&](const std::string &what) { refuse(format("buffer %u: ", i) + what); };
    if (b.segment >= TXRT_SEGMENT_COUNT)
      bad(format("unknown segment %u", b.segment));
    uint64_t size = dtypeBytes(b.dtype);
    if (!size)
      bad(format("unknown dtype %u", b.dtype));
    if (b.writes > 1)
      bad("'writes' is neither 0 nor 1");
    if (b.unread > 1)
      bad("'unread' is neither 0 nor 1");
    if (b.writes && b.unread)
      bad("is written, and said to be there for its place alone");
    uint64_t room = data.segment_bytes[b.segment];
    if (b.offset > room || b.bytes > room - b.offset)
      bad(format("%llu bytes at %s+0x%llx end outside the segment's %llu", static_cast<ull>(b.bytes),
                 txrt_segment_name(b.segment), static_cast<ull>(b.offset), static_cast<ull>(room)));
    if (b.offset % size != 0 || b.bytes % size != 0)
      bad(format("%llu bytes at %s+0x%llx are not aligned to %s", static_cast<ull>(b.bytes),
                 txrt_segment_name(b.segment), static_cast<ull>(b.offset), dtypeName(b.dtype)));
  }
}

void Program::checkKernels() const {
  for (uint32_t i = 0; i < kernels.size(); ++i) {
    const txrt_kernel &k = kernels[i];
    std::string who = format("kernel %u", i);
    if (!*name(k.name, who))
      refuse(who + ": has no name");
    if (k.buffer_count > maxKernelBuffers || k.immediate_count > TXRT_MAX_IMMEDIATES || k.reserved)
      refuse(who + format(": takes %u buffers (at most %u) and %u immediates "
                          "(at most %u), or a reserved field is not zero",
                          k.buffer_count, maxKernelBuffers, k.immediate_count, TXRT_MAX_IMMEDIATES));
  }
}

/// Finds the function of each kernel in the code. An artifact without code has no functions; dryrun can print its
/// table.
void Program::findFunctions() {
  if (!container.has(TXRT_SECTION_CODE))
    return;
  for (uint32_t i = 0; i < kernels.size(); ++i) {
    const txrt_kernel &k = kernels[i];
    const std::string text = data.strings + k.name;
    const int64_t place = code.find(text);
    if (place < 0)
      refuse(format("kernel %u: the code has no function '%s'", i, printable(text).c_str()));
    const auto index = static_cast<uint32_t>(place);
    const txrt_function &f = code.functions[index];
    if (f.units == 0 || k.buffer_count != f.operand_count || k.immediate_count != f.immediate_count)
      refuse(format("kernel %u: takes %u buffers and %u immediates; function '%s' "
                    "takes %u and %u%s",
                    i, k.buffer_count, k.immediate_count, printable(text).c_str(), f.operand_count, f.immediate_count,
                    f.units ? "" : ", and is no kernel"));
    kernelFunctions.push_back(index);
  }
  data.kernel_functions = kernelFunctions.data();
}

void Program::checkEntries() const {
  std::set<std::string> names;
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const txrt_entry &e = entries[i];
    std::string who = format("entry %u", i);
    std::string text = name(e.name, who);
    if (!names.insert(text).second)
      refuse(who + ": '" + printable(text) + "' is there twice");
    if (uint64_t(e.first_launch) + e.launch_count > launches.size() || e.reserved)
      refuse(who + format(": launches %u to %u of %zu, or a reserved field is "
                          "not zero",
                          e.first_launch, e.first_launch + e.launch_count, launches.size()));
  }
  // A launch may belong to one entry only, because it says of one alone what it waits for.
  std::vector<const txrt_entry *> order;
  for (const txrt_entry &e : entries)
    if (e.launch_count)
      order.push_back(&e);
  std::sort(order.begin(), order.end(),
            [](const txrt_entry *a, const txrt_entry *b) { return a->first_launch < b->first_launch; });
  for (size_t i = 1; i < order.size(); ++i)
    if (order[i]->first_launch - order[i - 1]->first_launch < order[i - 1]->launch_count)
      refuse(format("launch %u is of two entries", order[i]->first_launch));
  std::set<std::string> declared;
  for (const EntrySpec &entry : manifest.entries)
    declared.insert(entry.name);
  for (const std::string &text : names)
    if (!declared.count(text))
      refuse("entry '" + printable(text) + "' is not in the manifest");
  for (const std::string &text : declared)
    if (!names.count(text))
      refuse("the manifest's entry '" + printable(text) + "' is not in section entries");
}

/// Lists the named tensors that keep their place for a whole entry: state, arguments and results.
void Program::namePlaces() {
  auto add = [&](const TensorSpec &tensor, txrt_place_kind kind, uint32_t entry) {
    const uint64_t begin = data.segment_base[tensor.segment] + tensor.offset;
    places.push_back({tensor.name.c_str(), uint32_t(kind), entry, begin, begin + tensor.bytes});
  };
  for (const TensorSpec &global : manifest.globals)
    add(global, TXRT_PLACE_STATE, 0);
  std::sort(places.begin(), places.end(), [](const txrt_place &a, const txrt_place &b) { return a.begin < b.begin; });
  for (uint32_t i = 0; i < entries.size(); ++i)
    for (const EntrySpec &entry : manifest.entries) {
      if (entry.name != data.strings + entries[i].name)
        continue;
      for (const TensorSpec &argument : entry.arguments)
        add(argument, TXRT_PLACE_ARGUMENT, i);
      for (const TensorSpec &result : entry.results)
        add(result, TXRT_PLACE_RESULT, i);
    }
  data.places = places.data();
  data.place_count = static_cast<uint32_t>(places.size());
}

void Program::checkLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  std::string who = describe(index);
  if (l.phase > TXRT_PHASE_OPTIMIZER)
    refuse(who + format(": unknown phase %u", l.phase));
  if (l.layer < -1)
    refuse(who + format(": layer %d", l.layer));
  if (uint64_t(l.first_buffer) + l.buffer_count > buffers.size())
    refuse(who + format(": %u buffers from %u on; there are %zu", l.buffer_count, l.first_buffer, buffers.size()));
  if (l.kind == TXRT_LAUNCH_KERNEL)
    checkKernelLaunch(index);
  else if (l.kind == TXRT_LAUNCH_GEMM)
    checkGemmLaunch(index);
  else if (l.kind == TXRT_LAUNCH_COLLECTIVE)
    checkCollectiveLaunch(index);
  else
    refuse(who + format(": unknown kind %u", l.kind));
  checkLane(index);
}

void Program::checkLane(uint32_t index) const {
  const txrt_launch &l = launches[index];
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": " + what); };
  const uint32_t lane = l.kind == TXRT_LAUNCH_COLLECTIVE ? TXRT_LANE_COLLECTIVES : TXRT_LANE_COMPUTE;
  if (l.lane != lane)
    bad(format("lane %u; this runtime has a %s in lane %u ('%s')", l.lane, txrt_launch_kind_name(l.kind), lane,
               txrt_lane_name(lane)));
  for (uint32_t other = 0; other < TXRT_LANE_COUNT; ++other) {
    const uint32_t number = l.waits[other];
    if (number == 0)
      continue;
    if (number > index)
      bad(format("waits for launch %u, which is not before it", number - 1));
    if (other == lane)
      bad(format("waits for launch %u of its own lane", number - 1));
    if (launches[number - 1].lane != other)
      bad(format("waits for launch %u as one of lane '%s', which it is not", number - 1, txrt_lane_name(other)));
  }
}

void Program::checkKernelLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_kernel_launch &k = l.u.kernel;
  if (k.kernel >= kernels.size())
    refuse(describe(index) + format(": kernel %u of %zu", k.kernel, kernels.size()));
  if (k.attention > attentions.size() || k.reserved)
    refuse(describe(index) + format(": attention %u of %zu, or a reserved "
                                    "field is not zero",
                                    k.attention, attentions.size()));
  const txrt_kernel &kernel = kernels[k.kernel];
  const txrt_attention *attention = k.attention ? &attentions[k.attention - 1] : nullptr;
  const bool hasScratch = attention && attention->buffers[TXRT_ATTENTION_SCRATCH];
  if (l.buffer_count != kernel.buffer_count + hasScratch || k.immediate_count != kernel.immediate_count)
    refuse(describe(index) + format(": gives %u buffers and %u immediates; the kernel takes %u "
                                    "and %u",
                                    l.buffer_count, k.immediate_count, kernel.buffer_count, kernel.immediate_count));
  if (data.kernel_functions)
    checkFunction(index);
  if (attention)
    checkAttention(index, *attention);
  if (k.units == 0 || k.grain == 0 || k.units > maxExtent || k.grain > maxExtent)
    refuse(describe(index) + format(": %llu units in grains of %llu; both are "
                                    "1 to 2^48",
                                    static_cast<ull>(k.units), static_cast<ull>(k.grain)));
}

void Program::checkFunction(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_kernel_launch &k = l.u.kernel;
  const txrt_function &f = code.functions[kernelFunctions[k.kernel]];
  if (k.units != f.units)
    refuse(describe(index) +
           format(": %llu units; the kernel's code is for %llu", static_cast<ull>(k.units), static_cast<ull>(f.units)));
  for (uint32_t i = 0; i < f.operand_count; ++i) {
    const txrt_operand &o = code.operands[f.first_operand + i];
    const txrt_buffer &b = buffers[l.first_buffer + i];
    if (b.dtype == o.dtype && b.bytes == o.bytes && b.writes == o.writes && b.unread == o.unread)
      continue;
    refuse(describe(index) + format(": buffer %u is %s of %s; the kernel's code takes %s of %s", i, dtypeName(b.dtype),
                                    describeUse(b.bytes, b.writes, b.unread).c_str(), dtypeName(o.dtype),
                                    describeUse(o.bytes, o.writes, o.unread).c_str()));
  }
}

void Program::checkCollectiveLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_collective_launch &c = l.u.collective;
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": " + what); };
  if (c.collective >= TXRT_COLLECTIVE_COUNT)
    bad(format("unknown collective %u", c.collective));
  if (c.ranks == 0 || c.stride == 0 || c.wraps > 1 || uint64_t(c.ranks) * c.stride > maxRanks)
    bad(format("%u ranks, %u apart (1 to %u in all), or a flag is neither 0 "
               "nor 1",
               c.ranks, c.stride, maxRanks));
  checkAxis(index);
  if (l.buffer_count != 2)
    bad(format("%u buffers; expected operand and result", l.buffer_count));
  const bool sums =
      c.collective == TXRT_ALL_REDUCE || c.collective == TXRT_REDUCE_SCATTER || c.collective == TXRT_REDUCE;
  const bool hasRoot = c.collective == TXRT_BROADCAST || c.collective == TXRT_REDUCE;
  if (hasRoot && (c.peer < 0 || uint32_t(c.peer) >= c.ranks))
    bad(format("root %d of %u ranks", c.peer, c.ranks));
  const txrt_buffer &from = buffers[l.first_buffer];
  const txrt_buffer &to = buffers[l.first_buffer + 1];
  if (from.dtype != to.dtype || from.dtype == TXRT_DTYPE_BYTE || (sums && from.dtype == TXRT_DTYPE_I1))
    bad(format("%s of %s to %s", txrt_collective_name(c.collective), dtypeName(from.dtype), dtypeName(to.dtype)));
  // Every part must be a whole number of elements.
  u128 parts = c.outer, results = c.count;
  if (c.collective == TXRT_REDUCE_SCATTER || c.collective == TXRT_ALL_TO_ALL)
    parts *= c.ranks;
  if (c.count == 0 || c.count > maxExtent || c.outer == 0 || parts > c.count ||
      c.count % static_cast<uint64_t>(parts) != 0)
    bad(format("%llu elements in %llu blocks for %u ranks", static_cast<ull>(c.count), static_cast<ull>(c.outer),
               c.ranks));
  if (c.collective == TXRT_ALL_GATHER)
    results *= c.ranks;
  if (c.collective == TXRT_REDUCE_SCATTER)
    results /= c.ranks;
  const uint64_t element = dtypeBytes(from.dtype);
  if (from.bytes != c.count * element || to.bytes != results * element)
    bad(format("%llu elements in buffers of %llu and %llu bytes", static_cast<ull>(c.count),
               static_cast<ull>(from.bytes), static_cast<ull>(to.bytes)));
  if (from.writes || !to.writes)
    bad("the operand is marked as written, or the result as not written");
  const bool inPlace = c.collective == TXRT_ALL_REDUCE || c.collective == TXRT_BROADCAST;
  if (from.segment == to.segment && !(inPlace && from.offset == to.offset) && from.offset < to.offset + to.bytes &&
      to.offset < from.offset + from.bytes)
    bad("the result overlaps the operand and is not the same bytes");
}

/// If the manifest has a mesh, throws unless a collective's ranks and stride are those of its axis in the mesh.
void Program::checkAxis(uint32_t index) const {
  const txrt_collective_launch &c = launches[index].u.collective;
  const std::string axis = name(c.axis, describe(index) + ": axis");
  if (manifest.mesh.empty())
    return;
  u128 stride = 1;
  for (size_t i = manifest.mesh.size(); i-- > 0;) {
    const AxisSpec &known = manifest.mesh[i];
    if (known.name == axis && known.size == c.ranks && stride == c.stride)
      return;
    stride = std::min(stride * known.size, u128(maxRanks) * 2);
  }
  refuse(describe(index) + format(": joins %u ranks, %u apart, of axis '%s', which "
                                  "the manifest's mesh has not",
                                  c.ranks, c.stride, printable(axis).c_str()));
}
