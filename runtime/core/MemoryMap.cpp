//===- MemoryMap.cpp - Which value lies where, as text --------------------------------------------------*- C++ -*-===//
//
//   entry @microbatch: launches 0 to 56; most is live at launch 43 (mlp.fc2:gemm): 4.50 KiB of transient's 4.62 KiB
//       at               size       launches  what
//       argument+0x0     32 bytes   0 to 55   tokens
//     * transient+0x480  256 bytes  3 to 47   f32 of self_attention.qkv:gemm, forward layer 0
//
// Each row is a value. A star marks the values that are live at the launch at which most bytes are live.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "core/Failure.h"
#include "core/Lifetimes.h"
#include "core/Program.h"

#include <algorithm>
#include <array>

using namespace txrt;

using ull = unsigned long long;

namespace {

/// Rows of text in aligned columns. The first column is a mark of one character; the last column is not padded.
class Table {
public:
  using Row = std::array<std::string, 4>;

  void add(bool marked, Row row) {
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], row[i].size());
    rows.emplace_back(marked, std::move(row));
  }

  void print(FILE *output) const {
    for (const auto &[marked, row] : rows) {
      std::string line = marked ? "  * " : "    ";
      for (size_t i = 0; i < row.size(); ++i) {
        line += row[i];
        if (i + 1 < row.size() && widths[i])
          line += std::string(widths[i] - row[i].size() + 2, ' ');
      }
      if (fprintf(output, "%s\n", line.c_str()) < 0)
        fail(TXRT_IO, "the memory map can not be written");
    }
  }

private:
  std::array<size_t, 4> widths = {};
  std::vector<std::pair<bool, Row>> rows;
};

std::string placeOf(const txrt_launch &launch) {
  std::string text = txrt_phase_name(launch.phase);
  return launch.layer < 0 ? text : text + format(" layer %d", launch.layer);
}

class Printer {
public:
  Printer(const txrt_program &program, FILE *output) : program(program), output(output) {}

  void printState() {
    Table table;
    table.add(false, {"at", "size", "", "state"});
    for (uint32_t i = 0; i < program.place_count; ++i)
      if (const txrt_place &place = program.places[i]; place.kind == TXRT_PLACE_STATE)
        table.add(false, {describeAddress(program, place.begin), readableBytes(place.end - place.begin), "",
                          printable(place.name)});
    line(format("arena: %s; of them %s of state, in all entries", readableBytes(program.arena_bytes).c_str(),
                readableBytes(program.segment_bytes[TXRT_SEGMENT_PERSISTENT]).c_str()));
    table.print(output);
  }

  void printEntry(uint32_t entry) {
    const std::vector<Lifetime> values = findLifetimes(program, entry);
    const Peak peak = findPeak(entry, values);
    line(title(entry) + mostLive(peak));
    if (values.empty())
      return;
    Table table;
    table.add(false, {"at", "size", "launches", "what"});
    for (const Lifetime &value : values)
      table.add(isLive(value, peak.launch), rowOf(value));
    table.print(output);
  }

  void printLaunch(uint32_t number) {
    const uint32_t entry = entryOf(number);
    const txrt_launch &launch = program.launches[number];
    const std::vector<Lifetime> values = findLifetimes(program, entry);
    line(describeLaunch(program, number) + ": " + txrt_launch_kind_name(launch.kind) + ", " + placeOf(launch) +
         ", of " + title(entry) + mostLive(findPeak(entry, values)));
    Table operands;
    operands.add(false, {"at", "size", "", "it reads and writes"});
    for (uint32_t i = 0; i < launch.buffer_count; ++i)
      operands.add(false, operandRow(entry, number, program.buffers[launch.first_buffer + i], values));
    operands.print(output);
    line("live at launch " + std::to_string(number) + ": " + readableBytes(liveBytes(values, number)) + " of " +
         transient());
    Table table;
    table.add(false, {"at", "size", "launches", "what"});
    for (const Lifetime &value : values)
      if (isLive(value, number))
        table.add(false, rowOf(value));
    table.print(output);
  }

private:
  struct Peak {
    uint32_t launch = 0;
    uint64_t bytes = 0;
  };

  void line(const std::string &text) {
    if (fprintf(output, "%s\n", text.c_str()) < 0)
      fail(TXRT_IO, "the memory map can not be written");
  }

  static bool isLive(const Lifetime &value, uint32_t launch) { return value.first <= launch && launch <= value.last; }

