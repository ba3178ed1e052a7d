//===- Run.cpp - From options to work -----------------------------------------------------------------------------===//

#include "Run.h"
#include "Bench.h"
#include "Describe.h"
#include "FileUses.h"
#include "Fingerprint.h"
#include "Function.h"
#include "Launch.h"
#include "Sampler.h"
#include "Trainer.h"
#include "Verify.h"

#include <algorithm>
#include <iterator>

namespace txrun {

namespace {

/// The data that the options name, opened once and shared.
class Data {
public:
  Data(const Options &options, const Model &model, uint64_t seed)
      : options(options), batch(model.batch()), seed(seed) {}

  std::unique_ptr<SampleSource> training() {
    if (isPrepared(options.dataPath))
      return prepared(options.dataPath);
    TokenRange range =
        options.validDataPath.empty() ? splitRange(open(options.dataPath), options.split, 0) : whole(options.dataPath);
    return std::make_unique<WindowSource>(range, batch, options.dataOrder, seed, "training");
  }

  std::unique_ptr<SampleSource> validation() {
    const std::string &path = options.validDataPath.empty() ? options.dataPath : options.validDataPath;
    if (isPrepared(path))
      return prepared(path);
    TokenRange range = options.validDataPath.empty() ? splitRange(open(path), options.split, 1) : whole(path);
    return std::make_unique<CoveringSource>(range, batch);
  }

  /// How each file that was opened is read, for people.
  const std::vector<std::string> &readings() const { return said; }

  /// The training data if there is any, else random tokens.
  std::unique_ptr<SampleSource> trainingOrSynthetic() {
    if (!options.dataPath.empty())
      return training();
    return std::make_unique<SyntheticSource>(batch, seed);
  }

private:
  std::unique_ptr<SampleSource> prepared(const std::string &path) {
    auto source = std::make_unique<PreparedSource>(path, batch);
    said.push_back(format("tokens: %s read as prepared samples, %llu of %llu "
                          "tokens",
                          printable(path, 200).c_str(), (unsigned long long)source->size(),
                          (unsigned long long)batch.sequence));
    return source;
  }

  std::shared_ptr<const TokenFile> open(const std::string &path) {
    if (file && file->path() == path)
      return file;
    file = std::make_shared<TokenFile>(path, options.dataFormat, batch.vocabulary);
    said.push_back(file->describe());
    return file;
  }

  TokenRange whole(const std::string &path) {
    TokenRange range;
    range.file = open(path);
    range.end = range.file->size();
    return range;
  }

