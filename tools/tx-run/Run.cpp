//===- Run.cpp - From options to work -----------------------------------------------------------------------------===//

#include "Run.h"
#include "Bench.h"
#include "Describe.h"
#include "FileUses.h"
#include "Function.h"
#include "Launch.h"
#include "MemorySnapshot.h"
#include "RankWorld.h"
#include "Sampler.h"
#include "Trainer.h"
#include "TxVersion.inc"
#include "Verify.h"
#include "train/WeightFolder.h"

#include <algorithm>
#include <iterator>

namespace txrun {

namespace {

Notes notesOn(Console &console) {
  return [&](const std::string &line) { console.line(line); };
}

/// Prints how data files are read (type, format) right at the start, so that the user notices a wrong guess.
void say(const std::vector<std::string> &readings, Ranks &ranks, Console &console) {
  ranks.together([&] {
    for (const std::string &reading : readings)
      console.line(reading);
  });
}

/// Opens the artifact on all ranks and makes a session with memory for it.
Model openModel(const std::string &path, const Options &options, Ranks &ranks) {
  std::optional<OpenArtifact> artifact;
  ranks.together([&] {
    artifact.emplace(path);
    requireEffect(options, options.backend.empty() ? artifact->backend() : options.backend);
  });
  txrt_options how = sessionOptions(options);
  if (!ranks.isFirst())
    how.warn = nullptr;
  return Model(std::move(*artifact), how, &ranks);
}

WeightsRequest weightsOf(const Options &options, uint64_t seed) {
  WeightsRequest request;
  request.load = options.load;
  request.loadOptimizer = options.loadOptimizer;
  request.seed = seed;
  request.isSeedGiven = options.seed >= 0;
  return request;
}

txrt_status trainEvaluateSample(const Options &options, const Model &model, uint64_t seed, Console &console, Log &log,
                                EventFile &curves) {
  TrainingOptions how;
  how.globalBatch = options.globalBatchSize;
  how.guard = options.checkForNan;
  how.seed = seed;
  how.note = notesOn(console);
  how.progress = console.progressOfBytes();
  Training training(model, how);
  const bool trains = options.trainIterations >= 0;
  training.openData(options.data, trains, options.evaluate || options.evalInterval > 0);
  say(training.readings(), model.ranks(), console);
  training.prepareWeights(weightsOf(options, seed));
  if (trains)
    if (txrt_status code = Trainer(options, training, console, log, curves).run())
      return code;
  if (options.evaluate)
    reportEvaluation(training.evaluate(options.evalIterations), training.position().iteration, model, console, log);
  if (options.sampleTokens >= 0) {
    SamplerOptions sampler;
    sampler.prompt = options.prompt;
    sampler.temperature = options.temperature;
    sampler.topK = options.topK;
    sampler.seed = seed;
    sampleText(model, options.sampleTokens, sampler, console);
  }
  return model.ranks().interrupted() ? TXRT_INTERRUPTED : TXRT_OK;
}

/// Opens the samples that --bench and --verify-recompute run on: the training data, or synthetic ones.
std::unique_ptr<SampleSource> openSamples(const Options &options, const Model &model, uint64_t seed, Console &console) {
  DataFiles files(options.data, model.batch());
  auto source = openOnAll(model, "the data", [&] { return files.trainingOrSynthetic(seed); });
  say(files.readings(), model.ranks(), console);
  return source;
}

void verify(const Options &options, const Model &model, uint64_t seed, Console &console, Log &log) {
  Options twin = options;
  twin.tune = false; // tuning for the first artifact has found the algorithms already
  const Model none = openModel(options.verifyTwin, twin, model.ranks());
  checkTwins(model, none);
  auto source = openSamples(options, model, seed, console);
  prepareWeights(model, weightsOf(options, seed), notesOn(console), console.progressOfBytes());
  prepareWeights(none, weightsOf(options, seed), notesOn(console), console.progressOfBytes());
  VerifyOptions what;
  what.iterations = options.verifyIterations;
  what.seed = seed;
  what.globalBatch = options.globalBatchSize;
  what.lr = options.lr;
  what.guard = options.checkForNan;
  verifyRecompute(model, none, *source, what, console, log);
}

void benchmark(const Options &options, const Model &model, uint64_t seed, Console &console, Log &log) {
  if (!options.writeDevice.empty() && model.ranks().size() > 1)
    fail(TXRT_USAGE, "--write-device measures one rank, and this run has %d; leave it out", model.ranks().size());
  auto source = openSamples(options, model, seed, console);
  prepareWeights(model, weightsOf(options, seed), notesOn(console), console.progressOfBytes());
  StepRunner runner(model, options.globalBatchSize, options.checkForNan);
  BenchOptions what;
  what.iterations = options.benchIterations;
  what.warmup = options.benchWarmup;
  what.seed = seed;
  what.lr = options.lr;
  what.trace = options.trace;
  what.device = options.writeDevice;
  what.mergesDevice = options.mergeDevice;
  bench(model, runner, *source, what, console, log);
}

void recordMemory(const OpenArtifact &artifact, const Options &options, Console &console) {
  writeMemorySnapshot(artifact.get(), entriesOfStep(artifact.manifest()), options.memorySnapshot);
  console.line("memory snapshot written to " + printable(options.memorySnapshot, 200) +
               "; open it at https://pytorch.org/memory_viz");
}

/// Writes the snapshot of an artifact that is not run.
void recordMemoryAlone(const Options &options, Console &console) {
  const std::vector<FileUse> uses = fileUses(options, 1);
  refuseSharedFiles(uses);
  const auto locks = lockOutputs(uses, 0);
  recordMemory(OpenArtifact(options.artifact), options, console);
}

/// Whether only the memory snapshot is asked for, which runs nothing.
bool onlyRecordsMemory(const Options &options) {
  return options.recordMemory && options.trainIterations < 0 && !options.bench;
}

/// The flags that must be the same on all ranks. Flags that name files may differ (their contents are compared), and so
/// may flags that depend on the machine.
std::vector<Ranks::Field> comparedFlags(const Options &options) {
  static const char *const own[] = {"data-path",
                                    "valid-data-path",
                                    "load",
                                    "save",
                                    "log",
                                    "threads",
                                    "max-shard-size",
                                    "dump-gradients",
                                    "verify-recompute",
                                    "input",
                                    "output",
                                    "trace",
                                    "write-device",
                                    "tuning-cache",
                                    "memory-snapshot-path",
                                    "tensorboard-dir"};
  std::vector<Ranks::Field> fields;
  for (const auto &flag : options.given)
    if (std::none_of(std::begin(own), std::end(own), [&](const char *name) { return flag.first == name; }))
      fields.emplace_back("--" + flag.first, flag.second);
  return fields;
}

/// The options with the input and output files of this rank. If all ranks would write an output to one file, only the
/// first rank writes it.
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

/// Does the work of one rank, also if it is the only one.
txrt_status runRank(const Options &all, Ranks &ranks) {
  const Options options = optionsOf(ranks, all);
  Console console(/*mute=*/!ranks.isFirst());
  if (ranks.isFirst())
    for (const std::string &note : options.notes)
      complain("note", note);
  ranks.requireSame(comparedFlags(options));
  // Finds files that cannot be written before the work begins.
  const std::vector<FileUse> uses = fileUses(all, ranks.size());
  std::unique_ptr<Log> log;
  std::unique_ptr<EventFile> curves;
  std::vector<std::unique_ptr<OutputLock>> locks;
  ranks.together([&] { refuseSharedFiles(uses); });
  ranks.together([&] {
    if (ranks.isFirst() && !options.save.empty() && saveRequestOf(options).isFolder())
      makeFolder(options.save);
    if (ranks.isFirst() && !options.tensorboard.empty())
      makeFolder(options.tensorboard);
    locks = lockOutputs(uses, ranks.rank());
    log = std::make_unique<Log>(ranks.isFirst() ? options.log : "");
    curves = std::make_unique<EventFile>(ranks.isFirst() ? options.tensorboard : "");
  });

  const Model model = openModel(options.artifact, options, ranks);
  ranks.together([&] {
    if (ranks.isFirst() && options.recordMemory)
      recordMemory(model.opened(), options, console);
    if (ranks.isFirst() && !options.save.empty())
      prepareSave(model, saveRequestOf(options));
    if (ranks.isFirst() && !options.dumpGradients.empty())
      requireRoom(options.dumpGradients, gradientBytes(model), gradientBytes(model));
  });
  uint64_t seed = options.seed >= 0 ? static_cast<uint64_t>(options.seed) : model.manifest().seed;
  if (options.bench) {
    benchmark(options, model, seed, console, *log);
  } else if (!options.verifyTwin.empty()) {
    verify(options, model, seed, console, *log);
  } else if (!options.function.empty()) {
    prepareWeights(model, weightsOf(options, seed), notesOn(console), console.progressOfBytes());
    runFunction(model, options.function, options.inputs, options.outputs, console);
    if (!options.dumpGradients.empty() && ranks.isFirst())
      dumpGradients(model, options.dumpGradients);
  } else {
    return trainEvaluateSample(options, model, seed, console, *log, *curves);
  }
  return TXRT_OK;
}

} // namespace

txrt_status run(const Options &options) {
  Console console;
  if (options.help) {
    console.raw(helpText());
    return TXRT_OK;
  }
  if (options.version) {
    console.line("tx-run " TX_VERSION);
    return TXRT_OK;
  }
  if (options.info) {
    describe(options.artifact, console);
    return TXRT_OK;
  }
  if (!options.memoryMap.empty()) {
    printMemoryMap(options.artifact, options.memoryMap);
    return TXRT_OK;
  }
  if (onlyRecordsMemory(options)) {
    recordMemoryAlone(options, console);
    return TXRT_OK;
  }
  if (options.backend == "dryrun") {
    dryRun(options.artifact, options.function);
    return TXRT_OK;
  }
  if (options.ranks > 1 && txrt_world_launched_ranks() == 0)
    return launchRanks(static_cast<int>(options.ranks), options.arguments);
  RankWorld world(options);
  try {
    return runRank(options, world.ranks());
  } catch (const AgreedFailure &failure) {
    // Prints the error before the world ends: a launcher may drop the output of a rank once another rank has exited.
    if (world.ranks().isFirst())
      complain("error", failure.what());
    throw QuietFailure(failure.code, failure.what());
  }
}

} // namespace txrun
