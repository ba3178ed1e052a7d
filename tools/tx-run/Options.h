//===- Options.h - tx-run's command line ----------------------------------------------------------------*- C++ -*-===//
//
// One table in Options.cpp holds every flag once: parser, help and the search for the nearest known flag all read it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_OPTIONS_H
#define TXRUN_OPTIONS_H

#include "Error.h"
#include "train/DataFiles.h"
#include "train/LrSchedule.h"
#include "train/Resume.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace txrun {

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
  std::string memoryMap; // all, an entry, or a launch

  // Data.
  DataOptions data;

  // Training.
  uint64_t globalBatchSize = 0; // 0: one microbatch
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
  std::string tuningFile;  // where it is; empty: nowhere
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

/// The schedule that the flags ask for, and which one holds where a checkpoint has another one.
LrSchedule scheduleOf(const Options &options);
Holds whichHolds(const Options &options);

/// How the flags want an artifact to be run. Its texts live as long as the options.
txrt_options sessionOptions(const Options &options);

/// Throws a usage error for a flag that says nothing to this backend.
void requireEffect(const Options &options, const std::string &backend);

std::string helpText();

} // namespace txrun

#endif // TXRUN_OPTIONS_H