  /// Bytes of the transient segment that hold a value at a launch. A byte that lies in two values (columns of one
  /// tensor) counts once.
  uint64_t liveBytes(const std::vector<Lifetime> &values, uint32_t launch) const {
    uint64_t bytes = 0, done = program.segment_base[TXRT_SEGMENT_TRANSIENT];
    for (const Lifetime &value : values) // sorted by address
      if (isLive(value, launch) && value.end > done) {
        bytes += value.end - std::max(done, value.begin);
        done = value.end;
      }
    return bytes;
  }

  Peak findPeak(uint32_t entry, const std::vector<Lifetime> &values) const {
    Peak peak{program.entries[entry].first_launch, 0};
    for (uint32_t i = 0; i < program.entries[entry].launch_count; ++i)
      if (uint64_t bytes = liveBytes(values, program.entries[entry].first_launch + i); bytes > peak.bytes)
        peak = {program.entries[entry].first_launch + i, bytes};
    return peak;
  }

  std::string title(uint32_t entry) const {
    const txrt_entry &e = program.entries[entry];
    const std::string name = "entry @" + printable(program.strings + e.name);
    if (!e.launch_count)
      return name + ": no launches";
    return name + format(": launches %u to %u", e.first_launch, e.first_launch + e.launch_count - 1);
  }

  std::string transient() const {
    return format("transient's %s", readableBytes(program.segment_bytes[TXRT_SEGMENT_TRANSIENT]).c_str());
  }

  std::string mostLive(const Peak &peak) const {
    if (!peak.bytes)
      return "";
    return "; most is live at " + describeLaunch(program, peak.launch) + ": " + readableBytes(peak.bytes) + " of " +
           transient();
  }

  /// "f32 of mlp.fc1:gemm, forward layer 0", "tokens".
  std::string describe(const Lifetime &value) const {
    if (!value.buffer)
      return printable(value.name);
    const txrt_launch &writer = program.launches[value.first];
    std::string text = value.buffer->dtype == TXRT_DTYPE_BYTE ? "scratch" : dtypeName(value.buffer->dtype);
    text += std::string(" of ") + printable(program.strings + writer.name) + ", " + placeOf(writer);
    return value.isResult ? text + ", result " + printable(value.name) : text;
  }

  Table::Row rowOf(const Lifetime &value) const {
    return {describeAddress(program, value.begin), readableBytes(value.end - value.begin),
            format("%u to %u", value.first, value.last), describe(value)};
  }

  Table::Row operandRow(uint32_t entry, uint32_t number, const txrt_buffer &buffer,
                        const std::vector<Lifetime> &values) const {
    const uint64_t begin = program.segment_base[buffer.segment] + buffer.offset;
    std::string what = nameOfPlace(program, entry, buffer);
    for (const Lifetime &value : values) // the launch reads values that earlier launches wrote
      if (value.begin <= begin && begin < value.end && isLive(value, number) && value.buffer &&
          (buffer.writes ? value.first == number : value.first < number))
        what = describe(value);
    return {describeAddress(program, begin), readableBytes(buffer.bytes),
            buffer.writes   ? "written"
            : buffer.unread ? "unread"
                            : "read",
            what};
  }

  uint32_t entryOf(uint32_t launch) const {
    for (uint32_t i = 0; i < program.entry_count; ++i)
      if (const txrt_entry &e = program.entries[i];
          e.first_launch <= launch && launch - e.first_launch < e.launch_count)
        return i;
    fail(TXRT_USAGE, "launch %u is of no entry", launch);
  }

  const txrt_program &program;
  FILE *output;
};

} // namespace

void txrt::printMemoryMap(const txrt_program &program, const std::string &what, FILE *output) {
  Printer printer(program, output);
  if (!what.empty() && what.size() < 10 && what.find_first_not_of("0123456789") == std::string::npos) {
    const auto number = static_cast<uint32_t>(std::stoul(what));
    if (number >= program.launch_count)
      fail(TXRT_USAGE, "%s: there is no launch %u; there are 0 to %u", program.name, number, program.launch_count - 1);
    return printer.printLaunch(number);
  }
  std::string known;
  bool found = what == "all";
  if (found)
    printer.printState();
  for (uint32_t i = 0; i < program.entry_count; ++i) {
    const std::string name = program.strings + program.entries[i].name;
    known += ", " + printable(name);
    if (what != "all" && what != name)
      continue;
    found = true;
    printer.printEntry(i);
  }
  if (!found)
    fail(TXRT_USAGE, "%s: '%s' is no entry of it, no launch's number and not 'all'; entries: %s", program.name,
         printable(what).c_str(), known.substr(std::min<size_t>(2, known.size())).c_str());
}
