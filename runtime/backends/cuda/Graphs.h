//===- Graphs.h - An entry as one CUDA graph ------------------------------------------------------------*- C++ -*-===//
//
// A product's reset flag is an entry argument, and cuBLASLt needs beta on the host when the product is queued. So an
// entry has one graph for each value of its flags: one for the first microbatch, one for the later ones.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_GRAPHS_H
#define TXRT_BACKENDS_CUDA_GRAPHS_H

#include "backends/cuda/Device.h"
#include "txrt/backend.h"

#include <functional>
#include <map>
#include <set>
#include <vector>

namespace txrt::cuda {

/// The reset flags of all products, with the values that the caller wrote last.
class ResetFlags {
public:
  /// Fails when a flag is no argument of the entry.
  explicit ResetFlags(const txrt_program &program);

  /// Notes what the caller writes to [offset, offset + bytes) of the arena.
  void write(uint64_t offset, uint64_t bytes, const void *from);
  /// A product's beta: 0 if its flag is 1 now, else the launch's own.
  float betaOf(const txrt_launch &launch) const;
  /// The values of an entry's flags.
  std::string of(uint32_t entry) const;
  /// Sets all flags of an entry, as if the caller had written them.
  void set(uint32_t entry, bool value);

private:
  const txrt_buffer *flagOf(const txrt_launch &launch) const;

  const txrt_program &program;
  std::vector<uint8_t> arguments;          // a copy of the argument segment
  std::vector<std::set<uint64_t>> offsets; // for each entry, where its flags are in the argument segment
};

/// While this object lives, work that is queued on its stream becomes a graph instead of running. The destructor ends
/// the capture also after a failure: otherwise the stream would take no more work, and the thread could neither
/// allocate nor free device memory.
class Capture {
public:
  Capture(const Driver &driver, Stream stream);
  Capture(const Capture &) = delete;
  ~Capture();
  void end(OwnedGraph &graph);

private:
  const Driver &driver;
  Stream stream;
  bool isOpen = true;
};

class Graphs {
public:
  Graphs(const Driver &driver, Stream stream) : driver(driver), stream(stream) {}

  /// The entry's graph for these flags. If there is none yet, captures what `enqueue` queues.
  GraphExec get(uint32_t entry, const std::string &flags, const std::function<void()> &enqueue);

private:
  const Driver &driver;
  Stream stream;
  std::map<std::pair<uint32_t, std::string>, OwnedGraphExec> graphs;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_GRAPHS_H
