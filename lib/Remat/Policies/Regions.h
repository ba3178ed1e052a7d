//===- Regions.h - Recompute what a part of the model computes ------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_POLICIES_REGIONS_H
#define TX_LIB_REMAT_POLICIES_REGIONS_H

#include "tx/Remat/Policies.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace tx {

/// Whether a region's output, what forward uses outside of it, stays saved.
enum class RegionOutput { Kept, Discarded };

/// Marks values of regions as recomputed, of all regions in one pass. What must happen once is kept.
class RegionChooser {
public:
  RegionChooser(const RematProblem &problem, RematPlan &plan)
      : problem(problem), plan(plan), users(problem.computeUsers()) {}

  /// The region of a forward op, or none. One ends where another begins: what a layer's module gives to the same module
  /// of the next layer is its output.
  using RegionOf = llvm::function_ref<std::optional<int>(const RematOp &)>;
  /// `lines`: by region, the line of the plan that says so.
  void recompute(llvm::ArrayRef<int> lines, RegionOf regionOf, RegionOutput output);

private:
  bool leavesRegion(int value, int region, RegionOf regionOf) const;

  const RematProblem &problem;
  RematPlan &plan;
  std::vector<std::vector<int>> users;
};

/// Gives each view the choice of what it views.
void followViews(const RematProblem &problem, RematPlan &plan);

void chooseNone(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseSelective(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseFullUniform(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseFullBlock(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseSaveOnly(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);

} // namespace tx

#endif // TX_LIB_REMAT_POLICIES_REGIONS_H
