//===- FakeStreams.cpp - Streams, events and graphs -----------------------------------------------------*- C++ -*-===//
//
// What is queued runs when the host waits for a stream, in any order that events allow: one stream is always preferred,
// so that a wait that is missing is seen. A graph keeps the order of the streams that it was captured on, and no other.
//
//   FAKE_CUDA_ORDER=first   streams made first are preferred, and so run as far
//                           ahead of the others as they may; or "last"
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "FakeCuda.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

using namespace txrt::cuda;
using fake::failed;

namespace {

/// Something on a stream: work, the passing of a mark, or a wait for one.
struct Item {
  enum Kind { Work, Mark, Wait } kind;
  std::function<bool()> work; // of a mark: what else happens
  Event event = nullptr;
  uint64_t number = 0;        // of the mark, among those of its event
  uint64_t *passed = nullptr; // the highest that has been
};

/// Keeps its memory: a step allocates nothing.
struct Queue {
  std::vector<Item> items;
  size_t next = 0;

  bool empty() const { return next == items.size(); }
  void push(Item item) {
    if (empty())
      items.clear(), next = 0;
    items.push_back(std::move(item));
  }
  /// Runs the first item if it can.
  bool step() {
    if (empty())
      return false;
    Item &item = items[next];
    if (item.kind == Item::Wait && *item.passed < item.number)
      return false;
    if (item.work && !item.work())
      return false;
    if (item.kind == Item::Mark)
      *item.passed = std::max(*item.passed, item.number);
    ++next;
    return true;
  }
};

/// One step of any of `count` queues, the preferred first.
template <typename At> bool stepAny(size_t count, At at) {
  const char *order = getenv("FAKE_CUDA_ORDER");
  const bool lastFirst = order && strcmp(order, "last") == 0;
  for (size_t i = 0; i < count; ++i)
    if (at(lastFirst ? count - 1 - i : i).step())
      return true;
  return false;
}

} // namespace

namespace txrt::cuda {
struct CUgraph_st {
  std::vector<Stream> streams;                 // the first is the captured one
  std::vector<Queue> queues;                   // of each
  std::vector<std::map<size_t, size_t>> known; // items that are before, by stream
  std::thread::id thread;                      // that captures
  bool isInvalid = false;                      // something was done that it could not see
};
struct CUgraphExec_st {
  std::vector<Queue> queues;
  std::map<Event, uint64_t> passed;
  bool runs = false;

  bool run() {
    auto at = [this](size_t i) -> Queue & { return queues[i]; };
    while (stepAny(queues.size(), at))
      ;
    runs = !std::all_of(queues.begin(), queues.end(), [](const Queue &queue) { return queue.empty(); });
    return !runs;
  }
};
struct CUstream_st {
  Queue queue;
  int priority = 0;
  CUgraph_st *captured = nullptr;
};
struct CUevent_st {
  long time = 0;
  uint64_t marks = 0, passed = 0;
  // Of a mark that is being captured.
  CUgraph_st *captured = nullptr;
  bool wasCaptured = false;
  std::map<size_t, size_t> known;
};
} // namespace txrt::cuda

namespace {

enum : Result {
  CaptureUnsupported = 900,
  CaptureInvalidated = 901,
  CaptureUnjoined = 904,
  CaptureWrongThread = 908,
  CapturedEvent = 907,
};

std::vector<Stream> streams;
std::vector<Graph> captures; // that have begun
// Several threads write a session's state at once, as the driver allows.
std::recursive_mutex mutex;

size_t placeIn(CUgraph_st &graph, Stream stream) {
  auto found = std::find(graph.streams.begin(), graph.streams.end(), stream);
  if (found == graph.streams.end()) {
    graph.streams.push_back(stream);
    graph.queues.emplace_back();
    graph.known.emplace_back();
    return graph.streams.size() - 1;
  }
  return static_cast<size_t>(found - graph.streams.begin());
}

void push(Stream stream, Item item) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  if (!stream->captured)
    return stream->queue.push(std::move(item));
  CUgraph_st &graph = *stream->captured;
  const size_t place = placeIn(graph, stream);
  graph.queues[place].push(std::move(item));
  graph.known[place][place] = graph.queues[place].items.size();
}

void merge(std::map<size_t, size_t> &into, const std::map<size_t, size_t> &from) {
  for (auto [place, count] : from)
    into[place] = std::max(into[place], count);
}

/// Until the stream is empty, or nothing more can run.
void advance(Stream stream) {
  auto at = [](size_t i) -> Queue & { return streams[i]->queue; };
  while (!stream->queue.empty() && stepAny(streams.size(), at))
    ;
}

} // namespace

bool fake::mayActUnseen() {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  bool may = true;
  for (Graph capture : captures)
    if (capture->thread == std::this_thread::get_id()) {
      capture->isInvalid = true;
      may = false;
    }
  return may;
}

void fake::attempt(Stream stream, std::function<bool()> work) { push(stream, {Item::Work, std::move(work)}); }

