//===- Mutations.h - Bugs that real systems had ---------------------------------------------------------*- C++ -*-===//
//
// Each mutation puts one bug into a rematerialized `microbatch`: the ones that Megatron, PyTorch's checkpointing and
// their kin had and fixed, as far as they can be made of dense f32 training on one device.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_NUMERICS_MUTATIONS_H
#define TX_TEST_NUMERICS_MUTATIONS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <vector>

namespace tx {

struct Mutation {
  const char *name;
  /// What must find it, whatever else does: a name of MutantsTest's checks.
  const char *killer;
  /// Mutates the first place that fits; false if there is none.
  bool (*apply)(mlir::func::FuncOp function);
};

const std::vector<Mutation> &getMutations();

} // namespace tx

#endif // TX_TEST_NUMERICS_MUTATIONS_H
