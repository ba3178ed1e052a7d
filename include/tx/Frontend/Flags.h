//===- Flags.h - Every flag that tx-compile knows -------------------------------------------------------*- C++ -*-===//
//
// One table from Options.def, MegatronHarmless.def and MegatronRefused.def; the parser, the help, the docs and the
// search for the nearest name read it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_FLAGS_H
#define TX_FRONTEND_FLAGS_H

#include "tx/Frontend/CompileOptions.h"

namespace tx {

/// What a flag means for the compiler.
enum class FlagClass {
  Modelled, ///< has an effect
  Run,      ///< a run decides it, not what is compiled; ignored with a note
  Harmless, ///< changes nothing here; ignored with a note
  Refused,  ///< would change the model, the memory, the layout, or what a run computes
};

/// What follows a flag.
enum class FlagArity { Switch, Value, List };

enum class FlagGroup {
#define TX_GROUP(GROUP, TITLE, TEXT) GROUP,
#include "tx/Frontend/Options.def"
  None, ///< not modelled
};

/// What the flags' setters fill; more than the options, as some flags are only checked against others once all are
/// known.
struct FlagState {
  ModelConfig &model;
  RecomputeOptions &recompute;
  OptimizerOptions &optimizer;
  OutputOptions &output;
  CompileOptions &options;
  int64_t kvChannels = ModelConfig::kUnset;
  bool geluByTanh = false, geluByErf = false;
  bool useFlashAttention = false, padsVocabulary = true;
  std::string megatronArgs = {};
};

struct Flag {
  llvm::StringRef name; ///< with its dashes
  FlagClass flagClass;
  FlagArity arity;
  FlagGroup group = FlagGroup::None;
  llvm::StringRef metavar = {}; ///< how help names the value
  llvm::StringRef text = {};    ///< help of a modelled flag, reason of a refused one
  llvm::StringRef neutral = {}; ///< the value with which a refused flag passes
  /// Takes the values (one but for lists) of a modelled flag.
  llvm::Error (*set)(FlagState &state, const Flag &flag, llvm::ArrayRef<llvm::StringRef> values) = nullptr;
  /// The names of the enum that the value is one of.
  llvm::SmallVector<llvm::StringRef> (*getChoices)() = nullptr;
  /// What a switch sets, and to what: two that set one field to two values contradict each other.
  llvm::StringRef field = {}, fieldValue = {};
  bool repeats = false; ///< each value counts, and not the last one alone

  /// `--num-layers N`, `--recompute-method none|uniform|block`.
  std::string getSignature() const;
};

llvm::ArrayRef<Flag> getFlags();
/// Null if unknown.
const Flag *findFlag(llvm::StringRef name);
/// The known name with the fewest edits; empty if none is near.
llvm::StringRef nearestFlag(llvm::StringRef name);

struct FlagGroupInfo {
  FlagGroup group;
  llvm::StringRef title, text;
};
llvm::ArrayRef<FlagGroupInfo> getFlagGroups();

} // namespace tx

#endif // TX_FRONTEND_FLAGS_H
