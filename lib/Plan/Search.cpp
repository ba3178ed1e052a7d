//===- Search.cpp - The quickest choice within a budget -----------------------------------------------------------===//

#include "tx/Plan/Search.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <tuple>

using namespace tx;
using namespace tx::plan;

// Tries times the ops of an entry: a search of a large model takes about as long as one of a small one.
static constexpr int64_t kFillWork = 120'000;

Search::Candidate Search::weigh(Choices choices) {
  Candidate candidate{std::move(choices), {}};
  candidate.score = scorer.score(candidate.choices);
  return candidate;
}

/// The ops whose results differ between the two, in the order in which a budget that grows keeps them: the last layers
/// first, in a layer the one whose recomputation costs most per byte.
std::vector<int> Search::listFlips(const Choices &heavy, const Choices &light) const {
  const Entry &entry = scorer.getEntry();
  std::vector<int> ops;
  for (int op = 0, e = entry.ops.size(); op < e; ++op)
    if (entry.ops[op].isForward() && entry.ops[op].work != Work::View &&
        std::any_of(entry.ops[op].results.begin(), entry.ops[op].results.end(),
                    [&](int result) { return heavy[result] != light[result]; }))
      ops.push_back(op);
  auto getWorth = [&](int op) {
    int64_t bytes = 1;
    for (int result : entry.ops[op].results)
      bytes += entry.values[result].bytes;
    return problem.getReplaySeconds(op) / double(bytes);
  };
  llvm::sort(ops, [&](int a, int b) {
    return std::tuple(-entry.ops[a].layer, -getWorth(a), a) < std::tuple(-entry.ops[b].layer, -getWorth(b), b);
  });
  return ops;
}

/// Gives the op's results, and their views, the choices that they have in `to`.
void Search::flip(Choices &choices, int op, const Choices &to) const {
  const Entry &entry = scorer.getEntry();
  for (int result : entry.ops[op].results) {
    choices[result] = to[result];
    for (int user : problem.getUsers(result))
      if (entry.ops[user].view)
        for (int view : entry.ops[user].results)
          if (entry.values[view].storage == result)
            choices[view] = to[result];
  }
}

/// The lightest choice within the budget between a heavy one, which is within it, and a light one, which is not.
Search::Candidate Search::walkLine(Candidate heavy, Candidate light, int64_t budget) {
  std::vector<int> flips = listFlips(heavy.choices, light.choices);
  size_t within = 0, above = flips.size();
  while (above - within > 1) {
    size_t middle = within + (above - within) / 2;
    Choices choices = heavy.choices;
    // `heavy` has the first `within` flips already
    for (size_t i = within; i < middle; ++i)
      flip(choices, flips[i], light.choices);
    Candidate candidate = weigh(std::move(choices));
    if (candidate.score.bytes > budget) {
      above = middle;
      continue;
    }
    within = middle;
    heavy = std::move(candidate);
  }
  return heavy;
}

int64_t Search::getTries(int64_t work) const {
  return std::clamp<int64_t>(work / (1 + static_cast<int64_t>(scorer.getEntry().ops.size())), 16, 240);
}

/// Keeps single ops that are computed again, the most expensive ones first, as long as there is room. In the last
/// layer much that is kept costs nothing: it is there when memory is shortest in any case.
Search::Candidate Search::fill(Candidate plan, int64_t budget) {
  const Entry &entry = scorer.getEntry();
  Choices keep(entry.values.size(), Choice::Keep);
  std::vector<int> ops = listFlips(plan.choices, keep);
  const int lastLayer = entry.layers.empty() ? -1 : entry.layers.back();
  auto getWorth = [&](int op) { return std::pair(entry.ops[op].layer == lastLayer, problem.getReplaySeconds(op)); };
  llvm::sort(ops, [&](int a, int b) { return std::pair(getWorth(b), a) < std::pair(getWorth(a), b); });
  int64_t tries = getTries(kFillWork);
  for (int op : ops) {
    int64_t bytes = 0;
    for (int result : entry.ops[op].results)
      bytes += entry.values[result].bytes;
    bool hasRoom = entry.ops[op].layer == lastLayer || plan.score.bytes + bytes / 2 <= budget;
    if (!hasRoom || problem.getReplaySeconds(op) <= 0)
      continue; // keeping it may free an operand of half its size, seldom more
    if (--tries < 0)
      break;
    Choices choices = plan.choices;
    flip(choices, op, keep);
    Candidate candidate = weigh(std::move(choices));
    if (candidate.score.bytes <= budget && candidate.score.seconds < plan.score.seconds)
      plan = std::move(candidate);
  }
  return plan;
}

