//===- Policies.cpp - The table of all recompute policies ---------------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/STLExtras.h"

#include <map>

using namespace tx;

static bool isSelective(const RematPolicy &policy) { return policy.granularity == RecomputeGranularity::Selective; }
static bool isFull(const RematPolicy &policy) { return policy.granularity == RecomputeGranularity::Full; }

const std::vector<RematPolicyKind> &tx::getRematPolicyKinds() {
  static const std::vector<RematPolicyKind> kinds = {
      {"plan", "what a file says of each value", [](const RematPolicy &policy) { return policy.plan.has_value(); },
       chooseByFile},
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

static std::map<std::string, RematPolicyKind> &getRegistered() {
  static std::map<std::string, RematPolicyKind> registered;
  return registered;
}

void tx::registerRematPolicy(const RematPolicyKind &kind) { getRegistered().insert_or_assign(kind.name, kind); }

std::vector<std::string> tx::getRegisteredPolicyNames() {
  std::vector<std::string> names;
  for (const auto &[name, kind] : getRegistered())
    names.push_back(name);
  return names;
}

const RematPolicyKind &tx::getRematPolicyKind(const RematPolicy &policy) {
  if (!policy.custom.empty())
    return getRegistered().at(policy.custom);
  return *llvm::find_if(getRematPolicyKinds(), [&](const RematPolicyKind &kind) { return kind.applies(policy); });
}

RematPlan tx::planRemat(const RematInput &input, const RematPolicy &policy) {
  RematPlan plan(input.entry);
  getRematPolicyKind(policy).choose(input, policy, plan);
  followViews(input.entry, plan);
  placeRecomputations(input.entry, plan);
  return plan;
}
