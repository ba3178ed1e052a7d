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

  /// The model's flags of tx-compile, without a policy.
  Command flags(int microBatch) const;
};

/// `quick`: a smaller model that is through within a minute.
Model demoModel(bool quick);

struct Policy {
  std::string name; ///< as in the table
  std::string file; ///< the stem of its files
  Command flags;    ///< of tx-compile
};

/// The first one is `none`: every other is compared with it.
std::vector<Policy> demoPolicies(const Model &model);

} // namespace txdemo

#endif // TXDEMO_MODEL_H
