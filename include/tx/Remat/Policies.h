//===- Policies.h - All recompute policies --------------------------------------------------------------*- C++ -*-===//
//
// A policy is a file in lib/Remat/Policies and a line in the table of Policies.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_POLICIES_H
#define TX_REMAT_POLICIES_H

#include "tx/Plan/Device.h"
#include "tx/Remat/Options.h"
#include "tx/Remat/Plan.h"

namespace tx {

/// What a policy decides about: an entry, and the step that it belongs to.
struct RematInput {
  const plan::Entry &entry;
  const plan::Step *step = nullptr; ///< null: no policy that asks for bytes or seconds of a step can decide
  int number = -1;                  ///< of the entry in `step`
  const plan::Device *device = nullptr;

  RematInput(const plan::Entry &entry) : entry(entry) {}
  RematInput(const plan::Step &step, int number, const plan::Device *device)
      : entry(step.entries[number]), step(&step), number(number), device(device) {}
};

struct RematPolicyKind {
  const char *name;
  const char *summary;
  bool (*applies)(const RematPolicy &policy);
  /// Fills the plan's choices and lines, or its refusal.
  void (*choose)(const RematInput &input, const RematPolicy &policy, RematPlan &plan);
};

/// Makes a policy known that a plug-in brings: `--recompute-policy NAME[:ARGUMENT]` chooses it, and its `choose` finds
/// ARGUMENT in RematPolicy::argument. `applies` is not asked. A second policy of one name takes the place of the first.
void registerRematPolicy(const RematPolicyKind &kind);
std::vector<std::string> getRegisteredPolicyNames();

/// All policies of Tx. `applies` is called in this order; it is true of exactly one kind for each RematPolicy.
const std::vector<RematPolicyKind> &getRematPolicyKinds();
const RematPolicyKind &getRematPolicyKind(const RematPolicy &policy);

/// Makes a complete plan: the policy chooses, then placeRecomputations places the clones. The caller has to verify it.
RematPlan planRemat(const RematInput &input, const RematPolicy &policy);

/// Adds warnings and notes about a policy that does less than it seems to: a module that frees no bytes or is part of
/// another module of the policy, saved names that do not keep a replay from running through all layers.
void adviseOnPlan(const plan::Entry &entry, const RematPolicy &policy, const RematPlan &plan,
                  std::vector<RematMessage> &messages);

/// Warns if the policy's peak is above that of policy `none`. Peaks are known only after scheduling and placement, so
/// the driver calls this, after it has compiled the step under `none` too.
std::optional<RematMessage> warnIfPeakRises(int64_t peakBytes, int64_t peakBytesOfNone);

} // namespace tx

#endif // TX_REMAT_POLICIES_H
