//===- Api.cpp - The C interface of training ----------------------------------------------------------------------===//
//
// Each call checks its arguments, calls Training, and turns exceptions into a status.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "core/Failure.h"
#include "train/Training.h"
#include "txrt/txrt_train.h"

using namespace txrt;
using namespace txrt::train;

// The enumerations of the C interface have the same numbers as those of the C++ code.
template <typename A, typename B> static constexpr bool isSame(A a, B b) {
  return static_cast<int>(a) == static_cast<int>(b);
}
static_assert(isSame(TXRT_DATA_AUTO, DataFormat::Auto) && isSame(TXRT_DATA_TEXT, DataFormat::Text) &&
              isSame(TXRT_DATA_UINT16, DataFormat::U16) && isSame(TXRT_DATA_UINT32, DataFormat::U32));
static_assert(isSame(TXRT_DECAY_CONSTANT, DecayStyle::Constant) && isSame(TXRT_DECAY_LINEAR, DecayStyle::Linear) &&
              isSame(TXRT_DECAY_COSINE, DecayStyle::Cosine) &&
              isSame(TXRT_DECAY_INVERSE_SQUARE_ROOT, DecayStyle::InverseSquareRoot));
static_assert(isSame(TXRT_SCHEDULE_SAME, Holds::Neither) && isSame(TXRT_SCHEDULE_GIVEN, Holds::Given) &&
              isSame(TXRT_SCHEDULE_STORED, Holds::Stored));

struct txrt_train {
  txrt_train(const char *artifact, const txrt_train_options &options);

  Ranks ranks;
  Model model;
  Training training;
};

static std::function<bool()> interruptionOf(const txrt_train_options &options) {
  if (!options.interrupted)
    return nullptr;
  return [interrupted = options.interrupted, context = options.context] { return interrupted(context) != 0; };
}

static Model openModel(const char *path, const txrt_train_options &options, Ranks &ranks) {
  std::optional<OpenArtifact> artifact;
  ranks.together([&] { artifact.emplace(path); });
  txrt_options how = options.session;
  how.own_bytes += bytesOfData(DataOptions());
  return Model(std::move(*artifact), how, &ranks);
}

static TrainingOptions trainingOptions(const txrt_train_options &options, const Model &model) {
  TrainingOptions how;
  how.globalBatch = options.global_batch_size;
  how.guard = !options.ignore_nonfinite;
  how.seed = model.manifest().seed;
  if (options.note && model.ranks().isFirst())
    how.note = [note = options.note, context = options.context](const std::string &line) {
      note(context, printable(line, std::string::npos).c_str());
    };
  return how;
}

txrt_train::txrt_train(const char *artifact, const txrt_train_options &options)
    : ranks(options.session.world, interruptionOf(options)), model(openModel(artifact, options, ranks)),
      training(model, trainingOptions(options, model)) {
  (void)training.runner(); // throws now if the batch sizes are wrong
}

txrt_status txrt_train_open(const char *artifact, const txrt_train_options *options, txrt_train **train,
                            txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(artifact && train, "txrt_train_open");
    *train = new txrt_train(artifact, options ? *options : txrt_train_options{});
  });
}

void txrt_train_close(txrt_train *train) { delete train; }

txrt_status txrt_train_describe(txrt_train *train, txrt_train_info *info, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && info, "txrt_train_describe");
    const BatchSpec &batch = train->model.batch();
    *info = {batch.microBatch,
             batch.sequence,
             batch.vocabulary,
             train->training.runner().globalBatchSize(),
             batch.ignored.has_value(),
             batch.ignored.value_or(0),
             train->model.manifest().seed};
  });
}

txrt_session *txrt_train_session(txrt_train *train) { return train ? train->model.session() : nullptr; }

txrt_status txrt_train_initialize(txrt_train *train, uint64_t seed, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train, "txrt_train_initialize");
    WeightsRequest request;
    request.seed = seed;
    train->training.prepareWeights(request);
  });
}

txrt_status txrt_train_load(txrt_train *train, const char *path, int weights_only, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && path && *path, "txrt_train_load");
    WeightsRequest request;
    request.load = path;
    request.loadOptimizer = !weights_only;
    request.seed = train->model.manifest().seed;
    train->training.prepareWeights(request);
  });
}

txrt_status txrt_train_save(txrt_train *train, const char *path, int weights_only, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && path && *path, "txrt_train_save");
    SaveRequest request;
    request.path = path;
    request.withOptimizer = !weights_only;
    train->training.save(request);
  });
}

