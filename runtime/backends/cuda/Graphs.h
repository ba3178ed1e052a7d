//===- Graphs.h - An entry as one CUDA graph ------------------------------------------------------------*- C++ -*-===//
//
// A product's reset flag is an entry argument. cuBLASLt wants to know beta on the host, so an entry has a graph for
// each value of its flags: one for the first microbatch, one for the later ones.
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

/// The reset flags, as the caller wrote them last.
class ResetFlags {
public:
  /// Fails when a flag is no argument of the entry.
  explicit ResetFlags(const txrt_program &program);

  /// What was written to the arena at `offset`.
  void write(uint64_t offset, uint64_t bytes, const void *from);
  /// A product's beta, with its flag as it is now.
  float betaOf(const txrt_launch &launch) const;
  /// The values of an entry's flags.
  std::string of(uint32_t entry) const;
  /// Sets all flags of an entry, as if the caller had.
  void set(uint32_t entry, bool value);

private:
  const txrt_buffer *flagOf(const txrt_launch &launch) const;

  const txrt_program &program;
  std::vector<uint8_t> arguments;          // the argument segment
  std::vector<std::set<uint64_t>> offsets; // of each entry's flags
};

/// What is queued on a stream meanwhile becomes a graph. However it goes, the capture ends: a stream that was left
/// capturing would take no work, and its thread could neither allocate nor free.
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

  /// The entry's graph for these flags; `enqueue` is captured if it is new.
  GraphExec get(uint32_t entry, const std::string &flags, const std::function<void()> &enqueue);

private:
  const Driver &driver;
  Stream stream;
  std::map<std::pair<uint32_t, std::string>, OwnedGraphExec> graphs;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_GRAPHS_H
