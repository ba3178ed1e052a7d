//===- Weights.h - Between the arena and safetensors files ----------------------------------------------*- C++ -*-===//
//
// Names are Hugging Face's for GPT-2, with or without the prefix `transformer.`. Optimizer state, when saved, lies
// beside its parameter as NAME.exp_avg, NAME.exp_avg_sq, NAME.master, with the position of the run in the metadata. A
// parameter and its f32 master are both read from NAME.master if it is there, else from NAME, whatever float type it
// has: so a model in bf16 goes on from a run in f32, and the reverse.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_WEIGHTS_H
#define TXRUN_WEIGHTS_H

#include "Model.h"

#include <map>
#include <string>

namespace txrun {

/// How a run is trained: values by the names of their flags. In a file they are metadata, `tx.lr` for "lr".
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

/// Loads every parameter, or throws naming all that are missing, superfluous or of another shape; nothing is written
/// before that is checked. Throws too, when it comes to it, at a number from which no run can go on: NaN, Inf, one that
/// its place cannot hold, a second moment below 0. Without `wantOptimizer` stored optimizer state is left out. Before
/// anything has run or was loaded: what is not loaded is zero then, as a session's whole arena is.
LoadResult loadWeights(const Model &model, const std::string &path, bool wantOptimizer);

/// What saveWeights and dumpGradients will write, but for the header.
uint64_t savedBytes(const Model &model, bool withOptimizer);
uint64_t gradientBytes(const Model &model);

/// Throws a numeric error when the file would hold a NaN or an Inf; what was there before stays then.
void saveWeights(const Model &model, const std::string &path, const RunPosition &position, bool withOptimizer);

/// The gradients as the last microbatch or step left them, under the names of their parameters; NaN and Inf too, as one
/// looks for those here.
void dumpGradients(const Model &model, const std::string &path);

} // namespace txrun

#endif // TXRUN_WEIGHTS_H