extern "C" {

Result cuStreamCreate(Stream *stream, unsigned) {
  streams.push_back(*stream = new CUstream_st);
  return Success;
}
Result cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  *least = 0, *greatest = -5;
  return fake::hasContext() ? Success : fake::InvalidValue;
}
Result cuStreamCreateWithPriority(Stream *stream, unsigned flags, int priority) {
  cuStreamCreate(stream, flags);
  (*stream)->priority = std::clamp(priority, -5, 0);
  return Success;
}
Result cuStreamDestroy_v2(Stream stream) {
  if (stream->captured)
    stream->captured->isInvalid = true;
  streams.erase(std::find(streams.begin(), streams.end(), stream));
  delete stream;
  return Success;
}
Result cuStreamQuery(Stream stream) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  if (stream->captured) {
    stream->captured->isInvalid = true;
    return failed("the stream is being captured", CaptureUnsupported);
  }
  if (!fake::mayActUnseen())
    return fake::unsupported("a look at a stream");
  advance(stream);
  const Result result = fake::sticky();
  fake::sticky() = Success;
  return result != Success ? result : stream->queue.empty() ? Success : NotReady;
}
Result cuStreamSynchronize(Stream stream) {
  Result result;
  while ((result = cuStreamQuery(stream)) == NotReady)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return result;
}

Result cuEventCreate(Event *event, unsigned) {
  *event = new CUevent_st;
  return Success;
}
Result cuEventDestroy_v2(Event event) {
  delete event;
  return Success;
}
Result cuEventRecord(Event event, Stream stream) {
  const auto note = [event] {
    event->time = fake::clock();
    return true;
  };
  push(stream, {Item::Mark, stream->captured ? std::function<bool()>() : note, event, ++event->marks, &event->passed});
  event->captured = stream->captured;
  event->wasCaptured = stream->captured != nullptr;
  if (event->captured)
    event->known = event->captured->known[placeIn(*event->captured, stream)];
  return Success;
}
Result cuStreamWaitEvent(Stream stream, Event event, unsigned) {
  if (event->wasCaptured) {
    if (!event->captured || (stream->captured && stream->captured != event->captured))
      return failed("the event was recorded in another capture");
    stream->captured = event->captured;
  } else if (stream->captured) {
    return failed("the event was recorded outside of the capture");
  }
  push(stream, {Item::Wait, {}, event, event->marks, &event->passed});
  if (stream->captured)
    merge(stream->captured->known[placeIn(*stream->captured, stream)], event->known);
  return Success;
}
Result cuEventElapsedTime_v2(float *milliseconds, Event start, Event end) {
  if (start->wasCaptured || end->wasCaptured)
    return failed("the event was recorded in a capture", CapturedEvent);
  *milliseconds = static_cast<float>(end->time - start->time) * 1e-6f;
  return Success;
}

Result cuStreamBeginCapture_v2(Stream stream, CaptureMode) {
  if (stream->captured)
    return failed("the stream is being captured");
  stream->captured = new CUgraph_st;
  stream->captured->thread = std::this_thread::get_id();
  captures.push_back(stream->captured);
  placeIn(*stream->captured, stream);
  return Success;
}
Result cuStreamEndCapture(Stream stream, Graph *graph) {
  CUgraph_st *capture = stream->captured;
  *graph = nullptr;
  if (!capture || capture->streams[0] != stream)
    return failed("the stream is not being captured");
  if (capture->thread != std::this_thread::get_id())
    return failed("another thread began the capture", CaptureWrongThread);
  // It ends in any case, and gives a graph if all went well.
  captures.erase(std::find(captures.begin(), captures.end(), capture));
  bool isJoined = true;
  for (size_t i = 0; i < capture->streams.size(); ++i) {
    capture->streams[i]->captured = nullptr;
    isJoined &= capture->known[0][i] == capture->queues[i].items.size();
  }
  if (!capture->isInvalid && isJoined) {
    *graph = capture;
    return Success;
  }
  const bool isInvalid = capture->isInvalid;
  delete capture;
  return isInvalid ? failed("the capture was invalidated before", CaptureInvalidated)
                   : failed("the capture has a stream that was not joined", CaptureUnjoined);
}
Result cuGraphInstantiateWithFlags(GraphExec *exec, Graph graph, unsigned long long flags) {
  // The driver would run all of it with the priority of the stream it is launched on. Nobody who gives streams
  // priorities wants that.
  if (!(flags & InstantiateUseNodePriority))
    for (Stream stream : graph->streams)
      if (stream->priority != graph->streams[0]->priority)
        return failed("the graph would lose its streams' priorities");
  if (!fake::take(fake::BytesOfGraph))
    return failed("out of memory", OutOfMemory);
  *exec = new CUgraphExec_st;
  (*exec)->queues = graph->queues;
  for (Queue &queue : (*exec)->queues)
    for (Item &item : queue.items)
      if (item.event)
        item.passed = &(*exec)->passed[item.event];
  return Success;
}
Result cuGraphLaunch(GraphExec exec, Stream stream) {
  if (exec->runs)
    return failed("the graph runs already");
  for (Queue &queue : exec->queues)
    queue.next = 0;
  for (auto &[event, number] : exec->passed)
    number = 0;
  exec->runs = true;
  fake::attempt(stream, [exec] { return exec->run(); });
  return Success;
}
Result cuGraphDestroy(Graph graph) {
  delete graph;
  return Success;
}
Result cuGraphExecDestroy(GraphExec exec) {
  fake::giveBack(fake::BytesOfGraph);
  delete exec;
  return Success;
}

} // extern "C"
