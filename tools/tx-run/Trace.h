//===- Trace.h - An iteration as a Chrome trace ---------------------------------------------------------*- C++ -*-===//
//
// Writes the JSON format of chrome://tracing and ui.perfetto.dev, with one event for each launch; times are in
// microseconds. Entries follow each other; of a microbatch that ran several times, the trace has the last run. The rows
// are launches, layers, entries and communication: collectives have their own row, since other launches run at the same
// time.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_TRACE_H
#define TXRUN_TRACE_H

#include "Console.h"
#include "train/Model.h"

namespace txrun {

/// Writes the trace of the last iteration from the session's clocks, which must have been on.
void writeTrace(const Model &model, const std::vector<Entry> &entries, const std::string &path, Console &console);

} // namespace txrun

#endif // TXRUN_TRACE_H
