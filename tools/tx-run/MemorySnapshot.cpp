//===- MemorySnapshot.cpp - A step's memory for PyTorch's viewer --------------------------------------------------===//

#include "MemorySnapshot.h"
#include "Error.h"
#include "Pickle.h"
#include "core/OutputFile.h"

#include <algorithm>
#include <map>

namespace txrun {

namespace {

constexpr uint64_t arenaAddress = uint64_t(1) << 32;

/// One line of a stack. A viewer shows it as "filename:line:name".
struct Frame {
  std::string filename;
  int64_t line;
  std::string name;
};

struct Block {
  uint64_t begin, end;
  size_t stack; // an index in History::stacks
};

struct Event {
  bool isAllocation;
  Block block;
  int64_t time;
};

/// What an allocator would have done during the step: blocks that never overlap, allocated and freed.
class History {
public:
  explicit History(const txrt_artifact *artifact) : artifact(artifact), manifest(manifestOf(artifact)) {
    for (uint64_t bytes : manifest.segmentBytes)
      arenaBytes += bytes;
  }

  void addEntry(int entry);

  std::vector<std::vector<Frame>> stacks;
  std::vector<Event> events;
  std::map<uint64_t, Block> live; // by address, at the end of the last entry
  uint64_t arenaBytes = 0;

private:
  struct Planned {
    Block block;
    int first, last;
    bool isState;
  };
  std::vector<Planned> read(int entry);
  void allocate(const Block &block);
  void release(uint64_t address);
  std::vector<Frame> stackOf(int entry, const txrt_memory_block &block) const;

  const txrt_artifact *artifact;
  const Manifest &manifest;
  std::vector<uint64_t> results; // addresses of the blocks that the last entry leaves
  bool hasState = false;
  int64_t time = 0;
};

/// What lies in the block, then the module and the layer that it belongs to, then the entry.
std::vector<Frame> History::stackOf(int entry, const txrt_memory_block &block) const {
  std::vector<Frame> stack;
  const std::string name = printable(block.name, std::string::npos), launch = printable(block.launch);
  if (!name.empty())
    stack.push_back({block.number >= 0 ? "result" : block.last < 0 ? "state" : "argument", 0, name});
  if (block.number >= 0) {
    const std::string what = block.dtype == TXRT_DTYPE_BYTE ? "scratch" : dtypeName(uint32_t(block.dtype));
    stack.push_back({"launch", block.number, what + " of " + launch});
    stack.push_back({"module", 0, launch.substr(0, launch.find(':'))});
    stack.push_back({"layer", block.layer, txrt_phase_name(block.phase)});
  }
  if (block.number >= 0 || block.last >= 0)
    stack.push_back({"entry", entry, printable(manifest.entries[size_t(entry)].name)});
  return stack;
}

std::vector<History::Planned> History::read(int entry) {
  struct Context {
    History &history;
    int entry;
    std::vector<Planned> planned;
  } context{*this, entry, {}};
  auto visit = [](void *to, const txrt_memory_block *block) {
    auto &[history, entry, planned] = *static_cast<Context *>(to);
    const bool isState = block->number < 0 && block->last < 0;
    planned.push_back({{block->begin, block->end, history.stacks.size()}, block->number, block->last, isState});
    history.stacks.push_back(history.stackOf(entry, *block));
  };
  txrt_error error;
  check(txrt_artifact_visit_memory(artifact, entry, visit, &context, &error), error);
  return std::move(context.planned);
}

void History::allocate(const Block &block) {
  // What is written in place of an older block ends that one.
  auto older = live.lower_bound(block.begin);
  if (older != live.begin() && std::prev(older)->second.end > block.begin)
    --older;
  while (older != live.end() && older->first < block.end) {
    const uint64_t address = older->first;
    ++older;
    release(address);
  }
  live.emplace(block.begin, block);
  events.push_back({true, block, time});
}

void History::release(uint64_t address) {
  events.push_back({false, live.at(address), time});
  live.erase(address);
}

void History::addEntry(int entry) {
  for (uint64_t address : results)
    if (live.count(address))
      release(address);
  results.clear();
  std::map<int, std::vector<Block>> begin, end; // by launch
  for (const Planned &planned : read(entry)) {
    if (planned.isState && hasState)
      continue;
    begin[planned.first].push_back(planned.block);
    if (planned.last >= 0)
      end[planned.last].push_back(planned.block);
    else if (!planned.isState)
      results.push_back(planned.block.begin);
  }
  hasState = true;
  std::map<int, bool> launches;
  for (const auto *lists : {&begin, &end})
    for (const auto &[launch, blocks] : *lists)
      launches[launch];
  for (const auto &[launch, unused] : launches) {
    ++time;
    for (const Block &block : begin[launch])
      allocate(block);
    for (const Block &block : end[launch])
      if (auto found = live.find(block.begin); found != live.end() && found->second.stack == block.stack)
        release(block.begin);
  }
}

/// Writes a history as PyTorch's dictionaries.
class Writer {
public:
  explicit Writer(const History &history) : history(history), written(history.stacks.size(), -1) {}

