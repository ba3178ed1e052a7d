//===- Score.cpp - What a choice costs ----------------------------------------------------------------------------===//

#include "tx/Plan/Score.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <limits>

using namespace tx;
using namespace tx::plan;

std::optional<Choices> plan::transferChoices(const Step &step, int from, const Choices &choices, int to) {
  const Entry &entry = step.entries[to];
  Choices transferred(entry.values.size(), Choice::Keep);
  std::optional<std::vector<int>> matches = matchForward(step.entries[from], entry);
  if (!matches || !entry.hasBackward())
    return std::nullopt;
  for (size_t value = 0; value < matches->size(); ++value)
    if ((*matches)[value] >= 0)
      transferred[value] = choices[(*matches)[value]];
  return transferred;
}

int Scorer::findMainEntry(const Step &step) {
  int main = -1;
  for (int entry = 0, e = step.entries.size(); entry < e; ++entry)
    if (step.entries[entry].hasBackward() &&
        (main < 0 || step.entries[entry].ops.size() > step.entries[main].ops.size()))
      main = entry;
  return main;
}

Scorer::Scorer(const Step &step, int main, LaunchTimer &timer)
    : step(step), main(main), timer(timer), layout(StateLayout::compute(step)), alignment(getSegmentAlignment(step)),
      persistentBytes(getPersistentBytes(step, layout)) {
  Choices none(getEntry().values.size(), Choice::Keep);
  for (int value : getEntry().arguments)
    fixedBytes += llvm::alignTo(getEntry().values[value].bytes, TXRT_BUFFER_ALIGNMENT);
  fixedBytes += persistentBytes;
  for (int number = 0, e = step.entries.size(); number < e; ++number) {
    if (number == main || transferChoices(step, main, none, number))
      continue;
    const Entry &entry = step.entries[number];
    EntryPeak peak = placeStorages(computeStorages(step, entry, makeSchedule(entry), layout), alignment);
    otherArguments = std::max(otherArguments, peak.argumentBytes);
    otherTransient = std::max(otherTransient, peak.transientBytes);
  }
}

Score Scorer::score(const Choices &choices) {
  ++count;
  Entry entry = applyRecomputations(getEntry(), choices, placeRecomputations(getEntry(), choices));
  Schedule schedule = makeSchedule(entry);
  Storages storages = computeStorages(step, entry, schedule, layout);
  Score score;
  if (storages.fault) // values would have to lie in two places at once
    return {std::numeric_limits<double>::infinity(), std::numeric_limits<int64_t>::max() / 2};
  score.seconds = computeSeconds(entry, schedule, timer).getTotal();
  score.bytes = persistentBytes + std::max(otherArguments, plan::getArgumentBytes(storages, alignment)) +
                std::max(otherTransient, getLiveBytes(storages));
  return score;
}

Step Scorer::apply(const Choices &choices) const {
  Step applied;
  applied.states = step.states;
  applied.types = step.types;
  for (int number = 0, e = step.entries.size(); number < e; ++number) {
    const Entry &entry = step.entries[number];
    std::optional<Choices> own = number == main ? choices : transferChoices(step, main, choices, number);
    applied.entries.push_back(own ? applyRecomputations(entry, *own, placeRecomputations(entry, *own)) : entry);
  }
  return applied;
}

Peak Scorer::place(const Choices &choices) const {
  Step applied = apply(choices);
  std::vector<Schedule> schedules;
  for (const Entry &entry : applied.entries)
    schedules.push_back(makeSchedule(entry));
  return computePeak(applied, schedules);
}