/// Changes choices of the last layer, whose backward needs the most, one by one as long as the step needs fewer bytes:
/// what is kept between two halves of a layer splits its recomputation in two.
Search::Candidate Search::squeeze(Candidate plan) {
  const Entry &entry = scorer.getEntry();
  const int lastLayer = entry.layers.empty() ? -1 : entry.layers.back();
  Choices keep(entry.values.size(), Choice::Keep), replay(entry.values.size(), Choice::Recompute);
  int64_t tries = getTries(kFillWork);
  for (bool isBetter = true; isBetter && tries > 0;) {
    isBetter = false;
    for (int op = 0, e = entry.ops.size(); op < e && tries > 0; ++op) {
      if (entry.ops[op].layer != lastLayer || entry.ops[op].work == Work::View || !problem.mayReplay(op))
        continue;
      Choices choices = plan.choices;
      flip(choices, op, choices[entry.ops[op].results.front()] == Choice::Keep ? replay : keep);
      Candidate candidate = weigh(std::move(choices));
      --tries;
      if (candidate.score.bytes < plan.score.bytes) {
        plan = std::move(candidate);
        isBetter = true;
      }
    }
  }
  return plan;
}

/// Choices between two, of which neither is known to be within the budget: memory may be least in between, where the
/// first layers are computed again in long chunks and the last ones alone. Calls `take` with some of them.
void Search::sampleLine(const Choices &heavy, const Choices &light, llvm::function_ref<void(Candidate)> take) {
  constexpr size_t kMostSamples = 12;
  std::vector<int> flips = listFlips(heavy, light);
  size_t step = std::max<size_t>(1, flips.size() / kMostSamples);
  Choices choices = heavy;
  for (size_t i = 0; i < flips.size(); ++i) {
    flip(choices, flips[i], light);
    if ((i + 1) % step == 0)
      take(weigh(choices));
  }
}

/// The lightest neighbours on the hull of the cuts at a point: the cut within the budget that costs least, improved
/// towards the next one, which is not within it. Nothing if no cut is within it.
std::optional<Search::Candidate> Search::walkHull(const MemoryPoint &point, const std::vector<bool> &kept,
                                                  int64_t budget) {
  CutChoice lightCut = problem.cut(point, problem.getLeastPrice(), kept);
  CutChoice heavyCut = problem.cut(point, KeepProblem::kAnyPrice, kept);
  Candidate heavy = weigh(heavyCut.choices), light = weigh(lightCut.choices);
  if (light.score.bytes <= budget)
    return light;
  if (heavy.score.bytes > budget)
    return std::nullopt;
  while (lightCut.bytes > heavyCut.bytes) {
    double price = (heavyCut.seconds - lightCut.seconds) / double(lightCut.bytes - heavyCut.bytes);
    CutChoice between = problem.cut(point, price, kept);
    double line = heavyCut.seconds + price * double(heavyCut.bytes);
    if (between.seconds + price * double(between.bytes) >= line * (1 - 1e-12) || between.bytes == heavyCut.bytes ||
        between.bytes == lightCut.bytes)
      break;
    Candidate candidate = weigh(between.choices);
    bool fits = candidate.score.bytes <= budget;
    (fits ? heavyCut : lightCut) = std::move(between);
    (fits ? heavy : light) = std::move(candidate);
  }
  return walkLine(std::move(heavy), std::move(light), budget);
}

Search::Candidate Search::solve(int64_t budget, const std::vector<Choices> &seeds) {
  const Entry &entry = scorer.getEntry();
  Candidate none = weigh(Choices(entry.values.size(), Choice::Keep));
  std::optional<Candidate> best;
  Candidate freest = none;
  auto take = [&](Candidate candidate) {
    if (candidate.score.bytes < freest.score.bytes)
      freest = candidate;
    if (candidate.score.bytes <= budget && (!best || candidate.score.seconds < best->score.seconds))
      best = std::move(candidate);
  };
  take(none);
  for (const Choices &seed : seeds)
    take(weigh(seed));
  // What layers pass on is kept: a replay then stays in its layer.
  std::vector<bool> carried = problem.findCarried();
  std::optional<Candidate> line = walkHull(problem.getPoints().front(), carried, budget);
  if (line) {
    take(*line);
  } else {
    // Memory is short: longer chunks, at least of the first layers.
    Choices alone = problem.cut(problem.getPoints().front(), KeepProblem::kAnyPrice, carried).choices;
    take(weigh(alone));
    for (const Choices &seed : seeds)
      sampleLine(seed, alone, take);
    take(squeeze(freest));
  }
  if (!best)
    return freest;
  // The line has room for other ops than a seed has.
  take(fill(*best, budget));
  if (line)
    take(fill(*line, budget));
  if (none.score.bytes > budget)
    take(walkLine(*best, none, budget));
  return *best;
}

SearchResult Search::run(int64_t budget, const std::vector<Choices> &seeds) {
  SearchResult result;
  result.budget = budget;
  Choices none(scorer.getEntry().values.size(), Choice::Keep);
  result.fullBytes = scorer.place(none).getBytes();
  result.boundSeconds = problem.boundSeconds(budget);
  // A placement may need more than what is alive. Then the search goes on below the budget.
  int64_t within = budget;
  constexpr int kMostRounds = 5;
  for (int round = 0; round < kMostRounds; ++round) {
    Candidate found = solve(within, seeds);
    int64_t placed = scorer.place(found.choices).getBytes();
    result.choices = std::move(found.choices);
    result.score = {found.score.seconds, placed};
    result.fits = placed <= budget;
    if (result.fits || found.score.bytes > within)
      break;
    within -= placed - budget;
  }
  result.scored = scorer.getCount();
  return result;
}
