//===- Trainer.h - Iterations until the work is done ----------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_TRAINER_H
#define TXRUN_TRAINER_H

#include "Console.h"
#include "Error.h"
#include "Evaluate.h"
#include "LrSchedule.h"
#include "Options.h"
#include "StepRunner.h"
#include "Weights.h"

#include <chrono>
#include <memory>

namespace txrun {

class Trainer {
public:
  /// `validation` may be null when --eval-interval is 0. `position` is where the loaded weights stand.
  Trainer(const Options &options, const Model &model, SampleSource &training, SampleSource *validation,
          RunPosition position, Console &console, Log &log);

  /// Trains, saves, dumps gradients. Interrupted when a signal asked for it and the step in work was finished and
  /// saved.
  ExitCode run();
  /// How many are done.
  int64_t iteration() const { return position.iteration; }

private:
  using Clock = std::chrono::steady_clock;
  void logStart();
  void report(const StepResult &result, double rate, double seconds, bool isLast);
  void evaluate();
  bool isTraced() const;
  void save();
  void writeCheckpoint();

  const Options &options;
  const Model &model;
  RunPosition position;
  Console &console;
  Log &log;
  StepRunner runner;
  std::unique_ptr<Evaluator> evaluator;
  LrSchedule schedule;
  int64_t first = 0; // the iteration that this run began with
  int64_t savedAt = -1;
  Clock::time_point began;
};

/// Writes the result of an evaluation to both.
void reportEvaluation(const EvaluationResult &result, int64_t step, const Model &model, Console &console, Log &log);

} // namespace txrun

#endif // TXRUN_TRAINER_H
