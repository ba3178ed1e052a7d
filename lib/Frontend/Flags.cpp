//===- Flags.cpp - The table of flags and what each one sets ------------------------------------------------------===//

#include "tx/Frontend/Flags.h"

#include "tx/Dialect/Tx/IR/TxEnums.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace tx;
using llvm::ArrayRef;
using llvm::Error;
using llvm::StringRef;

//===--------------------------------------------------------------------------------------------------------------===//
// Values
//===--------------------------------------------------------------------------------------------------------------===//

static Error assign(const Flag &flag, StringRef value, int64_t &field) {
  if (value.getAsInteger(10, field))
    return badUsage(llvm::formatv("{0} takes a whole number, found '{1}'", flag.name, value));
  return Error::success();
}

static Error assign(const Flag &flag, StringRef value, double &field) {
  // getAsDouble would also accept hexadecimal numbers, infinities and NaNs.
  if (value.find_first_not_of("0123456789+-.eE") != StringRef::npos || value.getAsDouble(field) ||
      !std::isfinite(field))
    return badUsage(llvm::formatv("{0} takes a number, found '{1}'", flag.name, value));
  return Error::success();
}

static Error assign(const Flag &flag, StringRef value, std::string &field) {
  if (value.empty())
    return badUsage(llvm::formatv("{0} takes {1}, found nothing", flag.name, flag.metavar));
  field = value.str();
  return Error::success();
}

