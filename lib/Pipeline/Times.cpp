//===- Times.cpp - How long the step takes on a device ------------------------------------------------------------===//

#include "Times.h"

#include "tx/Plan/Peak.h"
#include "tx/Plan/ReadStep.h"

using namespace mlir;
using namespace tx;

FailureOr<StepTimes> tx::computeTimes(ModuleOp module, const plan::Device &device) {
  FailureOr<StepIR> read = readStep(module, ReadNames::No);
  if (failed(read))
    return failure();
  const plan::Step &step = read->step;
  plan::LaunchTimer timer(step, device);
  StepTimes times;
  times.device = device.name;
  auto add = [&](const char *name) {
    if (const plan::Entry *entry = step.findEntry(name))
      times.seconds += plan::computeSeconds(*entry, plan::readSchedule(*entry), timer);
  };
  if (step.findEntry("step")) {
    add("step");
  } else {
    add("microbatch");
    add("apply");
  }
  times.measuredProducts = timer.countProducts(plan::TimeSource::Measured);
  times.estimatedProducts =
      timer.countProducts(plan::TimeSource::Between) + timer.countProducts(plan::TimeSource::Rates);
  return times;
}

std::optional<int64_t> tx::computePeak(ModuleOp module) {
  FailureOr<StepIR> read = readStep(module, ReadNames::No);
  if (failed(read))
    return std::nullopt;
  std::vector<plan::Schedule> schedules;
  for (const plan::Entry &entry : read->step.entries)
    schedules.push_back(plan::makeSchedule(entry));
  plan::Peak peak = plan::computePeak(read->step, schedules);
  return peak.fault ? std::nullopt : std::optional(peak.getBytes());
}
