//===- Weights.h - Between the arena and safetensors files ----------------------------------------------*- C++ -*-===//
//
// Names are Hugging Face's for GPT-2, with or without the prefix `transformer.`. Optimizer state, when saved, lies
// beside its parameter as NAME.exp_avg, NAME.exp_avg_sq, NAME.master, with the position of the run in the metadata. A
// parameter and its f32 master are both read from NAME.master if it is there, else from NAME, whatever float type it
// has: so a model in bf16 goes on from a run in f32, and the reverse.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_WEIGHTS_H
#define TXRT_TRAIN_WEIGHTS_H

#include "train/Model.h"
#include "train/Notes.h"
#include "train/RunPosition.h"

#include <string>

namespace txrt::train {

struct LoadResult {
  bool hasOptimizer = false;
  RunPosition position; // of the file, if it has the optimizer
};

/// Loads every parameter, or throws naming all that are missing, superfluous or of another shape; nothing is written
/// before that is checked. Throws too, when it comes to it, at a number from which no run can go on: NaN, Inf, one that
/// its place cannot hold, a second moment below 0. Without `wantOptimizer` stored optimizer state is left out. Before
/// anything has run or was loaded: what is not loaded is zero then, as a session's whole arena is.
LoadResult loadWeights(const Model &model, const std::string &path, bool wantOptimizer);

/// Where a run gets its weights from.
struct WeightsRequest {
  std::string load; // a safetensors file; empty: initial ones
  bool loadOptimizer = true;
  uint64_t seed = 0;
  bool isSeedGiven = false; // then it holds for what goes on from a file, too
};

/// Loads or initializes on every rank, before anything has run, and checks that all ranks have the same. Returns where
/// the run stands.
RunPosition prepareWeights(const Model &model, const WeightsRequest &request, const Notes &note);

/// What saveWeights and dumpGradients will write, but for the header.
uint64_t savedBytes(const Model &model, bool withOptimizer);
uint64_t gradientBytes(const Model &model);

/// Throws a numeric error when the file would hold a NaN or an Inf; what was there before stays then.
void saveWeights(const Model &model, const std::string &path, const RunPosition &position, bool withOptimizer);

/// The gradients as the last microbatch or step left them, under the names of their parameters; NaN and Inf too, as one
/// looks for those here.
void dumpGradients(const Model &model, const std::string &path);

} // namespace txrt::train

#endif // TXRT_TRAIN_WEIGHTS_H
