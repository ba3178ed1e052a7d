//===- Weights.h - Between the arena and safetensors files ------*- C++ -*-===//
//
// Names are Hugging Face's for GPT-2, with or without the prefix
// `transformer.`. Optimizer state, when saved, lies beside its parameter as
// NAME.exp_avg, NAME.exp_avg_sq, NAME.master, with the position of the run in
// the metadata. A parameter and its f32 master are both read from NAME.master if
// it is there, else from NAME, whatever float type it has: so a model in bf16
// goes on from a run in f32, and the reverse.
//
//===----------------------------------------------------------------------===//

#ifndef TXRUN_WEIGHTS_H
#define TXRUN_WEIGHTS_H

#include "Model.h"

#include <map>
#include <string>

namespace txrun {

/// How a run is trained: values by the names of their flags. In a file they are
/// metadata, `tx.lr` for "lr".
using RunSettings = std::map<std::string, std::string>;

/// Where a run stands between two iterations.
struct RunPosition {
  int64_t iteration = 0; // done
  uint64_t samples = 0;  // consumed
  uint64_t seed = 0;
  RunSettings settings; // of the iterations done; empty: not known
};

struct LoadResult {
  bool hasOptimizer = false;
  RunPosition position; // of the file, if it has the optimizer
};

/// Loads every parameter, or throws naming all that are missing, superfluous or
/// of another shape. Nothing is written before everything is checked. Without
/// `wantOptimizer` stored optimizer state is left out. Before anything has run or
/// was loaded: what is not loaded is zero then, as a session's whole arena is.
LoadResult loadWeights(const Model &model, const std::string &path,
                       bool wantOptimizer);

void saveWeights(const Model &model, const std::string &path,
                 const RunPosition &position, bool withOptimizer);

/// The gradients as the last microbatch or step left them, under the names of
/// their parameters.
void dumpGradients(const Model &model, const std::string &path);

} // namespace txrun

#endif // TXRUN_WEIGHTS_H
