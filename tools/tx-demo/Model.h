//===- Model.h - What the demo trains, and under which policies -----------------------------------------*- C++ -*-===//

#ifndef TXDEMO_MODEL_H
#define TXDEMO_MODEL_H

#include "Process.h"

namespace txdemo {

struct Model {
  int layers, hidden, heads, sequence, batch;
  int trainIterations, evalInterval;
  const char *learningRate;
  int warmup;

  /// The flags of tx-compile that describe the model, without a recompute policy.
  Command flags(int microBatch) const;
};

/// `quick`: a smaller model, which trains within a minute.
Model demoModel(bool quick);

struct Policy {
  std::string name; ///< as the table of results shows it
  std::string file; ///< stem of the names of the policy's files
  Command flags;    ///< the flags of tx-compile that set the policy
};

/// The policies that the demo compares. The first one is `none`; each other one is compared with it.
std::vector<Policy> demoPolicies(const Model &model);

} // namespace txdemo

#endif // TXDEMO_MODEL_H