  const Options &options;
  const BatchSpec &batch;
  uint64_t seed;
  std::shared_ptr<const TokenFile> file;
  std::vector<std::string> said;
};

/// A wrong guess is seen in the first line or never.
void say(const Data &data, Ranks &ranks, Console &console) {
  ranks.together([&] {
    for (const std::string &reading : data.readings())
      console.line(reading);
  });
}

uint64_t globalBatch(const Options &options) {
  return options.globalBatchSize > 0 ? static_cast<uint64_t>(options.globalBatchSize) : 0;
}

RunPosition loadOrInitialize(const Options &options, const Model &model, uint64_t seed, Console &console) {
  RunPosition position;
  position.seed = seed;
  if (options.load.empty()) {
    model.initialize(seed);
    return position;
  }
  LoadResult loaded = loadWeights(model, options.load, options.loadOptimizer);
  if (!loaded.hasOptimizer)
    return position;
  if (options.seed >= 0 && loaded.position.seed != seed)
    console.line(format("note: the checkpoint was trained with seed %llu; "
                        "from here on data and dropout follow --seed %llu",
                        (unsigned long long)loaded.position.seed, (unsigned long long)seed));
  position = loaded.position;
  if (options.seed >= 0)
    position.seed = seed;
  return position;
}

/// Gives the model its weights; returns where they stand in a run.
RunPosition prepareWeights(const Options &options, const Model &model, uint64_t seed, Console &console) {
  RunPosition position;
  Ranks &ranks = model.ranks();
  ranks.together([&] { position = loadOrInitialize(options, model, seed, console); });
  if (ranks.size() > 1)
    ranks.requireSame({{"the seed", std::to_string(position.seed)},
                       {"the checkpoint's iteration", std::to_string(position.iteration)},
                       {"the weights", fingerprintOf(model)}});
  return position;
}

/// Data of every rank, found to be the same.
std::unique_ptr<SampleSource> openData(const Model &model, const char *what,
                                       const std::function<std::unique_ptr<SampleSource>()> &open) {
  std::unique_ptr<SampleSource> source;
  std::string fingerprint;
  model.ranks().together([&] {
    source = open();
    if (model.ranks().size() > 1)
      fingerprint = fingerprintOf(*source, model);
  });
  model.ranks().requireSame({{what, fingerprint}});
  return source;
}

ExitCode trainEvaluateSample(const Options &options, const Model &model, uint64_t seed, Console &console, Log &log) {
  RunPosition position;
  std::unique_ptr<SampleSource> training, validation;
  {
    // Data that is wrong is found before the weights are made.
    Data data(options, model, seed);
    if (options.trainIterations >= 0)
      training = openData(model, "the training data", [&] { return data.training(); });
    if (options.evaluate || options.evalInterval > 0)
      validation = openData(model, "the validation data", [&] { return data.validation(); });
    say(data, model.ranks(), console);
    position = prepareWeights(options, model, seed, console);
    if (training && position.seed != seed)
      training = Data(options, model, position.seed).training();
  }
  if (training) {
    Trainer trainer(options, model, *training, validation.get(), position, console, log);
    ExitCode code = trainer.run();
    position.iteration = trainer.iteration();
    if (code != ExitCode::Ok)
      return code;
  }
  if (options.evaluate)
    reportEvaluation(Evaluator(model, *validation).run(options.evalIterations), position.iteration, model, console,
                     log);
  if (options.sampleTokens >= 0) {
    SamplerOptions sampler;
    sampler.prompt = options.prompt;
    sampler.temperature = options.temperature;
    sampler.topK = options.topK;
    sampler.seed = seed;
    sampleText(model, options.sampleTokens, sampler, console);
  }
  return model.ranks().interrupted() ? ExitCode::Interrupted : ExitCode::Ok;
}

void verify(const Options &options, const Model &model, uint64_t seed, Console &console, Log &log) {
  Options twin = options;
  twin.tune = false; // the first has found the algorithms
  Model none(options.verifyTwin, twin, model.ranks());
  checkTwins(model, none);
  Data data(options, model, seed);
  auto source = openData(model, "the data", [&] { return data.trainingOrSynthetic(); });
  say(data, model.ranks(), console);
  prepareWeights(options, model, seed, console);
  prepareWeights(options, none, seed, console);
  VerifyOptions what;
  what.iterations = options.verifyIterations;
  what.seed = seed;
  what.globalBatch = globalBatch(options);
  what.lr = options.lr;
  what.guard = options.checkForNan;
  verifyRecompute(model, none, *source, what, console, log);
}

void benchmark(const Options &options, const Model &model, uint64_t seed, Console &console, Log &log) {
  Data data(options, model, seed);
  auto source = openData(model, "the data", [&] { return data.trainingOrSynthetic(); });
  say(data, model.ranks(), console);
  prepareWeights(options, model, seed, console);
  StepRunner runner(model, *source, globalBatch(options), seed, options.checkForNan);
  BenchOptions what;
  what.iterations = options.benchIterations;
  what.warmup = options.benchWarmup;
  what.lr = options.lr;
  what.trace = options.trace;
  bench(model, runner, what, console, log);
}

/// What ranks must have been started with alike: every flag but those that name files, whose contents are compared, and
/// what is a machine's own.
std::vector<Ranks::Field> comparedFlags(const Options &options) {
  static const char *const own[] = {"data-path",      "valid-data-path",  "load",  "save",   "log",   "threads",
                                    "dump-gradients", "verify-recompute", "input", "output", "trace", "tuning-cache"};
  std::vector<Ranks::Field> fields;
  for (const auto &flag : options.given)
    if (std::none_of(std::begin(own), std::end(own), [&](const char *name) { return flag.first == name; }))
      fields.emplace_back("--" + flag.first, flag.second);
  return fields;
}

/// A function's files of one rank. What would be written to one file by all of them is the first rank's.
Options optionsOf(const Ranks &ranks, const Options &all) {
  Options own = all;
  own.outputs.clear();
  for (const auto &output : all.outputs)
    if (ranks.isFirst() || isOfEachRank(output.second))
      own.outputs.push_back(output);
  for (auto *files : {&own.inputs, &own.outputs})
    for (auto &[name, file] : *files)
      file = fileOfRank(file, ranks.rank());
  return own;
}

/// What a rank does, be it the only one.
ExitCode runRank(const Options &all, Ranks &ranks) {
  const Options options = optionsOf(ranks, all);
  Console console(/*mute=*/!ranks.isFirst());
  if (ranks.isFirst())
    for (const std::string &note : options.notes)
      complain("note", note);
  ranks.requireSame(comparedFlags(options));
  // What cannot be written is found before the work.
  const std::vector<FileUse> uses = fileUses(all, ranks.size());
  std::unique_ptr<Log> log;
  std::vector<std::unique_ptr<OutputLock>> locks;
  ranks.together([&] { refuseSharedFiles(uses); });
  ranks.together([&] {
    locks = lockOutputs(uses, ranks.rank());
    log = std::make_unique<Log>(ranks.isFirst() ? options.log : "");
  });

  Model model(options.artifact, options, ranks);
  ranks.together([&] {
    if (ranks.isFirst() && !options.save.empty())
      requireRoom(options.save, savedBytes(model, options.saveOptimizer));
    if (ranks.isFirst() && !options.dumpGradients.empty())
      requireRoom(options.dumpGradients, gradientBytes(model));
  });
  uint64_t seed = options.seed >= 0 ? static_cast<uint64_t>(options.seed) : model.manifest().seed;
  if (options.bench) {
    benchmark(options, model, seed, console, *log);
  } else if (!options.verifyTwin.empty()) {
    verify(options, model, seed, console, *log);
  } else if (!options.function.empty()) {
    prepareWeights(options, model, seed, console);
    runFunction(model, options.function, options.inputs, options.outputs, console);
    if (!options.dumpGradients.empty() && ranks.isFirst())
      dumpGradients(model, options.dumpGradients);
  } else {
    return trainEvaluateSample(options, model, seed, console, *log);
  }
  return ExitCode::Ok;
}

} // namespace

ExitCode run(const Options &options) {
  Console console;
  if (options.help) {
    console.raw(helpText());
    return ExitCode::Ok;
  }
  if (options.version) {
    console.line("tx-run 0.1.0");
    return ExitCode::Ok;
  }
  if (options.info) {
    describe(options.artifact, console);
    return ExitCode::Ok;
  }
  if (options.backend == "dryrun") {
    dryRun(options.artifact, options.function);
    return ExitCode::Ok;
  }
  if (options.ranks > 1 && txrt_world_launched_ranks() == 0)
    return launchRanks(static_cast<int>(options.ranks), options.arguments);
  Ranks ranks(options);
  return runRank(options, ranks);
}

} // namespace txrun
