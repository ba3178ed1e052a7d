//===- PlainPlans.cpp - Plans on plain data -----------------------------------------------------------------------===//

#include "PlainPlans.h"

#include "tx/Plan/Peak.h"
#include "tx/Plan/Score.h"
#include "tx/Remat/Policies.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;
using llvm::Expected;

PlainPlans::PlainPlans(plan::Step given, const plan::Device &device)
    : step(std::move(given)), device(device), main(plan::Scorer::findMainEntry(step)) {}

Expected<RematPlan> PlainPlans::decide(const RematPolicyOptions &options) const {
  const plan::Entry &entry = step.entries[main];
  std::vector<RematMessage> messages;
  std::optional<RematPolicy> policy = parseRematPolicy(options, entry, messages);
  if (!policy) {
    llvm::Error error = llvm::Error::success();
    for (const RematMessage &message : messages)
      if (message.severity == RematMessage::Error)
        error = llvm::joinErrors(std::move(error), badInput(message.text));
    return std::move(error);
  }
  RematPlan plan = planRemat({step, main, &device}, *policy);
  if (plan.refusal.empty())
    if (std::optional<std::string> fault = verifyPlan(entry, plan))
      return badInput(*fault);
  return plan;
}

/// The values that forward computes and that are still alive in backward. Views count as what they show a part of.
static std::vector<int> findSaved(const plan::Entry &entry) {
  std::vector<bool> isSaved(entry.values.size());
  for (const plan::Op &op : entry.ops)
    if (!op.isForward())
      for (const plan::Operand &operand : op.operands)
        isSaved[entry.values[operand.value].storage] = true;
  std::vector<int> saved;
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    if (isSaved[value] && entry.isForwardResult(value))
      saved.push_back(value);
  return saved;
}

/// Adds the numbers of a report that follow from an entry with its recomputations.
static void summarize(const plan::Entry &entry, PlannedStep &result) {
  for (int number : findSaved(entry)) {
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
    } else if (op.segment == Segment::Recompute) {
      result.recomputeFlops += op.matrixFlops;
    }
  }
}

Expected<PlannedStep> PlainPlans::evaluate(const RematPolicyOptions &options) const {
  Expected<RematPlan> plan = decide(options);
  if (!plan)
    return plan.takeError();
  PlannedStep result;
  result.refusal = plan->refusal;
  if (!result.refusal.empty())
    return result;
  if (plan->found)
    result.boundSeconds = plan->found->boundSeconds;
  plan::LaunchTimer timer(step, device);
  plan::Step planned = plan::Scorer(step, main, timer).apply(plan->choices);
  for (const plan::Entry &entry : planned.entries)
    if (entry.name == "microbatch")
      summarize(entry, result);
  std::vector<plan::Schedule> schedules;
  for (const plan::Entry &entry : planned.entries)
    schedules.push_back(plan::makeSchedule(entry));
  plan::Peak peak = plan::computePeak(planned, schedules);
  if (peak.fault)
    return badInput(peak.fault->text);
  result.peakBytes = peak.getBytes();
  result.persistentBytes = peak.persistentBytes;
  plan::LaunchTimer timerOfPlan(planned, device);
  for (auto [entry, schedule] : llvm::zip(planned.entries, schedules))
    for (auto [name, seconds] :
         {std::pair("step", &PlannedStep::step), std::pair("microbatch", &PlannedStep::microbatch),
          std::pair("apply", &PlannedStep::apply)})
      if (entry.name == name)
        result.*seconds = plan::computeSeconds(entry, schedule, timerOfPlan);
  return result;
}
