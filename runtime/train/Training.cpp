//===- Training.cpp - A run of training, one iteration at a time --------------------------------------------------===//

#include "train/Training.h"
#include "core/Failure.h"

namespace txrt::train {

Training::Training(const Model &model, const TrainingOptions &options) : model(model), options(options) {
  (void)model.batch(); // throws where there is none
  at.seed = options.seed;
}

void Training::openData(const DataOptions &data, bool forTraining, bool forValidation) {
  dataOptions = data;
  files.emplace(data, model.batch());
  training.reset();
  evaluator.reset();
  validation.reset();
  if (forTraining)
    training = openOnAll(model, "the training data", [&] { return files->training(at.seed); });
  if (!forValidation)
    return;
  validation = openOnAll(model, "the validation data", [&] { return files->validation(); });
  model.ranks().together([&] { evaluator.emplace(model, *validation); });
}

std::vector<std::string> Training::readings() const { return files ? files->readings() : std::vector<std::string>(); }

void Training::prepareWeights(const WeightsRequest &request) {
  if (hasWeights) // otherwise the arena is still zero
    model.clear();
  hasWeights = hasSchedule = false;
  const uint64_t seedBefore = at.seed;
  at = train::prepareWeights(model, request, options.note, options.progress);
  loaded = request.load;
  hasWeights = true;
  if (training && at.seed != seedBefore && !isPrepared(dataOptions.path))
    training = files->training(at.seed);
}

void Training::setSchedule(const LrSchedule &given, Holds holds) {
  const uint64_t globalBatch = runner().globalBatchSize();
  model.ranks().together([&] {
    schedule = given;
    if (!at.settings.empty())
      schedule =
          resumeSchedule(given, holds, settingsOf(dataOptions, given, globalBatch), at.settings, loaded, options.note);
    else if (at.iteration > 0 && options.note)
      options.note("note: the checkpoint does not say with which schedule it was trained");
  });
  at.settings = settingsOf(dataOptions, schedule, globalBatch);
  hasSchedule = true;
}

StepRunner &Training::runner() {
  if (!stepRunner)
    stepRunner.emplace(model, options.globalBatch, options.guard);
  return *stepRunner;
}

void Training::requireWeights() const {
  if (!hasWeights)
    fail(TXRT_USAGE, "there are no weights yet: initialize or load them first");
}

StepResult Training::run(SampleSource &source, double lr) {
  requireWeights();
  if (!isRate(lr))
    fail(TXRT_USAGE, "%g is no learning rate: the step takes it as an f32 that is finite and not negative", shown(lr));
  if (at.iteration >= mostIterations)
    fail(TXRT_USAGE, "iteration %lld was the last that a run can have", (long long)at.iteration);
  const StepResult result = runner().run(source, at, lr);
  if (!hasSchedule) // the caller chooses each rate, so the checkpoint's schedule no longer describes the run
    at.settings.clear();
  ++at.iteration;
  at.samples += runner().globalBatchSize();
  return result;
}

StepResult Training::step(double lr) {
  if (!training)
    fail(TXRT_USAGE, "there is no training data: open a file, or give a batch");
  return run(*training, lr);
}

StepResult Training::step(const int32_t *tokens, const int32_t *targets, double lr) {
  std::optional<MemorySource> source;
  const uint64_t rows = runner().globalBatchSize();
  model.ranks().together([&] { source.emplace(tokens, targets, at.samples, rows, model.batch()); });
  return run(*source, lr);
}

EvaluationResult Training::evaluate(int64_t microBatches) {
  requireWeights();
  if (!evaluator)
    fail(TXRT_USAGE, "there is no validation data: open a file, or give rows");
  return evaluator->run(microBatches);
}

EvaluationResult Training::evaluate(const int32_t *tokens, const int32_t *targets, uint64_t rows) {
  requireWeights();
  std::optional<MemorySource> source;
  model.ranks().together([&] { source.emplace(tokens, targets, 0, rows, model.batch()); });
  return Evaluator(model, *source).run();
}

void Training::save(const SaveRequest &request) {
  requireWeights();
  model.ranks().together([&] {
    if (model.ranks().isFirst())
      saveWeights(model, request, at, options.progress);
  });
}

} // namespace txrt::train
