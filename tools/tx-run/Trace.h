//===- Trace.h - An iteration as a Chrome trace ---------------------------------------------------------*- C++ -*-===//
//
// The format of chrome://tracing and ui.perfetto.dev: one event for each launch, in microseconds. Entries stand one
// behind the other; of a microbatch that ran several times, the last run. Collectives have a row of their own, beside
// what runs while they do; a third row has the layers.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_TRACE_H
#define TXRUN_TRACE_H

#include "Console.h"
#include "train/Model.h"

namespace txrun {

/// Of what the session's clock saw last; it must have been on.
void writeTrace(const Model &model, const std::vector<Entry> &entries, const std::string &path, Console &console);

} // namespace txrun

#endif // TXRUN_TRACE_H
