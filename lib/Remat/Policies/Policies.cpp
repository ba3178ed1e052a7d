//===- Policies.cpp - The table of all recompute policies ---------------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;

static bool isSelective(const RematPolicy &policy) { return policy.granularity == RecomputeGranularity::Selective; }
static bool isFull(const RematPolicy &policy) { return policy.granularity == RecomputeGranularity::Full; }

const std::vector<RematPolicyKind> &tx::getRematPolicyKinds() {
  static const std::vector<RematPolicyKind> kinds = {
      {"save-only", "keep only values with the given names",
       [](const RematPolicy &policy) { return policy.saveOnly.has_value(); }, chooseSaveOnly},
      {"selective", "recompute modules, in all layers, the first ones or a list", isSelective, chooseSelective},
      {"full uniform", "recompute all layers, in chunks",
       [](const RematPolicy &policy) { return isFull(policy) && policy.method == RecomputeMethod::Uniform; },
       chooseFullUniform},
      {"auto", "what is quickest within a budget of memory",
       [](const RematPolicy &policy) { return policy.granularity == RecomputeGranularity::Auto; }, chooseAuto},
      {"full block", "recompute the first layers or a list, each alone", isFull, chooseFullBlock},
      {"none", "keep all that backward uses", [](const RematPolicy &) { return true; }, chooseNone},
  };
  return kinds;
}

const RematPolicyKind &tx::getRematPolicyKind(const RematPolicy &policy) {
  return *llvm::find_if(getRematPolicyKinds(), [&](const RematPolicyKind &kind) { return kind.applies(policy); });
}

RematPlan tx::planRemat(const RematInput &input, const RematPolicy &policy) {
  RematPlan plan(input.entry);
  getRematPolicyKind(policy).choose(input, policy, plan);
  followViews(input.entry, plan);
  placeRecomputations(input.entry, plan);
  return plan;
}
