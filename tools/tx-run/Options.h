//===- Options.h - tx-run's command line ----------------------------------------------------------------*- C++ -*-===//
//
// One table in Options.cpp holds every flag once: parser, help and the search for the nearest known flag all read it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_OPTIONS_H
#define TXRUN_OPTIONS_H

#include "LrSchedule.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace txrun {

/// A step takes its number as i32, and that of the next one must fit too.
constexpr int64_t mostIterations = 2147483646;

enum class DataFormat { Auto, Text, U16, U32 };
enum class DataOrder { Random, Sequential };

struct Options {
  std::string artifact;

  // What to do.
  int64_t trainIterations = -1; // -1: not asked for
  bool evaluate = false;
  int64_t sampleTokens = -1;
  bool bench = false;
  int64_t benchIterations = 10, benchWarmup = 2;
  std::string verifyTwin;
  int64_t verifyIterations = 3;
  std::string function;
  std::vector<std::pair<std::string, std::string>> inputs, outputs;
  bool info = false;

  // Data.
  std::string dataPath, validDataPath;
  DataFormat dataFormat = DataFormat::Auto;
  DataOrder dataOrder = DataOrder::Random;
  std::vector<double> split = {90, 10};

  // Training.
  int64_t globalBatchSize = -1; // -1: one microbatch
  double lr = 3e-4, minLr = 0;
  int64_t lrWarmupIterations = 0;
  int64_t lrDecayIterations = -1; // -1: train-iters
  DecayStyle lrDecayStyle = DecayStyle::Linear;
  /// Of a checkpoint's schedule and another one given, which one holds; neither:
  /// they must be the same.
  bool overrideScheduler = false, useCheckpointScheduler = false;
  int64_t seed = -1; // -1: the model's
  int64_t evalInterval = 0, evalIterations = -1;
  bool checkForNan = true;

  // Files.
  std::string load, save, dumpGradients, log, trace;
  int64_t saveInterval = 0;
  bool saveOptimizer = false, loadOptimizer = true;
  int64_t logInterval = 10;

  // Text.
  std::string prompt;
  double temperature = 1.0;
  int64_t topK = 0;

  // Machine.
  std::string backend; // empty: the artifact's own
  bool noCudaGraph = false, noCudnn = false, noNcclBuffers = false;
  bool noOverlap = false;
  bool tune = false;
  std::string tuningCache; // empty: the user's own
  int64_t threads = 0;
  int64_t ranks = -1; // -1: as many as a launcher has started
  double timeoutMinutes = 10;

  /// The command line, and its flags as they were given.
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> given;
  std::vector<std::string> notes; // on them, for people

  bool help = false, version = false;
};

/// Throws a usage error; does not look at any file.
Options parseOptions(const std::vector<std::string> &arguments);

/// Throws a usage error for a flag that says nothing to this backend.
void requireEffect(const Options &options, const std::string &backend);

std::string helpText();

/// Where choices of algorithms are kept: --tuning-cache, else tx/tuning.json in the user's folder of caches; empty
/// where there is none.
std::string tuningCachePath(const Options &options);

} // namespace txrun

#endif // TXRUN_OPTIONS_H
