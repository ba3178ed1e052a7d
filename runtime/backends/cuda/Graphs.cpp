#include "backends/cuda/Graphs.h"
#include "core/Program.h"

#include <cstring>

using namespace txrt;
using namespace txrt::cuda;

ResetFlags::ResetFlags(const txrt_program &program)
    : program(program), arguments(program.segment_bytes[TXRT_SEGMENT_ARGUMENT]), offsets(program.entry_count) {
  for (uint32_t e = 0; e < program.entry_count; ++e) {
    const txrt_entry &entry = program.entries[e];
    for (uint32_t i = 0; i < entry.launch_count; ++i) {
      const txrt_buffer *flag = flagOf(program.launches[entry.first_launch + i]);
      if (!flag)
        continue;
      if (flag->segment != TXRT_SEGMENT_ARGUMENT)
        fail(TXRT_USAGE,
             "%s: %s: its reset flag is no argument of the entry; the cuda backend takes beta from the caller",
             program.name, describeLaunch(program, entry.first_launch + i).c_str());
      offsets[e].insert(flag->offset);
    }
  }
}

const txrt_buffer *ResetFlags::flagOf(const txrt_launch &launch) const {
  return launch.kind == TXRT_LAUNCH_GEMM ? gemmBuffer(program, launch, TXRT_GEMM_RESET) : nullptr;
}

void ResetFlags::write(uint64_t offset, uint64_t bytes, const void *from) {
  // One write of the caller lies within one segment.
  const uint64_t base = program.segment_base[TXRT_SEGMENT_ARGUMENT];
  if (offset >= base && offset - base < arguments.size())
    memcpy(&arguments[offset - base], from, bytes);
}

float ResetFlags::betaOf(const txrt_launch &launch) const {
  const txrt_buffer *flag = flagOf(launch);
  return flag && arguments[flag->offset] ? 0.0f : launch.u.gemm.beta;
}

std::string ResetFlags::of(uint32_t entry) const {
  std::string flags;
  for (uint64_t offset : offsets[entry])
    flags += arguments[offset] ? '1' : '0';
  return flags;
}

void ResetFlags::set(uint32_t entry, bool value) {
  for (uint64_t offset : offsets[entry])
    arguments[offset] = value;
}

Capture::Capture(const Driver &driver, Stream stream) : driver(driver), stream(stream) {
  driver.check(driver.streamBeginCapture(stream, CaptureThreadLocal), "capture");
}

Capture::~Capture() {
  if (!isOpen)
    return;
  OwnedGraph dropped(driver);
  driver.streamEndCapture(stream, &dropped);
}

void Capture::end(OwnedGraph &graph) {
  isOpen = false;
  driver.check(driver.streamEndCapture(stream, &graph), "capture");
}

GraphExec Graphs::get(uint32_t entry, const std::string &flags, const std::function<void()> &enqueue) {
  auto [at, isNew] = graphs.try_emplace({entry, flags}, OwnedGraphExec(driver));
  if (!isNew)
    return at->second;
  try {
    OwnedGraph graph(driver);
    Capture capture(driver, stream);
    enqueue();
    capture.end(graph);
    // With this flag a node has the priority of the stream that it was captured on.
    driver.check(driver.graphInstantiate(&at->second, graph, InstantiateUseNodePriority), "graph");
  } catch (...) {
    graphs.erase(at);
    throw;
  }
  return at->second;
}
