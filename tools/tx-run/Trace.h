//===- Trace.h - Iterations as a Chrome trace -----------------------------------------------------------*- C++ -*-===//
//
// Writes the JSON format of chrome://tracing and ui.perfetto.dev, with one event for each launch; times are in
// microseconds. Entries follow each other; of a microbatch that ran several times, the trace has the last run. The rows
// are launches, layers, entries, communication and iterations: collectives have their own row, since other launches run
// at the same time.
//
//   Trace trace(model);
//   trace.add(runner.entries(), iteration, seconds); // after each iteration, while the session's clocks are on
//   trace.write("trace.json", console);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_TRACE_H
#define TXRUN_TRACE_H

#include "Console.h"
#include "train/Model.h"

#include <memory>

namespace txrun {

class Trace {
public:
  explicit Trace(const Model &model);
  ~Trace();

  /// Adds the last iteration from the session's clocks, which must have been on. `start` is when it began, in seconds
  /// on any clock.
  void add(const std::vector<Entry> &entries, int64_t iteration, double start);
  int64_t iterations() const { return count; }
  void write(const std::string &path, Console &console) const;

private:
  class Events;
  std::unique_ptr<Events> events;
  int64_t count = 0;
  double origin = 0; // when the first iteration began
};

} // namespace txrun

#endif // TXRUN_TRACE_H
