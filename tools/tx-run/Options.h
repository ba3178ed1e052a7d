//===- Options.h - tx-run's command line ----------------------------------------------------------------*- C++ -*-===//
//
// One table in Options.cpp has each flag once. The parser, the help and the search for the nearest known flag read it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_OPTIONS_H
#define TXRUN_OPTIONS_H

#include "Error.h"
#include "train/DataFiles.h"
#include "train/LrSchedule.h"
#include "train/Resume.h"
#include "train/Weights.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace txrun {

struct Options {
  std::string artifact;

  // What to do.
  int64_t trainIterations = -1; // -1: --train-iters was not given
  bool evaluate = false;
  int64_t sampleTokens = -1;
  bool bench = false;
  int64_t benchIterations = 10, benchWarmup = 2;
  std::string writeDevice; // where the machine's times go
  bool mergeDevice = false;
  std::string verifyTwin;
  int64_t verifyIterations = 3;
  std::string function;
  std::vector<std::pair<std::string, std::string>> inputs, outputs;
  bool info = false;
  std::string memoryMap; // all, an entry, or a launch

  // Data.
  DataOptions data;

  // Training.
  uint64_t globalBatchSize = 0; // in samples; 0: one microbatch
  double lr = 3e-4, minLr = 0;
  int64_t lrWarmupIterations = 0;
  int64_t lrDecayIterations = -1; // -1: train-iters
  DecayStyle lrDecayStyle = DecayStyle::Linear;
  /// Which schedule holds if the checkpoint's and the one given by flags differ: the flags' (override) or the
  /// checkpoint's (use). If neither is set, they must be the same.
  bool overrideScheduler = false, useCheckpointScheduler = false;
  int64_t seed = -1; // -1: the model's
  int64_t evalInterval = 0, evalIterations = -1;
  bool checkForNan = true;

  // Files.
  std::string load, save, dumpGradients, log, trace;
  int64_t saveInterval = 0;
  uint64_t maxShardBytes = 5'000'000'000; // of each file of a folder
  bool saveOptimizer = false, loadOptimizer = true;
  int64_t logInterval = 10;
  bool profile = false; // trace the iterations [profileStart, profileEnd), counted from 0
  int64_t profileStart = 10, profileEnd = 12;
  bool recordMemory = false;
  std::string memorySnapshot = "snapshot.pickle";
  std::string tensorboard; // a folder
  bool tensorboardMemory = false;
  int64_t tensorboardInterval = 1;

  // Text.
  std::string prompt;
  double temperature = 1.0;
  int64_t topK = 0;

  // Machine.
  std::string backend; // empty: the backend that the artifact was compiled for
  bool noCudaGraph = false, noCudnn = false, noNcclBuffers = false;
  bool noOverlap = false;
  bool tune = false;
  std::string tuningCache; // empty: the file in the user's cache folder
  std::string tuningFile;  // the path of the tuning cache; empty: there is none
  int64_t threads = 0;
  int64_t ranks = -1; // -1: as many as mpirun or the like has started
  double timeoutMinutes = 10;

  /// The arguments of the command line, and the flags with their values as they were given.
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> given;
  std::vector<std::string> notes; // notes for the user about the flags

  bool help = false, version = false;
};

/// Parses the command line. Throws a usage error; reads no file.
Options parseOptions(const std::vector<std::string> &arguments);

/// The learning rate schedule that the flags ask for; and which schedule holds if the checkpoint has another one.
LrSchedule scheduleOf(const Options &options);
Holds whichHolds(const Options &options);

/// What --save asks for.
SaveRequest saveRequestOf(const Options &options);

/// The runtime's options for a session, from the flags. Its strings point into `options`, which must live longer.
txrt_options sessionOptions(const Options &options);

/// Throws a usage error if a flag was given that has no effect for this backend.
void requireEffect(const Options &options, const std::string &backend);

std::string helpText();

} // namespace txrun

#endif // TXRUN_OPTIONS_H
