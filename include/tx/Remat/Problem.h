//===- Problem.h - What rematerialization decides about -------------------------------------------------*- C++ -*-===//
//
// A training step as plain data: ops in program order, forward before backward, and the values between them. Policies,
// the verifier and their tests work on it without IR:
//
//   RematPlan plan = planRemat(problem, policy); // Policies.h
//   if (std::optional<std::string> fault = verifyPlan(problem, plan)) ... // Plan.h
//
// Ops and values are numbered by their place in the vectors.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_PROBLEM_H
#define TX_REMAT_PROBLEM_H

#include "tx/Dialect/Tx/IR/TxEnums.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tx {

struct RematOp {
  std::string name; ///< `layers.3.mlp.fc1`, see docs/Recompute.md
  Segment segment = Segment::Forward;
  int layer = -1;                ///< -1: outside of the layers
  std::vector<std::string> path; ///< components of the module path
  int64_t matrixFlops = 0, vectorFlops = 0;
  ReplayKind replay = ReplayKind::Never;
  int replayKey = -1; ///< for a keyed op: the value that holds its random key
  std::vector<int> operands, results;

  bool isForward() const { return segment == Segment::Forward; }
  bool isInside(RecomputeModule module) const;
};

struct RematValue {
  std::string name;
  int64_t bytes = 0;
  int producer = -1; ///< -1: an input or a parameter, which is in memory in any case
  int storage = -1;  ///< for a view: the value whose memory it shows; else the value itself
};

struct RematProblem {
  std::vector<RematOp> ops;
  std::vector<RematValue> values;
  std::vector<int> layers; ///< the layer numbers of forward ops, ascending; there may be gaps

  int getLayerCount() const { return static_cast<int>(layers.size()); }
  /// The index of layer `number` in `layers`; nothing if no forward op has that layer.
  std::optional<int> findLayer(int number) const;
  void addLayer(int number);

  /// Whether a forward op computes the value: only such values are saved or recomputed.
  bool isForwardResult(int value) const {
    int producer = values[value].producer;
    return producer >= 0 && ops[producer].isForward();
  }
  bool isView(int value) const { return values[value].storage != value; }
  /// For each value: the ops that use it, in program order, each op once.
  std::vector<std::vector<int>> computeUsers() const;
  /// The recompute modules that have an op in some layer.
  std::vector<RecomputeModule> getModulesPresent() const;
};

} // namespace tx

#endif // TX_REMAT_PROBLEM_H
