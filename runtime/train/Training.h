//===- Training.h - A run of training, one iteration at a time ------------------------------------------*- C++ -*-===//
//
// A model with its weights, its data and the position of the run. tx-run trains with it, and txrt_train.h is its C
// interface.
//
//   Training training(model, options);
//   training.openData(data, /*training=*/true, /*validation=*/true);
//   training.prepareWeights(WeightsRequest());
//   training.setSchedule(schedule, Holds::Neither);
//   while (training.position().iteration < 100)
//     use(training.step(training.rate()).loss);
//   training.save("w.safetensors", /*withOptimizer=*/true);
//
// Open the data before the weights are made, so that an error in the data is found first. If the checkpoint has another
// seed, the training data follows that seed.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_TRAINING_H
#define TXRT_TRAIN_TRAINING_H

#include "train/DataFiles.h"
#include "train/Evaluate.h"
#include "train/LrSchedule.h"
#include "train/Resume.h"
#include "train/StepRunner.h"
#include "train/Weights.h"

#include <memory>
#include <optional>

namespace txrt::train {

struct TrainingOptions {
  uint64_t globalBatch = 0; // samples of an iteration; 0: one micro batch for each rank
  bool guard = true;        // throw TXRT_NUMERIC when a loss or gradient is not finite
  uint64_t seed = 0;        // of the data's order, until the weights bring another seed
  Notes note;               // may be null
  Progress progress;        // of loading and saving; may be null
};

class Training {
public:
  /// The model must outlive this object. Throws if data cannot feed the model's entries (Model::batch).
  Training(const Model &model, const TrainingOptions &options);

  /// Opens the training data, the validation data or both. Throws if two ranks have different data.
  void openData(const DataOptions &data, bool forTraining, bool forValidation);
  /// A line for each file, which says how it is read.
  std::vector<std::string> readings() const;

  /// Makes initial weights, or loads stored ones; optimizer state also brings the position of its run.
  /// Discards the weights that this object had before.
  void prepareWeights(const WeightsRequest &request);

  /// Sets the learning-rate schedule of this run; `holds` decides if the loaded checkpoint stores another one
  /// (Resume.h).
  void setSchedule(const LrSchedule &schedule, Holds holds);
  /// The schedule's rate for the next iteration; 0 without one.
  double rate() const { return hasSchedule ? schedule.at(at.iteration) : 0; }

  /// Runs one iteration on the training data.
  StepResult step(double lr);
  /// Runs one iteration on a global batch in memory. `tokens` and `targets` are [global batch, sequence], the same on
  /// all ranks.
  StepResult step(const int32_t *tokens, const int32_t *targets, double lr);

  /// The loss over the first `microBatches` micro batches of the validation data; -1: over all.
  EvaluationResult evaluate(int64_t microBatches = -1);
  /// The loss over rows in memory; all ranks give the same rows.
  EvaluationResult evaluate(const int32_t *tokens, const int32_t *targets, uint64_t rows);

  /// Saves the weights (saveWeights). Rank 0 writes.
  void save(const SaveRequest &request);

  const RunPosition &position() const { return at; }
  StepRunner &runner();
  const Model &model;

private:
  void requireWeights() const;
  StepResult run(SampleSource &source, double lr);

  TrainingOptions options;
  DataOptions dataOptions;
  std::optional<DataFiles> files;
  std::unique_ptr<SampleSource> training, validation;
  std::optional<Evaluator> evaluator; // over the validation data
  RunPosition at;
  std::string loaded; // the checkpoint that the run continues from
  bool hasWeights = false, hasSchedule = false;
  LrSchedule schedule;
  std::optional<StepRunner> stepRunner;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_TRAINING_H
