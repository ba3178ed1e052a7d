//===- Options.h - The recompute flags, and what they mean ----------------------------------------------*- C++ -*-===//
//
// Spelling and meaning are Megatron-LM's; what Megatron refuses without an inherent reason works here
// (docs/Recompute.md).
//
//   RematPolicyOptions options;
//   options.granularity = "selective";
//   options.modules = "mlp,layernorm";
//   std::vector<RematMessage> messages;
//   std::optional<RematPolicy> policy = parseRematPolicy(options, model, messages);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_OPTIONS_H
#define TX_REMAT_OPTIONS_H

#include "tx/Remat/Problem.h"

#include <optional>

namespace tx {

/// The flags as typed. Lists are separated by commas or spaces.
struct RematPolicyOptions {
  std::optional<std::string> granularity, method, numLayers, modules, layers, saveOnly;
  bool recomputeActivations = false;
};

/// A flag with a value.
struct RematFlag {
  std::string name; ///< `--recompute-modules`
  std::optional<std::string> RematPolicyOptions::*field;
};
const std::vector<RematFlag> &getRematFlags();
/// The one flag without a value.
constexpr const char *kRecomputeActivationsFlag = "--recompute-activations";

struct RematMessage {
  enum Severity { Note, Warning, Error } severity;
  std::string text; ///< one line: what was asked, what was found, what would work
};

/// The policy that the flags ask for, checked against the model.
struct RematPolicy {
  RecomputeGranularity granularity = RecomputeGranularity::None;
  RecomputeMethod method = RecomputeMethod::None;
  int numLayers = 0;
  int lastOfBlock = -1; ///< of `block`: the number of its last layer
  std::vector<RecomputeModule> modules;
  std::optional<std::vector<int>> layers;           ///< an explicit list, sorted
  std::optional<std::vector<std::string>> saveOnly; ///< names of values, see matchesName

  /// Whether `selective`, `block` or a list of layers takes part in the layer.
  bool includesLayer(int layer) const;
};

/// The policy, or nothing and at least one error.
std::optional<RematPolicy> parseRematPolicy(const RematPolicyOptions &options, const RematProblem &problem,
                                            std::vector<RematMessage> &messages);

/// Whether `pattern` names a value or a module around it: its components begin the value's name, whose `layers.N.` may
/// be left out to mean every layer.
bool matchesName(llvm::StringRef pattern, llvm::StringRef valueName);

/// `0-3,7` for a sorted list; `layers 0-3,7` or `layer 2`.
std::string listLayers(const std::vector<int> &layers);
std::string describeLayers(const std::vector<int> &layers);

} // namespace tx

#endif // TX_REMAT_OPTIONS_H
