//===- Policies.h - All recompute policies --------------------------------------------------------------*- C++ -*-===//
//
// A policy is a file in lib/Remat/Policies and a line in the table of Policies.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_POLICIES_H
#define TX_REMAT_POLICIES_H

#include "tx/Remat/Options.h"
#include "tx/Remat/Plan.h"

namespace tx {

struct RematPolicyKind {
  const char *name;
  const char *summary;
  bool (*applies)(const RematPolicy &policy);
  /// Fills choices and lines.
  void (*choose)(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
};

/// In the order in which they are asked whether they apply; exactly one does.
const std::vector<RematPolicyKind> &getRematPolicyKinds();
const RematPolicyKind &getRematPolicyKind(const RematPolicy &policy);

/// A complete plan: choices, then placement. Not verified yet.
RematPlan planRemat(const RematProblem &problem, const RematPolicy &policy);

/// Warnings and notes about a policy that does less than it seems: modules that free nothing or are part of another
/// one, saved names that stop no replay.
void adviseOnPlan(const RematProblem &problem, const RematPolicy &policy, const RematPlan &plan,
                  std::vector<RematMessage> &messages);

/// Peaks are known only after scheduling and placement: for the driver, which plans `none` too.
std::optional<RematMessage> warnIfPeakRises(int64_t peakBytes, int64_t peakBytesOfNone);

} // namespace tx

#endif // TX_REMAT_POLICIES_H
