//===- Flags.h - Every flag that tx-compile knows -------------------------------------------------------*- C++ -*-===//
//
// One table lists all flags of Options.def, MegatronHarmless.def and MegatronRefused.def. The parser, the help, the
// docs and the search for the nearest name read it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_FLAGS_H
#define TX_FRONTEND_FLAGS_H

#include "tx/Frontend/CompileOptions.h"

namespace tx {

/// What a flag means for the compiler.
enum class FlagClass {
  Modelled, ///< has an effect on the compilation
  Run,      ///< tells a run something that the compiler need not know; ignored with a note
  Harmless, ///< would change nothing in Tx; ignored with a note
  OneRank,  ///< divides work among data-parallel ranks: harmless with one of them, refused with more
  Refused,  ///< asks for another model, memory, layout or computation than Tx has; an error
};

/// How many values follow a flag: none, one, or a list.
enum class FlagArity { Switch, Value, List };

enum class FlagGroup {
#define TX_GROUP(GROUP, TITLE, TEXT) GROUP,
#include "tx/Frontend/Options.def"
  None, ///< for flags that are not Modelled
};

/// The data that the setters of flags fill. Besides the options it has values that are checked against other flags once
/// all flags are known.
struct FlagState {
  ModelConfig &model;
  RecomputeOptions &recompute;
  OptimizerOptions &optimizer;
  OutputOptions &output;
  CompileOptions &options;
  bool groupsQueries = false;
  std::optional<int64_t> queryGroups = {};
  bool isRotary = false, hasNoTable = false, scalesRope = false;
  std::optional<double> ropeScalingFactor = {}, interpolationFactor = {};
  bool hasNoBiases = false, hasQkvBias = false;
  bool geluByTanh = false, geluByErf = false;
  bool useFlashAttention = false, padsVocabulary = true;
  std::string megatronArgs = {};
};

struct Flag {
  llvm::StringRef name; ///< with its dashes
  FlagClass flagClass;
  FlagArity arity;
  FlagGroup group = FlagGroup::None;
  llvm::StringRef metavar = {}; ///< the name of the value in help texts
  llvm::StringRef text = {};    ///< help of a modelled flag, reason of a refused one
  llvm::StringRef neutral = {}; ///< the value with which a refused flag passes
  /// Sets the options that a modelled flag sets, from its values (a list may have several).
  llvm::Error (*set)(FlagState &state, const Flag &flag, llvm::ArrayRef<llvm::StringRef> values) = nullptr;
  /// The names that the value can have, if it is an enum's.
  llvm::SmallVector<llvm::StringRef> (*getChoices)() = nullptr;
  /// For a switch: the field that it sets, and to which value. Two switches that set one field to different values
  /// contradict each other.
  llvm::StringRef field = {}, fieldValue = {};
  bool repeats = false; ///< if the flag is given several times, all values count, not only the last one

  /// The flag with its value, as in `--num-layers N` or `--recompute-method none|uniform|block`.
  std::string getSignature() const;
};

llvm::ArrayRef<Flag> getFlags();
/// The flag of that name; null if there is none.
const Flag *findFlag(llvm::StringRef name);
/// The flag's name that differs from `name` by the fewest edits; empty if none is near.
llvm::StringRef nearestFlag(llvm::StringRef name);

struct FlagGroupInfo {
  FlagGroup group;
  llvm::StringRef title, text;
};
llvm::ArrayRef<FlagGroupInfo> getFlagGroups();

} // namespace tx

#endif // TX_FRONTEND_FLAGS_H
