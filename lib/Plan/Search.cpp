//===- Search.cpp - The quickest choice within a budget -----------------------------------------------------------===//

#include "tx/Plan/Search.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <tuple>

using namespace tx;
using namespace tx::plan;

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

/// Keeps single ops that are computed again, the most expensive ones first, as long as there is room.
Search::Candidate Search::fill(Candidate plan, int64_t budget) {
  constexpr int kMostTries = 24;
  const Entry &entry = scorer.getEntry();
  Choices keep(entry.values.size(), Choice::Keep);
  std::vector<int> ops = listFlips(plan.choices, keep);
  llvm::sort(ops, [&](int a, int b) {
    return std::pair(-problem.getReplaySeconds(a), a) < std::pair(-problem.getReplaySeconds(b), b);
  });
  int tries = 0;
  for (int op : ops) {
    int64_t bytes = 0;
    for (int result : entry.ops[op].results)
      bytes += entry.values[result].bytes;
    if (plan.score.bytes + bytes / 2 > budget || problem.getReplaySeconds(op) <= 0)
      continue; // keeping it may free an operand of half its size, seldom more
    if (++tries > kMostTries)
      break;
    Choices choices = plan.choices;
    flip(choices, op, keep);
    Candidate candidate = weigh(std::move(choices));
    if (candidate.score.bytes <= budget && candidate.score.seconds < plan.score.seconds)
      plan = std::move(candidate);
  }
  return plan;
}

Search::Candidate Search::solve(int64_t budget, const std::vector<Choices> &seeds) {
  const Entry &entry = scorer.getEntry();
  const MemoryPoint &point = problem.getPoints().front();
  Candidate light = weigh(Choices(entry.values.size(), Choice::Keep));
  if (light.score.bytes <= budget)
    return light;

  // What layers pass on is kept: a replay then stays in its layer.
  std::vector<bool> carried = problem.findCarried();
  CutChoice lightCut = problem.cut(point, problem.getLeastPrice(), carried),
            heavyCut = problem.cut(point, KeepProblem::kAnyPrice, carried);
  Candidate heavy = weigh(heavyCut.choices), freest = heavy;
  for (const Choices &seed : seeds) {
    Candidate candidate = weigh(seed);
    if (candidate.score.bytes < freest.score.bytes)
      freest = candidate;
    bool isBetter = candidate.score.bytes <= budget &&
                    (heavy.score.bytes > budget || candidate.score.seconds < heavy.score.seconds);
    if (isBetter)
      heavy = std::move(candidate);
  }
  if (heavy.score.bytes > budget)
    return freest;

  Candidate best = heavy;
  auto take = [&](const Candidate &candidate) {
    if (candidate.score.bytes <= budget && candidate.score.seconds < best.score.seconds)
      best = candidate;
  };
  Candidate heavyLine = weigh(heavyCut.choices);
  if (heavyLine.score.bytes <= budget) {
    // Neighbours on the hull of the cuts: one within the budget, one not.
    Candidate lightLine = weigh(lightCut.choices);
    take(lightLine);
    while (lightLine.score.bytes > budget && lightCut.bytes > heavyCut.bytes) {
      double price = (heavyCut.seconds - lightCut.seconds) / double(lightCut.bytes - heavyCut.bytes);
      CutChoice between = problem.cut(point, price, carried);
      double line = heavyCut.seconds + price * double(heavyCut.bytes);
      if (between.seconds + price * double(between.bytes) >= line * (1 - 1e-12) || between.bytes == heavyCut.bytes ||
          between.bytes == lightCut.bytes)
        break;
      Candidate candidate = weigh(between.choices);
      if (candidate.score.bytes <= budget) {
        heavyCut = std::move(between);
        heavyLine = std::move(candidate);
      } else {
        lightCut = std::move(between);
        lightLine = std::move(candidate);
      }
    }
    take(heavyLine);
    if (lightLine.score.bytes > budget)
      take(walkLine(heavyLine, lightLine, budget));
  } else {
    take(walkLine(heavy, light, budget));
  }
  return fill(best, budget);
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