  std::string write() {
    pickle.beginDict();
    pickle.text("segments");
    pickle.beginList();
    segment();
    pickle.end();
    pickle.text("device_traces");
    pickle.beginList();
    trace();
    pickle.end();
    pickle.text("allocator_settings");
    pickle.beginDict();
    pickle.end();
    pickle.text("external_annotations");
    pickle.beginList();
    pickle.end();
    pickle.end();
    return pickle.finish();
  }

private:
  void field(const char *name, int64_t value) {
    pickle.text(name);
    pickle.integer(value);
  }
  void textField(const char *name, const std::string &value) {
    pickle.text(name);
    pickle.text(value);
  }

  /// Equal stacks are one object: an allocation, its end and the block that stays share it.
  void frames(size_t stack) {
    pickle.text("frames");
    if (written[stack] >= 0)
      return pickle.repeat(uint32_t(written[stack]));
    pickle.beginList();
    for (const Frame &frame : history.stacks[stack]) {
      pickle.beginDict();
      textField("filename", frame.filename);
      field("line", frame.line);
      textField("name", frame.name);
      pickle.end();
    }
    pickle.end();
    written[stack] = pickle.remember();
  }

  void noFrames() {
    pickle.text("frames");
    pickle.beginList();
    pickle.end();
  }

  /// The arena after the step: its blocks follow each other without a gap, since viewers add up their sizes.
  void segment() {
    uint64_t used = 0;
    for (const auto &[address, block] : history.live)
      used += block.end - block.begin;
    pickle.beginDict();
    field("device", 0);
    field("address", int64_t(arenaAddress));
    field("total_size", int64_t(history.arenaBytes));
    for (const char *name : {"allocated_size", "active_size", "requested_size"})
      field(name, int64_t(used));
    field("stream", 0);
    textField("segment_type", "large");
    pickle.text("is_expandable");
    pickle.flag(false);
    noFrames();
    pickle.text("blocks");
    pickle.beginList();
    uint64_t at = 0;
    for (const auto &[address, block] : history.live) {
      free(at, address);
      piece(block.begin, block.end, "active_allocated");
      frames(block.stack);
      pickle.end();
      at = block.end;
    }
    free(at, history.arenaBytes);
    pickle.end();
    pickle.end();
  }

  void piece(uint64_t begin, uint64_t end, const char *state) {
    pickle.beginDict();
    field("address", int64_t(arenaAddress + begin));
    field("size", int64_t(end - begin));
    field("requested_size", int64_t(end - begin));
    textField("state", state);
  }

  void free(uint64_t begin, uint64_t end) {
    if (begin >= end)
      return;
    piece(begin, end, "inactive");
    noFrames();
    pickle.end();
  }

  void beginEvent(const char *action, uint64_t begin, uint64_t end, int64_t time) {
    pickle.beginDict();
    textField("action", action);
    field("addr", int64_t(arenaAddress + begin));
    field("size", int64_t(end - begin));
    field("stream", 0);
    field("time_us", time);
  }

  void trace() {
    pickle.beginList();
    beginEvent("segment_alloc", 0, history.arenaBytes, 0);
    noFrames();
    pickle.end();
    for (const Event &event : history.events)
      for (const char *action : {"alloc", "free_requested", "free_completed"}) {
        if ((action == std::string("alloc")) != event.isAllocation)
          continue;
        beginEvent(action, event.block.begin, event.block.end, event.time);
        frames(event.block.stack);
        pickle.end();
      }
    pickle.end();
  }

  const History &history;
  PickleWriter pickle;
  std::vector<int64_t> written; // by stack: its number for repeat; -1: not yet written
};

} // namespace

std::vector<int> entriesOfStep(const Manifest &manifest) {
  auto find = [&](const char *name) {
    auto found = std::find_if(manifest.entries.begin(), manifest.entries.end(),
                              [&](const EntrySpec &entry) { return entry.name == name; });
    return found == manifest.entries.end() ? -1 : int(found - manifest.entries.begin());
  };
  if (const int step = find("step"); step >= 0)
    return {step};
  if (const int batch = find("microbatch"), apply = find("apply"); batch >= 0 && apply >= 0)
    return {batch, apply};
  std::vector<int> all(manifest.entries.size());
  for (size_t i = 0; i < all.size(); ++i)
    all[i] = int(i);
  return all;
}

std::string memorySnapshot(const txrt_artifact *artifact, const std::vector<int> &entries) {
  History history(artifact);
  for (int entry : entries)
    history.addEntry(entry);
  return Writer(history).write();
}

void writeMemorySnapshot(const txrt_artifact *artifact, const std::vector<int> &entries, const std::string &path) {
  const std::string bytes = memorySnapshot(artifact, entries);
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

} // namespace txrun
