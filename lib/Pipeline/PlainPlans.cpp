//===- PlainPlans.cpp - Plans on plain data -----------------------------------------------------------------------===//

#include "PlainPlans.h"

#include "tx/Plan/Peak.h"
#include "tx/Remat/Policies.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace tx;
using llvm::Expected;

//===--------------------------------------------------------------------------------------------------------------===//
// Libraries
//===--------------------------------------------------------------------------------------------------------------===//

/// What tells apart the ops that libraries may compute, before fusion and after it: ops of one kind in one module do
/// the same if their sizes are the same. Names are no key, since a group changes the names and numbers of ops.
static std::string keyOf(const plan::Entry &entry, const plan::Op &op) {
  std::string key = llvm::formatv("{0} {1} {2} {3} {4}", entry.name, static_cast<int>(op.segment), op.kind, op.layer,
                                  llvm::join(op.path, "."));
  if (op.product)
    key += llvm::formatv(" {0} {1} {2} {3} {4}", op.product->m, op.product->n, op.product->k, op.product->transposeA,
                         op.product->transposeB);
  return key;
}

LibraryWorks tx::findLibraryWork(const plan::Step &fused) {
  LibraryWorks works;
  for (const plan::Entry &entry : fused.entries)
    for (const plan::Op &op : entry.ops)
      if (bool addsBias = op.product && op.product->libraryAddsBias; addsBias || op.scratchBytes > 0)
        works[keyOf(entry, op)] = {op.scratchBytes, addsBias};
  return works;
}

PlainPlans::PlainPlans(plan::Step given, const LibraryWorks &libraries) : step(std::move(given)) {
  for (plan::Entry &entry : step.entries)
    for (plan::Op &op : entry.ops) {
      auto work = libraries.find(keyOf(entry, op));
      if (work == libraries.end())
        continue;
      op.scratchBytes = work->second.scratchBytes;
      if (op.product)
        op.product->libraryAddsBias = work->second.addsBias;
    }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Decisions
//===--------------------------------------------------------------------------------------------------------------===//

Expected<RematPlan> PlainPlans::decide(const plan::Entry &entry, const RematPolicyOptions &options) const {
  std::vector<RematMessage> messages;
  std::optional<RematPolicy> policy = parseRematPolicy(options, entry, messages);
  if (!policy) {
    llvm::Error error = llvm::Error::success();
    for (const RematMessage &message : messages)
      if (message.severity == RematMessage::Error)
        error = llvm::joinErrors(std::move(error), badInput(message.text));
    return std::move(error);
  }
  RematPlan plan = planRemat(entry, *policy);
  if (std::optional<std::string> fault = verifyPlan(entry, plan))
    return badInput(*fault);
  return plan;
}

plan::Schedule PlainPlans::schedule(const plan::Entry &entry) const {
  plan::Schedule schedule = plan::makeSchedule(entry);
  // A library's attention writes all results, also those that nobody reads.
  for (plan::Launch &launch : schedule.launches)
    if (launch.work == plan::Work::Tile && entry.ops[launch.main].scratchBytes > 0)
      launch.outputs = entry.ops[launch.main].results;
  return schedule;
}

//===--------------------------------------------------------------------------------------------------------------===//
// What follows
//===--------------------------------------------------------------------------------------------------------------===//

/// Adds the numbers of a report that follow from an entry and the plan for it.
static void summarize(const plan::Entry &entry, const RematPlan &plan, PlannedStep &result) {
  for (int number : getSavedValues(entry, plan)) {
    const plan::Value &value = entry.values[number];
    result.saved.push_back({value.name, entry.ops[value.producer].layer, value.bytes});
    result.savedBytes += value.bytes;
  }
  for (const plan::Op &op : entry.ops) {
    if (op.segment == Segment::Forward) {
      result.forwardFlops += op.matrixFlops - op.gradientFlops;
      result.backwardFlops += op.gradientFlops;
    } else if (op.segment == Segment::Backward) {
      result.backwardFlops += op.matrixFlops;
    }
  }
  for (const plan::Recomputation &recomputation : plan.recomputations)
    result.recomputeFlops += entry.ops[recomputation.op].matrixFlops;
}

Expected<PlannedStep> PlainPlans::evaluate(const RematPolicyOptions &options, const plan::Device &device) const {
  PlannedStep result;
  plan::Step planned;
  planned.states = step.states;
  planned.types = step.types;
  std::vector<plan::Schedule> schedules;
  for (const plan::Entry &entry : step.entries) {
    if (entry.hasBackward()) {
      Expected<RematPlan> plan = decide(entry, options);
      if (!plan)
        return plan.takeError();
      if (entry.name == "microbatch")
        summarize(entry, *plan, result);
      planned.entries.push_back(plan::applyRecomputations(entry, plan->choices, plan->recomputations));
    } else {
      planned.entries.push_back(entry);
    }
    schedules.push_back(schedule(planned.entries.back()));
  }
  plan::Peak peak = plan::computePeak(planned, schedules);
  if (peak.fault)
    return badInput(peak.fault->text);
  result.peakBytes = peak.getBytes();
  result.persistentBytes = peak.persistentBytes;
  plan::LaunchTimer timer(planned, device);
  for (auto [entry, schedule] : llvm::zip(planned.entries, schedules))
    for (auto [name, seconds] :
         {std::pair("step", &PlannedStep::step), std::pair("microbatch", &PlannedStep::microbatch),
          std::pair("apply", &PlannedStep::apply)})
      if (entry.name == name)
        result.*seconds = plan::computeSeconds(entry, schedule, timer);
  return result;
}
