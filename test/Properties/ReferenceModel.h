//===- ReferenceModel.h - What a run should have computed -----------------------------------------------*- C++ -*-===//
//
// A bug that every policy shares changes the bits of none, too. The reference interpreter does not share it: from a
// run's own parameters and batches it computes the losses and gradients of both iterations in double.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_PROPERTIES_REFERENCEMODEL_H
#define TX_TEST_PROPERTIES_REFERENCEMODEL_H

#include "GeneratedModel.h"
#include "Harness.h"
#include "JointModel.h"

namespace txtest {

class ReferenceModel {
public:
  /// The model of a command line; recomputation means nothing here.
  explicit ReferenceModel(const Flags &flags);
  explicit ReferenceModel(const tx::GeneratedModel &generated);

  /// The first loss or gradient that is further away than f32 explains, or nothing.
  std::string firstDifference(const RunResult &run);

private:
  std::string compareIteration(const RunResult &run, int iteration);

  // Between its roundings to bf16 the host computes in f32, the reference in double. Close to the middle of two bf16
  // numbers they take different ones, and all that follows differs by a part of a unit, 2^-8, here and there.
  double lossBound() const { return isNarrow ? 1e-3 : 1e-5; }
  double gradientBound() const { return isNarrow ? 2e-2 : 1e-4; }
  double noise() const { return isNarrow ? 1e-3 : 1e-7; } ///< of the whole gradient

  mlir::MLIRContext context;
  std::optional<tx::JointModel> model;
  int64_t batch, sequence;
  bool isNarrow; ///< bf16
};

} // namespace txtest

#endif // TX_TEST_PROPERTIES_REFERENCEMODEL_H
