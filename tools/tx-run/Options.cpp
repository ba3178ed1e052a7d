//===- Options.cpp - tx-run's command line --------------------------------===//

#include "Options.h"
#include "Error.h"
#include "FlagValues.h"
#include "Launch.h"

#include "txrt/runtime.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <tuple>

namespace txrun {

namespace {

using namespace flagvalue;

struct Flag {
  const char *group;
  const char *name;
  const char *value; // the name of the value in help texts; null for a switch
  const char *help;
  void (*set)(Options &, const char *name, const std::string &value);
  const char *backend = nullptr; // the only backend for which the flag has an effect; null: all
  /// What a second value of the flag does to the first.
  enum { Replaces, ReplacesOfOneName, Adds } again = Replaces;
};

#define SET(...) [](Options &o, [[maybe_unused]] const char *f, [[maybe_unused]] const std::string &t) { __VA_ARGS__; }

constexpr int64_t mostRanks = mostLocalRanks;

const Flag flags[] = {
    {"What to do (training, evaluation and a sample follow each other in this "
     "order)",
     "train-iters", "N",
     "Train until N iterations are done, those of a loaded checkpoint counted. "
     "Each one costs the step that --bench shows.",
     SET(o.trainIterations = integer(f, t, 0, mostIterations))},
    {nullptr, "evaluate", nullptr,
     "Loss, perplexity and bits per byte over the validation data. A forward "
     "pass only: about a third of a step for each batch.",
     SET(o.evaluate = true)},
    {nullptr, "sample", "N",
     "Write N tokens of generated text. Runs the whole model for each token, so "
     "it is for looking, not for serving.",
     SET(o.sampleTokens = integer(f, t, 0))},
    {nullptr, "bench", nullptr,
     "Time the step: median and spread, tokens/s, time by phase and kind, the "
     "launches that take most, allocations, memory against plan. Uses random "
     "tokens unless there is --data-path.",
     SET(o.bench = true)},
    {nullptr, "bench-iters", "N", "Timed steps of --bench (10).", SET(o.benchIterations = integer(f, t, 1, 1000000))},
    {nullptr, "bench-warmup", "N", "Steps before the clock starts (2).",
     SET(o.benchWarmup = integer(f, t, 0, 1000000))},
    {nullptr, "write-device", "FILE.json",
     "With --bench: describe this machine for tx-compile's --device, by the times of the "
     "step's products and kernels. Times each launch of every step of --bench-iters.",
     SET(o.writeDevice = file(f, t))},
    {nullptr, "merge-device", nullptr,
     "Keep what the file of --write-device has of other shapes, from runs of other "
     "artifacts on this machine.",
     SET(o.mergeDevice = true)},
    {nullptr, "verify-recompute", "NONE.txa",
     "Run this artifact and NONE.txa, the same model compiled with no "
     "recomputation, side by side and compare every bit of losses, gradient "
     "norms, gradients and parameters. Exit 6 names the first difference. "
     "Needs the memory of both.",
     SET(o.verifyTwin = file(f, t))},
    {nullptr, "verify-iters", "N", "Steps that --verify-recompute compares (3).",
     SET(o.verifyIterations = integer(f, t, 1, mostIterations))},
    {nullptr, "function", "ENTRY",
     "Run one entry of the artifact once, on the arrays that --input names. "
     "With --load the weights are a file's, else the initial ones.",
     SET(o.function = entry(f, t))},
    {nullptr, "input", "NAME=FILE.npy",
     "Value of an argument (or of a global) for --function; a number instead "
     "of a file fills the whole argument. {rank} in a file's name is the "
     "rank's number. Repeatable.",
     SET(o.inputs.push_back(nameAndFile(f, t))), nullptr, Flag::ReplacesOfOneName},
    {nullptr, "output", "NAME=FILE.npy",
     "Where --function writes a result (or a global): the first rank's, or "
     "each rank's with {rank} in the file's name. Repeatable.",
     SET(o.outputs.push_back(nameAndFile(f, t))), nullptr, Flag::Adds},
    {nullptr, "memory-map", "all|ENTRY|LAUNCH",
     "Print who lies where in the arena, and from which launch to which: of all "
     "entries, of one, or at the launch of this number (as the step IR, a dry run "
     "and messages number launches). Says at which launch most is live.",
     SET(o.memoryMap = entry(f, t))},
    {nullptr, "info", nullptr, "Describe the artifact: model, policy, entries, memory.", SET(o.info = true)},

    {"Data", "data-path", "FILE",
     "Training data; its last part is the validation data, see --split. "
     "FILE.safetensors holds prepared samples: tokens and targets, I32 or I64 "
     "[samples, sequence]; a target of -100 counts in no loss.",
     SET(o.data.path = file(f, t))},
    {nullptr, "valid-data-path", "FILE", "Validation data from a file of its own; then all of --data-path trains.",
     SET(o.data.validPath = file(f, t))},
    {nullptr, "data-format", "auto|text|uint16|uint32",
     "How tokens lie in the files: text is one token a byte; uint16 and uint32 "
     "are raw little-endian ids. auto (the default): by llm.c's header or "
     "Megatron's NAME.idx beside NAME.bin; else a guess by the ending .txt or the "
     "vocabulary's size, which the first line says and which is refused where the "
     "data contradict it.",
     SET(o.data.format = dataFormat(f, t))},
    {nullptr, "data-order", "random|sequential",
     "random (the default): every sample is a window at a place drawn from "
     "(seed, sample's number). sequential: window after window, to compare "
     "with another framework.",
     SET(o.data.order = dataOrder(f, t))},
    {nullptr, "split", "A,B[,C]",
     "Shares of training, validation and test data (90,10). Use it when there "
     "is one file only.",
     SET(o.data.split = split(f, t))},

    {"Training", "global-batch-size", "N",
     "Samples in one iteration: a multiple of the artifact's micro batch. "
     "Larger costs time and no memory (gradients accumulate). Default: one "
     "micro batch.",
     SET(o.globalBatchSize = uint64_t(integer(f, t, 1, 1 << 30)))},
    {nullptr, "lr", "RATE", "Highest learning rate (3e-4).", SET(o.lr = rate(f, t))},
    {nullptr, "min-lr", "RATE", "Rate at the end of the decay (0).", SET(o.minLr = rate(f, t))},
    {nullptr, "lr-warmup-iters", "N",
     "Iterations over which the rate rises from 0 (0). A few hundred help "
     "against early spikes; the first iteration then has rate 0.",
     SET(o.lrWarmupIterations = integer(f, t, 0))},
    {nullptr, "lr-decay-iters", "N", "Iteration at which the decay ends (--train-iters).",
     SET(o.lrDecayIterations = integer(f, t, 1))},
    {nullptr, "lr-decay-style", "constant|linear|cosine|inverse-square-root",
     "Shape of the decay (linear); cosine is usual for GPT.", SET(o.lrDecayStyle = decayStyle(f, t))},
    {nullptr, "override-opt_param-scheduler", nullptr,
     "With --load of a run's state: go on with the learning rates of this command "
     "line where the checkpoint was trained with others, which is refused "
     "otherwise.",
     SET(o.overrideScheduler = true)},
    {nullptr, "use-checkpoint-opt_param-scheduler", nullptr, "The other way: go on with those of the checkpoint.",
     SET(o.useCheckpointScheduler = true)},
    {nullptr, "seed", "N", "Decides data order, initial weights and dropout (the model's own seed).",
     SET(o.seed = integer(f, t, 0))},
    {nullptr, "eval-interval", "N", "Evaluate after every N iterations (0: never).",
     SET(o.evalInterval = integer(f, t, 0))},
    {nullptr, "eval-iters", "N", "Micro batches of one evaluation (all of the validation data).",
     SET(o.evalIterations = integer(f, t, 1))},
    {nullptr, "no-check-for-nan-in-loss-and-grad", nullptr,
     "Go on when loss or gradients are NaN or Inf. Such gradients update nothing, "
     "with or without this flag; the run then says so and takes the next batch.",
     SET(o.checkForNan = false)},

    {"Files", "load", "FOLDER|INDEX.json|FILE.safetensors",
     "Weights to begin with, under Hugging Face's names and in F32, F16 or BF16: "
     "a folder as transformers writes it, its model.safetensors.index.json, or "
     "one file. What was saved with --save-optim continues its run exactly.",
     SET(o.load = file(f, t))},
    {nullptr, "save", "FOLDER|FILE.safetensors",
     "Weights at the end, at --save-interval and on Ctrl-C: one file if the name "
     "ends in .safetensors, else a folder that transformers loads (config, index "
     "and weights; other files in it stay). A crash leaves the old weights or the "
     "new ones, and a run whose weights are no longer finite (exit 6) the old. It "
     "may be what --load names; no other two flags may name one file, if one of "
     "them is written.",
     SET(o.save = file(f, t))},
    {nullptr, "max-shard-size", "SIZE",
     "The most that each file of weights in a folder has (5GB), unless one tensor "
     "has more: KB, MB, GB, TB are powers of 1000, KiB, MiB, GiB, TiB of 1024.",
     SET(o.maxShardBytes = size(f, t))},
    {nullptr, "save-interval", "N", "Also save after every N iterations (0).", SET(o.saveInterval = integer(f, t, 0))},
    {nullptr, "save-optim", nullptr,
     "Save the optimizer's state too (three times the size), so that --load "
     "continues bit by bit where the run stopped; in a folder it is "
     "tx-optimizer.safetensors.",
     SET(o.saveOptimizer = true)},
    {nullptr, "no-load-optim", nullptr,
     "Take only the weights of --load: begin at iteration 0 with a fresh "
     "optimizer.",
     SET(o.loadOptimizer = false)},
    {nullptr, "dump-gradients", "FILE.safetensors",
     "Every parameter's gradient of the last step (or --function), before "
     "clipping, NaN and Inf too.",
     SET(o.dumpGradients = file(f, t))},
    {nullptr, "log", "FILE.jsonl",
     "Append a line of JSON for every step, evaluation and bench, below what is "
     "there.",
     SET(o.log = file(f, t))},
    {nullptr, "trace", "FILE.json",
     "With --bench or --train-iters: the launches of one iteration after the "
     "first for chrome://tracing or ui.perfetto.dev, with modules, layers, "
     "phases, bytes and FLOPs. That iteration runs with a clock around each "
     "launch, a few percent slower.",
     SET(o.trace = file(f, t))},
    {nullptr, "log-interval", "N", "Iterations between two lines of progress (10).",
     SET(o.logInterval = integer(f, t, 1))},
    {nullptr, "profile", nullptr,
     "Trace the iterations from --profile-step-start to --profile-step-end instead of "
     "one, into the file of --trace (trace.json where it is not given).",
     SET(o.profile = true)},
    {nullptr, "profile-step-start", "N",
     "The first iteration of --profile, after N iterations are done (10); those of a loaded checkpoint count.",
     SET(o.profileStart = integer(f, t, 0))},
    {nullptr, "profile-step-end", "N", "--profile ends when N iterations are done (12).",
     SET(o.profileEnd = integer(f, t, 1))},
    {nullptr, "record-memory-history", nullptr,
     "Write who holds which bytes of the arena during one step, as a snapshot for PyTorch's viewer "
     "(pytorch.org/memory_viz), with entries, launches, modules and layers as the stack. Alone it runs nothing, so "
     "it needs no GPU; with --train-iters or --bench the run follows.",
     SET(o.recordMemory = true)},
    {nullptr, "memory-snapshot-path", "FILE.pickle", "Where --record-memory-history writes (snapshot.pickle).",
     SET(o.memorySnapshot = file(f, t))},
    {nullptr, "tensorboard-dir", "FOLDER",
     "With --train-iters: write an event file for TensorBoard into this folder, which is made: loss, "
     "learning rate, gradient norm and tokens per second by iteration. Files of other runs in it stay.",
     SET(o.tensorboard = file(f, t))},
    {nullptr, "log-memory-to-tensorboard", nullptr,
     "Also write the bytes that are planned, allocated for the arena, and resident in the process.",
     SET(o.tensorboardMemory = true)},
    {nullptr, "tensorboard-log-interval", "N", "Iterations between two points of --tensorboard-dir (1).",
     SET(o.tensorboardInterval = integer(f, t, 1))},

    {"Text", "prompt", "TEXT",
     "What --sample continues: text for a vocabulary of 256, else ids with "
     "spaces between them.",
     SET(o.prompt = t)},
    {nullptr, "temperature", "T", "Below 1 sharper, above 1 wilder, 0 always the likeliest token (1).",
     SET(o.temperature = real(f, t, 0))},
    {nullptr, "top-k", "K", "Draw only among the K likeliest tokens (0: all).", SET(o.topK = integer(f, t, 0))},

    {"Machine", "backend", "NAME",
     "host or cuda; default: what the artifact was compiled for. dryrun prints every launch "
     "with shapes and addresses and runs none, so it needs no memory and no "
     "GPU: of all entries, or of --function's.",
     SET(o.backend = backend(f, t))},
    {nullptr, "no-cuda-graph", nullptr,
     "On a GPU queue launches one by one instead of an entry as one CUDA "
     "graph: slower, but a fault shows where it happened.",
     SET(o.noCudaGraph = true), "cuda"},
    {nullptr, "no-cudnn", nullptr, "On a GPU compute attention by the generated kernels where cuDNN could.",
     SET(o.noCudnn = true), "cuda"},
    {nullptr, "tune", nullptr,
     "On a GPU time some 24 algorithms of cuBLASLt for each matrix product, "
     "before anything else runs, and keep the fastest for this and later runs "
     "on such a GPU. Takes seconds for each product and, beside the arena, some "
     "hundred MiB.",
     SET(o.tune = true), "cuda"},
    {nullptr, "tuning-cache", "FILE.json",
     "Where --tune keeps what it found, and every run looks "
     "($XDG_CACHE_HOME/tx/tuning.json or ~/.cache/tx/tuning.json). A choice is "
     "for one GPU, version of the library and product, whatever the artifact.",
     SET(o.tuningCache = file(f, t)), "cuda"},
    {nullptr, "threads", "N",
     "Threads (one for each CPU that this process may use). Results have the "
     "same bits for any number.",
     SET(o.threads = integer(f, t, 1, 1024))},

    {nullptr, "ranks", "N",
     "Start N ranks on this machine, with a part of its CPUs each, for an "
     "artifact compiled with --data-parallel-size N. On several machines start "
     "them with mpirun, torchrun or srun, without this flag.",
     SET(o.ranks = integer(f, t, 1, mostRanks))},
    {nullptr, "no-overlap-grad-reduce", nullptr,
     "Compute nothing while ranks sum a gradient, or do anything else together: "
     "slower, for comparison with --bench.",
     SET(o.noOverlap = true)},
    {nullptr, "no-nccl-ub", nullptr,
     "On GPUs keep the arena out of NCCL's hands: it copies through buffers of its "
     "own then, instead of reading and writing the arena from other GPUs.",
     SET(o.noNcclBuffers = true)},
    {nullptr, "distributed-timeout-minutes", "M",
     "How long a rank waits for the others in one operation before it gives up "
     "(10; fractions are taken). It must be longer than writing a checkpoint.",
     SET(o.timeoutMinutes = real(f, t, 1e-4, 525600))},

    {"Help", "help", nullptr, "This text.", SET(o.help = true)},
    {nullptr, "version", nullptr, "The version.", SET(o.version = true)},
};

#undef SET

/// Flags of tx-compile that people give to tx-run by habit. The artifact was compiled with them already.
const char *const compileFlags[] = {
#include "CompilerFlags.inc"
};

size_t editDistance(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

[[noreturn]] void refuseUnknown(const std::string &name) {
  for (const char *known : compileFlags)
    if (name == known)
      fail(TXRT_USAGE, "--%s is fixed when the step is compiled: give it to tx-compile", known);
  const Flag *nearest = nullptr;
  // A name that differs in more than a third of its letters (but two may always differ) is another word.
  size_t least = std::max<size_t>(2, name.size() / 3) + 1;
  for (const Flag &flag : flags) {
    size_t distance = editDistance(name, flag.name);
    if (distance < least && distance < name.size()) {
      least = distance;
      nearest = &flag;
    }
  }
  if (!nearest)
    fail(TXRT_USAGE, "unknown flag --%s; --help lists all", printable(name).c_str());
  fail(TXRT_USAGE,
       "unknown flag --%s; the nearest one is --%s (--help "
       "lists all)",
       printable(name).c_str(), nearest->name);
}

const Flag &findFlag(const std::string &name) {
  // Megatron has had both --override-opt_param-scheduler and --override-opt-param-scheduler, so - and _ are the same.
  auto isSame = [](char a, char b) { return a == b || ((a == '-' || a == '_') && (b == '-' || b == '_')); };
  for (const Flag &flag : flags)
    if (std::equal(name.begin(), name.end(), flag.name, flag.name + std::strlen(flag.name), isSame))
      return flag;
  refuseUnknown(name);
}

/// If a flag is given several times, the last value counts, as in Python's argparse: scripts override their defaults in
/// this way. A note names all values, since the user may have repeated the flag by mistake.
void noteRepeated(Options &options) {
  std::vector<std::pair<std::string, std::vector<std::string>>> all;
  for (const auto &[name, value] : options.given) {
    const auto again = findFlag(name).again;
    if (again == Flag::Adds)
      continue;
    const size_t cut = again == Flag::ReplacesOfOneName ? value.find('=') + 1 : 0;
    const std::string what = "--" + name + (cut ? " " + value.substr(0, cut - 1) : "");
    auto found = std::find_if(all.begin(), all.end(), [&](const auto &item) { return item.first == what; });
    if (found == all.end())
      found = all.insert(all.end(), {what, {}});
    found->second.push_back(value.substr(cut));
  }
  for (const auto &[what, values] : all) {
    if (std::count(values.begin(), values.end(), values[0]) == std::ptrdiff_t(values.size()))
      continue;
    std::string list;
    for (const std::string &value : values)
      list += (list.empty() ? "" : " and ") + printable(value, 200);
    options.notes.push_back(format("%s is given %zu times, with %s: the last one "
                                   "counts",
                                   printable(what).c_str(), values.size(), list.c_str()));
  }
}

bool isGiven(const Options &options, const std::string &name) {
  return std::any_of(options.given.begin(), options.given.end(), [&](const auto &flag) { return flag.first == name; });
}

/// Checks the flags of profiles, memory snapshots and TensorBoard against each other.
void checkObservers(const Options &o) {
  for (const auto &[flag, owner, isThere] :
       {std::tuple("profile-step-start", "profile", o.profile), std::tuple("profile-step-end", "profile", o.profile),
        std::tuple("memory-snapshot-path", "record-memory-history", o.recordMemory),
        std::tuple("log-memory-to-tensorboard", "tensorboard-dir", !o.tensorboard.empty()),
        std::tuple("tensorboard-log-interval", "tensorboard-dir", !o.tensorboard.empty())})
    if (isGiven(o, flag) && !isThere)
      fail(TXRT_USAGE, "--%s needs --%s", flag, owner);
  if (!o.tensorboard.empty() && o.trainIterations < 0)
    fail(TXRT_USAGE, "--tensorboard-dir needs --train-iters");
  if (!o.profile)
    return;
  if (o.trainIterations < 0)
    fail(TXRT_USAGE, "--profile needs --train-iters; --bench takes --trace");
  if (o.profileEnd <= o.profileStart)
    fail(TXRT_USAGE, "--profile-step-end %lld is not after --profile-step-start %lld", (long long)o.profileEnd,
         (long long)o.profileStart);
  if (o.profileStart >= o.trainIterations)
    fail(TXRT_USAGE, "--profile-step-start %lld%s is not below --train-iters %lld, so there is nothing to profile",
         (long long)o.profileStart, isGiven(o, "profile-step-start") ? "" : ", the one without the flag,",
         (long long)o.trainIterations);
}

/// Checks flags against each other.
void checkTogether(const Options &o) {
  int alone = o.bench + !o.verifyTwin.empty() + !o.function.empty() + o.info + !o.memoryMap.empty();
  bool chain = o.trainIterations >= 0 || o.evaluate || o.sampleTokens >= 0;
  if (o.recordMemory && alone + chain > 0 && o.trainIterations < 0 && !o.bench)
    fail(TXRT_USAGE, "--record-memory-history goes alone, with --train-iters or with --bench");
  if (alone + chain > 1)
    fail(TXRT_USAGE, "--bench, --verify-recompute, --function, --info and --memory-map each run alone; "
                     "only --train-iters, --evaluate and --sample go together");
  if (alone + chain == 0 && o.backend != "dryrun" && !o.recordMemory)
    fail(TXRT_USAGE,
         "nothing to do: give --train-iters, --evaluate, --sample, --bench, "
         "--verify-recompute, --function, --info, --memory-map or --record-memory-history (--help explains them)");
  if (o.backend == "dryrun" && alone + chain > !o.function.empty())
    fail(TXRT_USAGE, "--backend dryrun runs nothing; give it alone or "
                     "with --function to print one entry");
  if (o.function.empty() && (!o.inputs.empty() || !o.outputs.empty()))
    fail(TXRT_USAGE, "--input and --output belong to --function");
  if (o.trainIterations >= 0 && o.data.path.empty())
    fail(TXRT_USAGE, "--train-iters needs --data-path");
  if ((o.evaluate || o.evalInterval > 0) && o.data.path.empty() && o.data.validPath.empty())
    fail(TXRT_USAGE, "an evaluation needs --valid-data-path or --data-path");
  if (o.saveInterval > 0 && o.save.empty())
    fail(TXRT_USAGE, "--save-interval needs --save");
  if (o.saveOptimizer && o.save.empty())
    fail(TXRT_USAGE, "--save-optim needs --save");
  if (isGiven(o, "max-shard-size") && (o.save.empty() || !saveRequestOf(o).isFolder()))
    fail(TXRT_USAGE, "--max-shard-size needs a folder as --save: a name that does not end in .safetensors");
  if (!o.save.empty() && o.trainIterations < 0)
    fail(TXRT_USAGE, "--save needs --train-iters (0 saves the weights as "
                     "they were initialized or loaded)");
  if (!o.dumpGradients.empty() && o.trainIterations < 1 && o.function.empty())
    fail(TXRT_USAGE, "--dump-gradients needs --train-iters of at least 1, "
                     "or --function");
  if (!o.writeDevice.empty() && !o.bench)
    fail(TXRT_USAGE, "--write-device needs --bench");
  if (o.mergeDevice && o.writeDevice.empty())
    fail(TXRT_USAGE, "--merge-device needs --write-device");
  if (!o.writeDevice.empty() && o.ranks > 1)
    fail(TXRT_USAGE, "--write-device measures one rank; --ranks is %lld, so leave it out", (long long)o.ranks);
  checkObservers(o);
  if (!o.trace.empty() && o.trainIterations < 1 && !o.bench)
    fail(TXRT_USAGE, "--trace needs --bench, or --train-iters of at least 1");
  if (o.tune && o.tuningFile.empty())
    fail(TXRT_USAGE, "--tune has no folder to keep what it finds in "
                     "(neither XDG_CACHE_HOME nor HOME is set): give "
                     "--tuning-cache");
  // The artifact's backend is not known yet, so only these two cases can be checked here.
  if (o.info || !o.memoryMap.empty())
    requireEffect(o, o.info ? "none (--info runs nothing)" : "none (--memory-map runs nothing)");
  else if (!o.backend.empty())
    requireEffect(o, o.backend);
  if (o.overrideScheduler && o.useCheckpointScheduler)
    fail(TXRT_USAGE, "--override-opt_param-scheduler and "
                     "--use-checkpoint-opt_param-scheduler contradict each other");
  if ((o.overrideScheduler || o.useCheckpointScheduler) && o.load.empty())
    fail(TXRT_USAGE, "--%s-opt_param-scheduler needs --load", o.overrideScheduler ? "override" : "use-checkpoint");
  if (o.minLr > o.lr)
    fail(TXRT_USAGE, "--min-lr %g is above %s %g", o.minLr, isGiven(o, "lr") ? "--lr" : "the rate without --lr,", o.lr);
  int64_t decay = o.lrDecayIterations > 0 ? o.lrDecayIterations : o.trainIterations;
  if (o.trainIterations > 0 && o.lrWarmupIterations >= decay && o.lrWarmupIterations > 0)
    fail(TXRT_USAGE, "--lr-warmup-iters %lld is not below %s %lld, where the decay ends",
         (long long)o.lrWarmupIterations, o.lrDecayIterations > 0 ? "--lr-decay-iters" : "--train-iters",
         (long long)decay);
}

/// The file of --tuning-cache, else tx/tuning.json in the user's cache folder; empty if there is no such folder.
std::string tuningCachePath(const Options &options) {
  if (!options.tuningCache.empty())
    return options.tuningCache;
  for (auto [variable, below] : {std::pair("XDG_CACHE_HOME", ""), std::pair("HOME", "/.cache")}) {
    const char *folder = std::getenv(variable);
    if (folder && *folder == '/')
      return folder + std::string(below) + "/tx/tuning.json";
  }
  return "";
}

} // namespace

Options parseOptions(const std::vector<std::string> &arguments) {
  Options options;
  options.arguments = arguments;
  auto give = [&](const Flag &flag, const std::string &value) {
    flag.set(options, flag.name, value);
    options.given.emplace_back(flag.name, value);
  };
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string &argument = arguments[i];
    if (argument == "-h") {
      options.help = true;
      continue;
    }
    if (argument.empty() || argument == "-")
      fail(TXRT_USAGE,
           "'%s' is no artifact; it is read at any offset: name "
           "a file that tx-compile -o has made",
           argument.c_str());
    if (argument[0] != '-') {
      if (!options.artifact.empty())
        fail(TXRT_USAGE, "two artifacts, '%s' and '%s': give one", printable(options.artifact).c_str(),
             printable(argument).c_str());
      options.artifact = argument;
      continue;
    }
    if (argument.compare(0, 2, "--") != 0)
      fail(TXRT_USAGE, "'%s': flags begin with two dashes", printable(argument).c_str());
    size_t equals = argument.find('=');
    const Flag &flag = findFlag(argument.substr(2, equals == std::string::npos ? equals : equals - 2));
    if (!flag.value) {
      if (equals != std::string::npos)
        fail(TXRT_USAGE, "--%s is a switch and takes no value", flag.name);
      give(flag, "");
      continue;
    }
    if (equals != std::string::npos) {
      give(flag, argument.substr(equals + 1));
      continue;
    }
    if (i + 1 == arguments.size() || arguments[i + 1].compare(0, 2, "--") == 0)
      fail(TXRT_USAGE, "--%s needs a value: --%s %s", flag.name, flag.name, flag.value);
    give(flag, arguments[++i]);
  }
  if (options.help || options.version)
    return options;
  if (options.artifact.empty())
    fail(TXRT_USAGE, "no artifact: tx-run step.txa --train-iters 100 "
                     "--data-path text.txt (tx-compile makes step.txa)");
  options.tuningFile = tuningCachePath(options);
  if (options.profile && options.trace.empty())
    options.trace = "trace.json";
  noteRepeated(options);
  checkTogether(options);
  return options;
}

SaveRequest saveRequestOf(const Options &options) {
  SaveRequest request;
  request.path = options.save;
  request.withOptimizer = options.saveOptimizer;
  request.maxShardBytes = options.maxShardBytes;
  return request;
}

LrSchedule scheduleOf(const Options &options) {
  LrSchedule schedule;
  schedule.maximum = options.lr;
  schedule.minimum = options.minLr;
  schedule.warmupIterations = options.lrWarmupIterations;
  schedule.decayIterations = options.lrDecayIterations > 0 ? options.lrDecayIterations : options.trainIterations;
  schedule.style = options.lrDecayStyle;
  return schedule;
}

Holds whichHolds(const Options &options) {
  return options.overrideScheduler ? Holds::Given : options.useCheckpointScheduler ? Holds::Stored : Holds::Neither;
}

static void warn(const char *message) { complain("warning", message); }

txrt_options sessionOptions(const Options &options) {
  txrt_options how = {};
  how.backend = options.backend.empty() ? nullptr : options.backend.c_str();
  how.threads = static_cast<int>(options.threads);
  how.no_graph = options.noCudaGraph;
  how.no_overlap = options.noOverlap;
  how.no_cudnn = options.noCudnn;
  how.no_nccl_buffers = options.noNcclBuffers;
  how.tune = options.tune;
  how.tuning_cache = options.tuningFile.empty() ? nullptr : options.tuningFile.c_str();
  how.warn = warn;
  how.own_bytes = bytesOfData(options.data);
  return how;
}

void requireEffect(const Options &options, const std::string &backend) {
  for (const auto &given : options.given) {
    const Flag &flag = findFlag(given.first);
    if (flag.backend && backend != flag.backend)
      fail(TXRT_USAGE, "--%s is for the backend %s; this run's is %s, so leave it out", flag.name, flag.backend,
           printable(backend).c_str());
  }
}

std::string helpText() {
  std::string text = "tx-run - run a compiled training step\n\n"
                     "  tx-run step.txa --data-path text.txt --train-iters 500 --lr 1e-3\n"
                     "  tx-run step.txa --load model.safetensors --sample 400 --prompt 'In "
                     "the '\n"
                     "  tx-run step.txa --bench\n"
                     "  tx-run step.txa --verify-recompute none.txa\n\n"
                     "Flags have Megatron's names; --flag VALUE and --flag=VALUE are the "
                     "same. Model, batch,\npolicy, weight decay, clipping and Adam's constants "
                     "are compiled into the artifact:\ngive those to tx-compile. An artifact "
                     "holds native code: run only those you trust.\n";
  for (const Flag &flag : flags) {
    if (flag.group)
      text += std::string("\n") + flag.group + ":\n";
    text += std::string("  --") + flag.name + (flag.value ? std::string(" ") + flag.value : "") + "\n";
    // Wraps help texts at 88 columns.
    std::string words = flag.help, line = "     ";
    for (size_t at = 0; at < words.size();) {
      size_t end = std::min(words.find(' ', at), words.size());
      if (line.size() + 1 + end - at > 88) {
        text += line + "\n";
        line = "     ";
      }
      line += " " + words.substr(at, end - at);
      at = end + 1;
    }
    text += line + "\n";
  }
  text += "\nExit codes: 0 ok, 1 bad input, 2 usage, 3 out of memory, 4 "
          "machine or device,\n5 a rank was lost or did not answer, 6 numbers (NaN, "
          "or bits that differ),\n7 reading or writing, 130 interrupted.\n";
  return text;
}

} // namespace txrun
