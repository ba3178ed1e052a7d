//===- Harness.h - Compile a model, run it, keep every bit ------*- C++ -*-===//
//
// What the property and the mutant tests share: a step is compiled in this
// process, runs two iterations of two microbatches each from random weights,
// and everything that it computes is kept as bytes, to be compared as bytes.
//
//===----------------------------------------------------------------------===//

#ifndef TX_TEST_PROPERTIES_HARNESS_H
#define TX_TEST_PROPERTIES_HARNESS_H

#include "tx/Pipeline/Pipelines.h"

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace txtest {

using Flags = std::vector<std::string>;

std::string joinFlags(const Flags &flags);

/// What one compilation gave, or why it did not.
struct Step {
  std::string error; ///< empty: compiled
  std::vector<char> artifact;
  llvm::json::Object report;

  int64_t number(llvm::StringRef field) const;
  size_t recomputedOps() const;
};

Step compileStep(const Flags &flags, const tx::CompileHooks &hooks = {});

struct RunOptions {
  uint64_t seed = 1;    ///< of weights and data
  int threads = 1;
  uint32_t keySeed = 7; ///< of the dropout key
};

/// Named bytes in the order of computation: `1.0.loss_sum` is the loss of
/// iteration 1, microbatch 0; `1.grad transformer.wte.weight` a gradient before
/// apply, `1.transformer.wte.weight` a parameter after it.
struct RunResult {
  std::string error; ///< empty: ran
  std::vector<std::pair<std::string, std::vector<char>>> values;
  uint64_t arenaBytes = 0;
  int64_t allocations = 0;
  int recomputeLaunches = 0;
  int launches = 0;

  float scalar(llvm::StringRef name) const;
};

RunResult runStep(const Step &step, const RunOptions &options = {});

/// The first value whose bits differ, or nothing.
std::string firstDifference(const RunResult &a, const RunResult &b);

//===----------------------------------------------------------------------===//
// Random models and policies
//===----------------------------------------------------------------------===//

struct RandomModel {
  Flags flags;
  int layers;
  bool dropout;
  bool odd; ///< sizes that are no multiples of a vector
};

RandomModel randomModel(std::mt19937 &random, bool dropout, bool odd);
Flags randomPolicy(std::mt19937 &random, const RandomModel &model);

} // namespace txtest

#endif // TX_TEST_PROPERTIES_HARNESS_H
