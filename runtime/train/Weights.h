//===- Weights.h - Between the arena and files of weights -----------------------------------------------*- C++ -*-===//
//
// Weights come from a safetensors file, from several with an index, or from a folder (StoredWeights.h); the manifest
// says which names they have there (WeightNames.h). They are saved to a file or to a folder that `transformers` loads
// (WeightFolder.h).
//
// Optimizer state, when saved, has the names NAME.exp_avg, NAME.exp_avg_sq, NAME.master of its parameter NAME, with the
// position of the run in the metadata of its file. A parameter and its f32 master are both read from NAME.master if it
// is there, else from NAME, whatever float type it has: so a model in bf16 goes on from a run in f32, and the reverse.
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

/// Loads every parameter from `path`: a folder, an index or a file. First checks the stored tensors, and throws, before
/// it writes anything, with the names of all that are missing, superfluous or of another shape. While it loads, throws
/// at a number with which no run can continue: NaN, Inf, a number that the global's dtype cannot hold, a second moment
/// below 0. Without `wantOptimizer` it ignores optimizer state. `note` gets what is converted or left out. Call it in a
/// new session: globals that it does not load stay zero, as in a new arena.
LoadResult loadWeights(const Model &model, const std::string &path, bool wantOptimizer, const Notes &note = nullptr,
                       const Progress &progress = nullptr);

/// Where a run gets its weights from.
struct WeightsRequest {
  std::string load; // a folder, an index or a safetensors file; empty: initial weights
  bool loadOptimizer = true;
  uint64_t seed = 0;
  bool isSeedGiven = false; // true: `seed` holds also for a run that continues from a file
};

/// Loads or initializes the weights on every rank, in a new session, and checks that all ranks have the same. Returns
/// the run's position.
RunPosition prepareWeights(const Model &model, const WeightsRequest &request, const Notes &note,
                           const Progress &progress = nullptr);

/// Where weights are saved.
struct SaveRequest {
  std::string path; // a file if it ends in .safetensors, else a folder
  bool withOptimizer = false;
  uint64_t maxShardBytes = 5'000'000'000; // of each file of a folder, unless one tensor is larger

  bool isFolder() const;
};

/// Checks, before the work that leads to it, that weights can be saved there; makes a folder that is missing.
void prepareSave(const Model &model, const SaveRequest &request);

/// Writes the parameters and, if asked, the optimizer state and the run's position. Throws TXRT_NUMERIC if a number is
/// NaN or Inf; then what was at the path stays, as after every failure.
void saveWeights(const Model &model, const SaveRequest &request, const RunPosition &position,
                 const Progress &progress = nullptr);

/// How many bytes dumpGradients will write, without the header.
uint64_t gradientBytes(const Model &model);

/// Writes the gradients that the last microbatch or step left to a file, under the names of their parameters. Writes
/// NaN and Inf too: people use this file to look for them.
void dumpGradients(const Model &model, const std::string &path);

} // namespace txrt::train

#endif // TXRT_TRAIN_WEIGHTS_H