txrt_status txrt_train_where(const txrt_train *train, txrt_train_position *position, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && position, "txrt_train_where");
    const RunPosition &at = train->training.position();
    *position = {at.iteration, at.samples, at.seed};
  });
}

static DataOptions dataOptions(const txrt_train_data &data) {
  if (data.format < TXRT_DATA_AUTO || data.format > TXRT_DATA_UINT32)
    fail(TXRT_USAGE, "txrt_train_open_data: %d is no format of data", data.format);
  DataOptions options;
  options.path = data.path ? data.path : "";
  options.validPath = data.valid_path ? data.valid_path : "";
  options.format = static_cast<DataFormat>(data.format);
  options.order = data.sequential ? DataOrder::Sequential : DataOrder::Random;
  double sum = 0;
  for (double share : data.split) {
    if (!(share >= 0 && share <= 1e9))
      fail(TXRT_USAGE, "txrt_train_open_data: %g is no share of the data", shown(share));
    sum += share;
  }
  if (sum > 0)
    options.split.assign(std::begin(data.split), std::end(data.split));
  if (options.split.back() == 0) // as tx-run writes it down where there is no third one
    options.split.resize(2);
  return options;
}

txrt_status txrt_train_open_data(txrt_train *train, const txrt_train_data *data, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && data && (data->path || data->valid_path), "txrt_train_open_data");
    train->training.openData(dataOptions(*data), data->path, data->validates);
  });
}

txrt_status txrt_train_set_schedule(txrt_train *train, const txrt_lr_schedule *schedule, int choice,
                                    txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && schedule, "txrt_train_set_schedule");
    if (schedule->decay < TXRT_DECAY_CONSTANT || schedule->decay > TXRT_DECAY_INVERSE_SQUARE_ROOT)
      fail(TXRT_USAGE, "txrt_train_set_schedule: %d is no shape of a decay", schedule->decay);
    if (choice < TXRT_SCHEDULE_SAME || choice > TXRT_SCHEDULE_STORED)
      fail(TXRT_USAGE, "txrt_train_set_schedule: %d is no choice", choice);
    if (!isRate(schedule->lr) || !isRate(schedule->min_lr) || schedule->warmup_iters < 0 || schedule->decay_iters < 0)
      fail(TXRT_USAGE, "txrt_train_set_schedule: rates must be finite and not negative, and so must be iterations");
    train->training.setSchedule({schedule->lr, schedule->min_lr, schedule->warmup_iters, schedule->decay_iters,
                                 static_cast<DecayStyle>(schedule->decay)},
                                static_cast<Holds>(choice));
  });
}

double txrt_train_lr(const txrt_train *train) { return train ? train->training.rate() : 0; }

static void give(const StepResult &result, txrt_step_result *to) {
  if (to)
    *to = {result.loss, result.gradientNorm, result.validCount, result.tokens};
}

txrt_status txrt_train_step(txrt_train *train, double lr, txrt_step_result *result, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train, "txrt_train_step");
    give(train->training.step(lr), result);
  });
}

txrt_status txrt_train_step_batch(txrt_train *train, const int32_t *tokens, const int32_t *targets, uint64_t rows,
                                  double lr, txrt_step_result *result, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && tokens && targets, "txrt_train_step_batch");
    const uint64_t wanted = train->training.runner().globalBatchSize();
    if (rows != wanted)
      fail(TXRT_USAGE, "txrt_train_step_batch: %llu rows, and the global batch has %llu", (unsigned long long)rows,
           (unsigned long long)wanted);
    give(train->training.step(tokens, targets, lr), result);
  });
}

static void give(const EvaluationResult &result, txrt_evaluation *to) {
  if (to)
    *to = {result.loss, result.perplexity, result.bitsPerToken, result.validCount};
}

txrt_status txrt_train_evaluate(txrt_train *train, uint64_t micro_batches, txrt_evaluation *evaluation,
                                txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train, "txrt_train_evaluate");
    give(train->training.evaluate(int64_t(std::min<uint64_t>(micro_batches, INT64_MAX))), evaluation);
  });
}

txrt_status txrt_train_evaluate_batch(txrt_train *train, const int32_t *tokens, const int32_t *targets, uint64_t rows,
                                      txrt_evaluation *evaluation, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(train && tokens && targets && rows > 0, "txrt_train_evaluate_batch");
    give(train->training.evaluate(tokens, targets, rows), evaluation);
  });
}
