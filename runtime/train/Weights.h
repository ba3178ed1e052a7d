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
  RunPosition position; // the run's position that the file stores, if it has optimizer state
};

/// Loads every parameter from a file. First checks the file's tensors, and throws, before it writes anything, with the
/// names of all that are missing, superfluous or of another shape. While it loads, throws at a number with which no run
/// can continue: NaN, Inf, a number that the global's dtype cannot hold, a second moment below 0. Without
/// `wantOptimizer` it ignores the file's optimizer state. Call it in a new session: globals that it does not load stay
/// zero, as in a new arena.
LoadResult loadWeights(const Model &model, const std::string &path, bool wantOptimizer);

/// Where a run gets its weights from.
struct WeightsRequest {
  std::string load; // a safetensors file; empty: initial weights
  bool loadOptimizer = true;
  uint64_t seed = 0;
  bool isSeedGiven = false; // true: `seed` holds also for a run that continues from a file
};

/// Loads or initializes the weights on every rank, in a new session, and checks that all ranks have the same. Returns
/// the run's position.
RunPosition prepareWeights(const Model &model, const WeightsRequest &request, const Notes &note);

/// How many bytes saveWeights and dumpGradients will write, without the header.
uint64_t savedBytes(const Model &model, bool withOptimizer);
uint64_t gradientBytes(const Model &model);

/// Writes the parameters and, if asked, the optimizer state and the run's position to a file. Throws TXRT_NUMERIC if a
/// number is NaN or Inf; then an older file at `path` stays.
void saveWeights(const Model &model, const std::string &path, const RunPosition &position, bool withOptimizer);

/// Writes the gradients that the last microbatch or step left to a file, under the names of their parameters. Writes
/// NaN and Inf too: people use this file to look for them.
void dumpGradients(const Model &model, const std::string &path);

} // namespace txrt::train

#endif // TXRT_TRAIN_WEIGHTS_H
