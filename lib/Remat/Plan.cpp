//===- Plan.cpp - What is kept, what is recomputed, and why -------------------------------------------------------===//

#include "tx/Remat/Plan.h"

using namespace tx;

void tx::placeRecomputations(const plan::Entry &entry, RematPlan &plan) {
  plan.recomputations = plan::placeRecomputations(entry, plan.choices);
}

std::vector<int> tx::getSavedValues(const plan::Entry &entry, const RematPlan &plan) {
  return plan::getSavedValues(entry, plan.choices, plan.recomputations);
}

int64_t tx::getSavedBytes(const plan::Entry &entry, const RematPlan &plan) {
  int64_t bytes = 0;
  for (int value : getSavedValues(entry, plan))
    bytes += entry.values[value].bytes;
  return bytes;
}
