//===- Regions.h - Recompute what a part of the model computes --*- C++ -*-===//

#ifndef TX_LIB_REMAT_POLICIES_REGIONS_H
#define TX_LIB_REMAT_POLICIES_REGIONS_H

#include "tx/Remat/Policies.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace tx {

/// Whether a region's output, what forward uses outside of it, stays saved.
enum class RegionOutput { Kept, Discarded };

/// Marks values of regions as recomputed. A region's cost is its own layers', so that all layers, each alone, cost
/// what one region of all layers does.
class RegionChooser {
public:
  RegionChooser(const RematProblem &problem, RematPlan &plan);

  /// The region is the ops of layers first to end - 1 that are inside.
  using IsInside = llvm::function_ref<bool(const RematOp &)>;
  void recompute(std::string line, int first, int end, IsInside isInside, RegionOutput output);

private:
  bool leavesRegion(int value, IsInside isInside) const;

  const RematProblem &problem;
  RematPlan &plan;
  std::vector<std::vector<int>> users, opsOfLayer; // of forward
};

/// Gives each view the choice of what it views.
void followViews(const RematProblem &problem, RematPlan &plan);

/// `layers 0-3,7` for a sorted list, `layer 2` for a single one.
std::string describeLayers(const std::vector<int> &layers);

void chooseNone(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseSelective(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseFullUniform(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseFullBlock(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);
void chooseSaveOnly(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan);

} // namespace tx

#endif // TX_LIB_REMAT_POLICIES_REGIONS_H
