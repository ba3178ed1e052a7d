//===- Training.h - A run of training, one iteration at a time ------------------------------------------*- C++ -*-===//
//
// A model with its weights, its data and the place where the run stands: what tx-run trains with, and what is behind
// txrt_train.h.
//
//   Training training(model, options);
//   training.openData(data, /*training=*/true, /*validation=*/true);
//   training.prepareWeights(WeightsRequest());
//   training.setSchedule(schedule, Holds::Neither);
//   while (training.position().iteration < 100)
//     use(training.step(training.rate()).loss);
//   training.save("w.safetensors", /*withOptimizer=*/true);
//
// Data that is wrong is best found before the weights are made, so it is opened first; where a checkpoint then says
// another seed, the training data follows it.
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
  bool guard = true;        // a loss or gradient that is not finite ends the run
  uint64_t seed = 0;        // of the data's order, until the weights say another one
  Notes note;               // may be null
};

class Training {
public:
  /// The model must outlive this. Its batch must be one that data can feed.
  Training(const Model &model, const TrainingOptions &options);

  /// Opens what is asked for and finds it the same on all ranks.
  void openData(const DataOptions &data, bool forTraining, bool forValidation);
  /// How the files are read, for people.
  std::vector<std::string> readings() const;

  /// Initial weights, or those of a file, and with its optimizer state the place where its run stood. What was trained
  /// before is gone.
  void prepareWeights(const WeightsRequest &request);

  /// The rates of this run, held against those of the checkpoint that was loaded.
  void setSchedule(const LrSchedule &schedule, Holds holds);
  /// The schedule's rate for the next iteration; 0 without one.
  double rate() const { return hasSchedule ? schedule.at(at.iteration) : 0; }

  /// One iteration on the training data.
  StepResult step(double lr);
  /// One iteration on a global batch in memory, [global batch, sequence] each and the same on all ranks.
  StepResult step(const int32_t *tokens, const int32_t *targets, double lr);

  /// The loss over the validation data, or its first micro batches. -1: all.
  EvaluationResult evaluate(int64_t microBatches = -1);
  /// The loss over rows in memory, the same on all ranks.
  EvaluationResult evaluate(const int32_t *tokens, const int32_t *targets, uint64_t rows);

  /// The first rank writes.
  void save(const std::string &path, bool withOptimizer);

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
  std::string loaded; // the checkpoint that the run goes on from
  bool hasWeights = false, hasSchedule = false;
  LrSchedule schedule;
  std::optional<StepRunner> stepRunner;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_TRAINING_H
