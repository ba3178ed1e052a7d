//===- Trainer.h - Iterations until the work is done ----------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_TRAINER_H
#define TXRUN_TRAINER_H

#include "Console.h"
#include "EventFile.h"
#include "Options.h"
#include "Trace.h"
#include "train/Training.h"

#include <chrono>
#include <optional>

namespace txrun {

class Trainer {
public:
  Trainer(const Options &options, Training &training, Console &console, Log &log, EventFile &curves);

  /// Trains, saves weights, dumps gradients. Returns TXRT_INTERRUPTED if a signal has stopped it; the current step is
  /// finished and saved then.
  txrt_status run();

private:
  using Clock = std::chrono::steady_clock;
  int64_t iteration() const { return training.position().iteration; }
  void logStart();
  void report(const StepResult &result, double rate, double seconds, bool isLast);
  void addToCurves(const StepResult &result, double rate, double seconds);
  void evaluate();
  bool isTraced() const;
  void trace(double start);
  void writeTrace();
  void save();
  void writeCheckpoint();

  const Options &options;
  Training &training;
  const Model &model;
  Console &console;
  Log &log;
  EventFile &curves;
  std::optional<Trace> traced; // what is traced and not yet written
  bool wroteTrace = false;
  const int64_t first; // the iteration at which this run began
  int64_t savedAt = -1;
  Clock::time_point began;
};

/// Writes the result of an evaluation to the console and to the log.
void reportEvaluation(const EvaluationResult &result, int64_t step, const Model &model, Console &console, Log &log);

} // namespace txrun

#endif // TXRUN_TRAINER_H
