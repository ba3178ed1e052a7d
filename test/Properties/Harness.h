//===- Harness.h - Compile a model, run it, keep every bit ----------------------------------------------*- C++ -*-===//
//
// What the property and the mutant tests share: a step is compiled in this process, runs two iterations of two
// microbatches each from random weights, a third one by the fused entry, and an evaluation. Everything that it computes
// is kept as bytes, to be compared as bytes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_PROPERTIES_HARNESS_H
#define TX_TEST_PROPERTIES_HARNESS_H

#include "tx/Pipeline/Pipelines.h"

#include <cstdint>
#include <map>
#include <random>
#include <set>
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
  uint64_t seed = 1; ///< of weights and data
  int threads = 1;
  const char *backend = "host";
  bool graphed = true;   ///< if the backend has graphs
  uint32_t keySeed = 7;  ///< of the dropout key
  float scaleFactor = 1; ///< of the loss scale: 1 for the mean over both microbatches
};

/// Named bytes in the order of computation: `1.0.tokens` and `1.0.loss_sum` are of iteration 1, microbatch 0;
/// `1.transformer.wte.weight.grad` is a gradient before apply, `1.transformer.wte.weight` a parameter after it (`0.`:
/// before the first).
struct RunResult {
  std::string error; ///< empty: ran
  std::vector<std::pair<std::string, std::vector<char>>> values;
  std::set<std::string> narrow; ///< of these values, those that are bf16
  std::string device;           ///< what computed
  uint64_t arenaBytes = 0;
  int64_t strayBytes = 0; ///< not zero, among state, though no global has them
  int64_t allocations = 0;

  float scalar(llvm::StringRef name) const;
  /// The value as a list of T; empty if there is none of that name.
  template <typename T> std::vector<T> list(llvm::StringRef name) const {
    for (const auto &[known, bytes] : values)
      if (known == name) {
        auto *begin = reinterpret_cast<const T *>(bytes.data());
        return {begin, begin + bytes.size() / sizeof(T)};
      }
    return {};
  }
  /// An f32 or bf16 value.
  std::vector<float> floats(const std::string &name) const;
};

/// The factor by which the harness scales the sum of a microbatch's losses.
float lossScaleOf(int64_t batch, int64_t sequence);

RunResult runStep(const Step &step, const RunOptions &options = {});

/// The first value whose bits differ, or nothing.
std::string firstDifference(const RunResult &a, const RunResult &b);

/// How a microbatch's launches depart from the report's list `recomputed`, or nothing: products one by one, all other
/// ops by their work beyond that of policy none, since kernels of backward may hold some. All of it stands behind
/// forward.
std::string findLaunchFault(const Step &step, const Step &none);

/// How the bytes that pass the border depart from the report's, or nothing.
std::string findSavedFault(const Step &step);

//===--------------------------------------------------------------------------------------------------------------===//
// Random models and policies
//===--------------------------------------------------------------------------------------------------------------===//

struct RandomModel {
  Flags flags;
  int layers;
  bool dropout;
  bool odd; ///< sizes that are no multiples of a vector
  bool flash;
  bool narrow; ///< bf16
  bool qkNorm = false;
};

RandomModel randomModel(std::mt19937 &random, bool dropout, bool odd);
Flags randomPolicy(std::mt19937 &random, const RandomModel &model);

} // namespace txtest

#endif // TX_TEST_PROPERTIES_HARNESS_H
