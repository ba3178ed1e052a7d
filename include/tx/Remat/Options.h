//===- Options.h - The recompute flags, and what they mean ----------------------------------------------*- C++ -*-===//
//
// The flags are spelled as in Megatron-LM and mean the same. Tx also accepts combinations of flags that Megatron
// refuses without an inherent reason (docs/Recompute.md).
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

#include "tx/Plan/Step.h"
#include "tx/Remat/PlanFile.h"

#include <optional>

namespace tx {

/// The recompute flags as the user typed them. Lists are separated by commas or spaces.
struct RematPolicyOptions {
  std::optional<std::string> granularity, method, numLayers, modules, layers, saveOnly, memoryBudget, planFile, policy;
  bool recomputeActivations = false;
  std::optional<std::string> device; ///< for `auto`: a preset or a file, see Device.h
  std::string usualDevice = "cpu";   ///< whose seconds count if no device is given; it stands for no budget
};

/// A recompute flag that takes a value.
struct RematFlag {
  std::string name; ///< `--recompute-modules`
  std::optional<std::string> RematPolicyOptions::*field;
};
const std::vector<RematFlag> &getRematFlags();
/// The one recompute flag that takes no value.
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
  int lastOfBlock = -1; ///< the number of the last layer that `block` recomputes
  std::vector<RecomputeModule> modules;
  std::optional<std::vector<int>> layers;           ///< the layers that --recompute-layers lists, sorted
  std::optional<std::vector<std::string>> saveOnly; ///< names of the values to save, see matchesName
  std::optional<int64_t> memoryBudget;              ///< bytes that the arena may have, for `auto`
  std::string budgetDevice;                         ///< the device whose memory is the budget; empty: none
  std::optional<PlanFile> plan;                     ///< what a person or a run has decided, value by value
  std::string custom, argument;                     ///< the name of a registered policy, and what it is told

  /// Whether the policy recomputes anything in the layer (for `selective`, `block` and a list of layers).
  bool includesLayer(int layer) const;
};

/// Parses the flags and checks them against the model. Returns the policy; or nothing, and then adds at least one error
/// to `messages`.
std::optional<RematPolicy> parseRematPolicy(const RematPolicyOptions &options, const plan::Entry &entry,
                                            std::vector<RematMessage> &messages);

/// Whether `pattern` names the value or a module that contains it: the components of the pattern are the first
/// components of the value's name. A pattern without `layers.N.` matches the value in every layer.
bool matchesName(llvm::StringRef pattern, llvm::StringRef valueName);

/// Bytes, as people write them: `80GiB`, `24 GB`, `1.5e9`, `17179869184`. Nothing if the text is none.
std::optional<int64_t> parseBytes(llvm::StringRef text);

/// listLayers writes a sorted list as `0-3,7`; describeLayers as `layers 0-3,7` or `layer 2`.
std::string listLayers(const std::vector<int> &layers);
std::string describeLayers(const std::vector<int> &layers);

} // namespace tx

#endif // TX_REMAT_OPTIONS_H
