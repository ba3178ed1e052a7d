//===- Regions.h - Recompute what a part of the model computes ------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_POLICIES_REGIONS_H
#define TX_LIB_REMAT_POLICIES_REGIONS_H

#include "tx/Remat/Policies.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace tx {

/// Whether the output of a region stays saved. The output are the values that forward ops outside of the region use.
enum class RegionOutput { Kept, Discarded };

/// Marks the values that regions compute as recomputed, all regions in one pass over the ops. Results of ops that must
/// run once (ReplayKind::Never) are kept.
class RegionChooser {
public:
  RegionChooser(const plan::Entry &entry, RematPlan &plan) : entry(entry), plan(plan), users(entry.computeUsers()) {}

  /// Gives the number of the region that a forward op is in, or nothing. If a module recomputes in two layers, these
  /// are two regions: a value that the first passes to the second is an output of the first.
  using RegionOf = llvm::function_ref<std::optional<int>(const plan::Op &)>;
  /// `lines` has, for each region, the line of the plan that asks for its recomputation.
  void recompute(llvm::ArrayRef<int> lines, RegionOf regionOf, RegionOutput output);

private:
  bool leavesRegion(int value, int region, RegionOf regionOf) const;

  const plan::Entry &entry;
  RematPlan &plan;
  std::vector<std::vector<int>> users;
};

/// Gives each view the choice of the value whose memory it shows.
void followViews(const plan::Entry &entry, RematPlan &plan);

void chooseNone(const RematInput &input, const RematPolicy &policy, RematPlan &plan);
void chooseSelective(const RematInput &input, const RematPolicy &policy, RematPlan &plan);
void chooseFullUniform(const RematInput &input, const RematPolicy &policy, RematPlan &plan);
void chooseFullBlock(const RematInput &input, const RematPolicy &policy, RematPlan &plan);
void chooseByFile(const RematInput &input, const RematPolicy &policy, RematPlan &plan);
void chooseAuto(const RematInput &input, const RematPolicy &policy, RematPlan &plan);
void chooseSaveOnly(const RematInput &input, const RematPolicy &policy, RematPlan &plan);

} // namespace tx

#endif // TX_LIB_REMAT_POLICIES_REGIONS_H
