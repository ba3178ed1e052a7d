//===- Trace.cpp - Iterations as a Chrome trace -------------------------------------------------------------------===//

#include "Trace.h"
#include "Error.h"
#include "core/OutputFile.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace txrun {

using nlohmann::json;

namespace {

enum Row { LaunchRow = 1, LayerRow, EntryRow, CommunicationRow, IterationRow };

json event(const std::string &name, const std::string &category, Row row, double start, double seconds) {
  return {{"name", name},    {"cat", category},   {"ph", "X"},           {"pid", 1},
          {"tid", int(row)}, {"ts", start * 1e6}, {"dur", seconds * 1e6}};
}

json named(const char *what, int row, const std::string &name) {
  json result = {{"name", what}, {"ph", "M"}, {"pid", 1}, {"args", {{"name", name}}}};
  if (row)
    result["tid"] = row;
  return result;
}

} // namespace

class Trace::Events {
public:
  explicit Events(const Model &model) : model(model) {
    events.push_back(named("process_name", 0, txrt_session_description(model.session())));
    events.push_back(named("thread_name", LaunchRow, "launches"));
    events.push_back(named("thread_name", LayerRow, "layers"));
    events.push_back(named("thread_name", EntryRow, "entries"));
    events.push_back(named("thread_name", CommunicationRow, "communication"));
    events.push_back(named("thread_name", IterationRow, "iterations"));
  }

  /// Adds an iteration that began `start` seconds after the trace's first one.
  void add(const std::vector<Entry> &entries, int64_t iteration, double start) {
    began = std::max(began, start);
    const double first = began;
    for (const Entry &entry : entries)
      add(entry);
    events.push_back(event("iteration " + std::to_string(iteration), "iteration", IterationRow, first, began - first));
  }

  std::string text() const { return json{{"displayTimeUnit", "ms"}, {"traceEvents", events}}.dump() + "\n"; }

private:
  void add(const Entry &entry) {
    const int count = txrt_session_launch_count(model.session(), entry.index());
    double end = began;
    for (int i = 0; i < count; ++i) {
      txrt_error error;
      txrt_launch_info info;
      check(txrt_session_launch_info(model.session(), entry.index(), i, &info, &error), error);
      end = std::max(end, add(info));
    }
    closeLayer();
    events.push_back(event(entry.name(), "entry", EntryRow, began, end - began));
    began = end;
  }

  double add(const txrt_launch_info &info) {
    const double start = began + info.last_start;
    const double end = start + info.last_seconds;
    const char *phase = txrt_phase_name(info.phase);
    const bool isCollective = info.kind == TXRT_LAUNCH_COLLECTIVE;
    json launch = event(info.name, phase, isCollective ? CommunicationRow : LaunchRow, start, info.last_seconds);
    json &about = launch["args"];
    about = {{"launch", info.number}, {"kind", txrt_launch_kind_name(info.kind)},
             {"kernel", info.kernel}, {"phase", phase},
             {"flops", info.flops},   {"bytes", info.bytes}};
    if (info.layer >= 0)
      about["layer"] = info.layer;
    if (info.waits_for)
      about["waits for"] = info.waits_for;
    if (info.kind == TXRT_LAUNCH_GEMM)
      about["m,n,k,batch"] = {info.gemm[0], info.gemm[1], info.gemm[2], info.batch};
    if (isCollective) {
      about["sent bytes"] = info.sent_bytes;
    } else if (info.last_seconds > 0) {
      about["GFLOP/s"] = double(info.flops) / info.last_seconds * 1e-9;
      about["GB/s"] = double(info.bytes) / info.last_seconds * 1e-9;
    }
    events.push_back(std::move(launch));
    if (isCollective)
      return end; // a layer's collective may still run while the next layer does, so it does not end the layer

    std::string layer = info.layer < 0 ? phase : phase + (" layer " + std::to_string(info.layer));
    if (layer != layerName)
      closeLayer();
    if (layerName.empty()) {
      layerName = layer;
      layerStart = start;
    }
    layerEnd = end;
    return end;
  }

  void closeLayer() {
    if (!layerName.empty())
      events.push_back(event(layerName, "layer", LayerRow, layerStart, layerEnd - layerStart));
    layerName.clear();
  }

  const Model &model;
  json events = json::array();
  double began = 0; // when the current entry began, in seconds
  std::string layerName;
  double layerStart = 0, layerEnd = 0;
};

Trace::Trace(const Model &model) : events(std::make_unique<Events>(model)) {}

Trace::~Trace() = default;

void Trace::add(const std::vector<Entry> &entries, int64_t iteration, double start) {
  if (count++ == 0)
    origin = start;
  events->add(entries, iteration, start - origin);
}

void Trace::write(const std::string &path, Console &console) const {
  const std::string text = events->text();
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
  console.line(format("trace of %s written to %s",
                      count == 1 ? "one iteration" : (std::to_string(count) + " iterations").c_str(),
                      printable(path, 200).c_str()));
}

} // namespace txrun