template <typename T> static Error assign(const Flag &flag, StringRef value, std::optional<T> &field) {
  return assign(flag, value, field.emplace());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Flags that need more than an assignment
//===--------------------------------------------------------------------------------------------------------------===//

static Error setHiddenDropout(FlagState &state, const Flag &flag, StringRef value) {
  if (Error error = assign(flag, value, state.model.hiddenDropout))
    return error;
  state.model.embeddingDropout = state.model.hiddenDropout;
  return Error::success();
}

static Error refuse(const Flag &flag, StringRef value, const llvm::Twine &reason) {
  return badInput(flag.name + " " + value + " is refused: " + reason);
}

static Error setPositions(FlagState &state, const Flag &flag, StringRef value) {
  std::optional<PositionEmbedding> positions = symbolizePositionEmbedding(value);
  if (!positions)
    return refuse(flag, value, "positions are learned_absolute, rope or none; no other kind is there yet");
  state.model.positions = *positions;
  return Error::success();
}

static Error setNormalization(FlagState &state, const Flag &flag, StringRef value) {
  std::optional<Normalization> normalization = symbolizeNormalization(value);
  if (!normalization)
    return refuse(flag, value, "norms are LayerNorm or RMSNorm; no other kind is there yet");
  state.model.normalization = *normalization;
  return Error::success();
}

static Error checkOptimizer(FlagState &, const Flag &flag, StringRef value) {
  if (value == "adam")
    return Error::success();
  return refuse(flag, value, "the optimizer is adam; no other one is there yet");
}

static Error setDataParallelSize(FlagState &state, const Flag &flag, StringRef value) {
  int64_t &size = state.options.parallel.dataParallelSize;
  if (Error error = assign(flag, value, size))
    return error;
  constexpr int64_t kMost = 4096;
  if (size < 1 || size > kMost)
    return badUsage(llvm::formatv("{0} takes 1 to {1}, found {2}", flag.name, kMost, size));
  return Error::success();
}

static Error setAttentionBackend(FlagState &state, const Flag &flag, StringRef value) {
  if (value == "local") // `local` is Megatron's own unfused attention
    value = stringifyAttentionBackend(AttentionBackend::Unfused);
  auto backend = symbolizeAttentionBackend(value);
  if (!backend)
    return badUsage(llvm::formatv("{0} takes auto, flash, fused or unfused, found "
                                  "'{1}'",
                                  flag.name, value));
  state.model.attentionBackend = *backend;
  return Error::success();
}

/// Lists all names of an enum of TxEnums.td.
template <typename Enum, unsigned (*getMaximum)()> static llvm::SmallVector<StringRef> listNames() {
  llvm::SmallVector<StringRef> names;
  for (unsigned value = 0; value <= getMaximum(); ++value)
    names.push_back(stringifyEnum(static_cast<Enum>(value)));
  return names;
}

std::string Flag::getSignature() const {
  std::string value = metavar.empty() && getChoices ? llvm::join(getChoices(), "|") : metavar.str();
  return value.empty() ? name.str() : (name + " " + value).str();
}

//===--------------------------------------------------------------------------------------------------------------===//
// The table
//===--------------------------------------------------------------------------------------------------------------===//

namespace reason {
#define TX_REASON(REASON, TEXT) static constexpr const char *REASON = TEXT;
#include "tx/Frontend/MegatronRefused.def"
} // namespace reason

static const Flag kFlags[] = {
#define TX_SETTER [](FlagState & state, const Flag &flag, ArrayRef<StringRef> values)->Error
#define TX_VALUE(GROUP, NAME, METAVAR, FIELD, HELP)                                                                    \
  {NAME, FlagClass::Modelled, FlagArity::Value, FlagGroup::GROUP, METAVAR, HELP, "",                                   \
   TX_SETTER{return assign(flag, values[0], state.FIELD);                                                              \
  }                                                                                                                    \
  }                                                                                                                    \
  ,
#define TX_REPEATED(GROUP, NAME, METAVAR, FIELD, HELP)                                                                 \
  {NAME, FlagClass::Modelled, FlagArity::Value, FlagGroup::GROUP, METAVAR, HELP, "",                                   \
   TX_SETTER{return assign(flag, values[0], state.FIELD.emplace_back());                                               \
  }                                                                                                                    \
  , nullptr, "", "", /*repeats=*/true                                                                                  \
  }                                                                                                                    \
  ,
#define TX_ENUM(GROUP, NAME, ENUM, FIELD, HELP)                                                                        \
  {NAME, FlagClass::Modelled, FlagArity::Value, FlagGroup::GROUP, "", HELP, "",                                        \
   TX_SETTER{return assign(flag, values[0], state.FIELD);                                                              \
  }                                                                                                                    \
  , listNames<ENUM, getMaxEnumValFor##ENUM>                                                                            \
  }                                                                                                                    \
  ,
#define TX_SET_LIST(FIELD)                                                                                             \
  TX_SETTER {                                                                                                          \
    state.FIELD.emplace(values.begin(), values.end());                                                                 \
    return Error::success();                                                                                           \
  }
#define TX_LIST(GROUP, NAME, METAVAR, FIELD, HELP)                                                                     \
  {NAME, FlagClass::Modelled, FlagArity::List, FlagGroup::GROUP, METAVAR, HELP, "", TX_SET_LIST(FIELD)},
#define TX_ENUM_LIST(GROUP, NAME, METAVAR, ENUM, FIELD, HELP)                                                          \
  {NAME,                                                                                                               \
   FlagClass::Modelled,                                                                                                \
   FlagArity::List,                                                                                                    \
   FlagGroup::GROUP,                                                                                                   \
   METAVAR,                                                                                                            \
   HELP,                                                                                                               \
   "",                                                                                                                 \
   TX_SET_LIST(FIELD),                                                                                                 \
   listNames<ENUM, getMaxEnumValFor##ENUM>},
#define TX_SWITCH(GROUP, NAME, FIELD, VALUE, HELP)                                                                     \
  {NAME, FlagClass::Modelled, FlagArity::Switch, FlagGroup::GROUP, "", HELP, "", TX_SETTER{state.FIELD = VALUE;        \
  return Error::success();                                                                                             \
  }                                                                                                                    \
  , nullptr, #FIELD, #VALUE                                                                                            \
  }                                                                                                                    \
  ,
#define TX_CHECKED(GROUP, NAME, METAVAR, FUNCTION, HELP)                                                               \
  {NAME, FlagClass::Modelled, FlagArity::Value, FlagGroup::GROUP, METAVAR, HELP, "",                                   \
   TX_SETTER{return FUNCTION(state, flag, values[0]);                                                                  \
  }                                                                                                                    \
  }                                                                                                                    \
  ,
#include "tx/Frontend/Options.def"
#undef TX_SETTER
#undef TX_SET_LIST
#define TX_RUN_FLAG(NAME, ARITY) {"--" NAME, FlagClass::Run, FlagArity::ARITY},
#define TX_HARMLESS(NAME, ARITY) {"--" NAME, FlagClass::Harmless, FlagArity::ARITY},
#include "tx/Frontend/MegatronHarmless.def"
#define TX_REFUSED(REASON, NAME, ARITY, NEUTRAL)                                                                       \
  {"--" NAME, FlagClass::Refused, FlagArity::ARITY, FlagGroup::None, "", reason::REASON, NEUTRAL},
#define TX_ONE_RANK(REASON, NAME, ARITY)                                                                               \
  {"--" NAME, FlagClass::OneRank, FlagArity::ARITY, FlagGroup::None, "", reason::REASON},
#include "tx/Frontend/MegatronRefused.def"
};

static const FlagGroupInfo kGroups[] = {
#define TX_GROUP(GROUP, TITLE, TEXT) {FlagGroup::GROUP, TITLE, TEXT},
#include "tx/Frontend/Options.def"
};

ArrayRef<Flag> tx::getFlags() { return kFlags; }
ArrayRef<FlagGroupInfo> tx::getFlagGroups() { return kGroups; }

const Flag *tx::findFlag(StringRef name) {
  static const llvm::StringMap<const Flag *> byName = [] {
    llvm::StringMap<const Flag *> map;
    for (const Flag &flag : kFlags) {
      [[maybe_unused]] bool isNew = map.try_emplace(flag.name, &flag).second;
      assert(isNew && "a flag is in one table, once");
    }
    return map;
  }();
  return byName.lookup(name);
}

StringRef tx::nearestFlag(StringRef name) {
  // A name that differs in more than a third of its letters (but two may always differ) is another word.
  unsigned best = std::max<size_t>(2, name.size() / 3) + 1;
  StringRef nearest;
  for (const Flag &flag : kFlags) {
    unsigned distance = name.edit_distance(flag.name, /*AllowReplacements=*/true, best);
    if (distance < best)
      best = distance, nearest = flag.name;
  }
  return nearest;
}
