//===- HostMutations.h - Bugs on the way to the host ----------------------------------------------------*- C++ -*-===//
//
// Each puts one bug behind the joint phase: into the program that is fused, into addresses, into launches. Mutations.h
// of test/Numerics has those of the joint function; they go the same way.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_PROPERTIES_HOSTMUTATIONS_H
#define TX_TEST_PROPERTIES_HOSTMUTATIONS_H

#include "LaunchTable.h"

#include "mlir/IR/BuiltinOps.h"

#include <functional>
#include <string>
#include <vector>

namespace txtest {

/// Of the module before fusion. False: it has no place for the bug.
struct ProgramMutation {
  const char *name;
  const char *killer; ///< what must find it: a name of HostMutantsTest's checks
  std::function<bool(mlir::ModuleOp)> apply;
};
std::vector<ProgramMutation> getProgramMutations();

/// Of addresses: `apply` takes the variant with this number, false behind the last. All of them are
/// tx-verify-placement's to find.
struct PlacementMutation {
  const char *name;
  bool (*apply)(mlir::ModuleOp module, unsigned variant);
};
std::vector<PlacementMutation> getPlacementMutations();

/// Rounds a saved f32 tensor to bf16 at the border; of the launches.
bool roundSavedValue(mlir::ModuleOp module);

/// Of an entry's launches: a mutant of launch `index`, false if that is no place for the bug.
struct LaunchMutation {
  const char *name;
  std::vector<std::string> entries;
  bool (*apply)(LaunchTable &table, llvm::StringRef entry, size_t index);
};
std::vector<LaunchMutation> getLaunchMutations();

} // namespace txtest

#endif // TX_TEST_PROPERTIES_HOSTMUTATIONS_H
