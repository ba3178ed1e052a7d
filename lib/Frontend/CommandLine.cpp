//===- CommandLine.cpp - Arguments to CompileOptions --------------------------------------------------------------===//
//
// The parser works in two passes. The first splits the arguments into flags with their values, and finds the input. The
// second reads the input, and then applies the flags to it in the order in which they were given.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Frontend/Family.h"
#include "tx/Frontend/Flags.h"
#include "tx/Frontend/HuggingFace.h"
#include "tx/Frontend/Presets.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Allocator.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/StringSaver.h"

using namespace tx;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::SmallVector;
using llvm::StringRef;

namespace {

/// Whether a flag's value matters: other flags are ignored, whatever their value is.
bool counts(const Flag &flag) { return flag.flagClass == FlagClass::Modelled || flag.flagClass == FlagClass::Refused; }

/// A flag and the values with which it was given.
struct Given {
  const Flag *flag;
  SmallVector<StringRef, 2> values;
};

class CommandLineParser {
public:
  Expected<CompileOptions> parse(ArrayRef<StringRef> arguments) {
    if (arguments.empty())
      return badUsage("nothing to compile: give a preset, a config.json, a .mlir file or flags; see tx-compile --help");
    if (Error error = split(arguments, /*isMegatron=*/false))
      return std::move(error);
    for (const Given &item : given)
      if (isPrint(item))
        return printOnly(item);
    if (Error error = checkContradictions())
      return std::move(error);
    takeLast();
    if (Error error = readInput())
      return std::move(error);
    if (Error error = apply())
      return std::move(error);
    if (Error error = finish())
      return std::move(error);
    return std::move(options);
  }

private:
  Error split(ArrayRef<StringRef> arguments, bool isMegatron);
  Error splitFlag(StringRef name, std::optional<StringRef> attached, ArrayRef<StringRef> arguments, size_t &index,
                  bool isMegatron);
  Error splitMegatron(StringRef text);
  Error setPositional(StringRef argument, bool isMegatron);

  Error readInput();
  Error apply();
  Error finish();
  Error checkContradictions();
  Error checkOptimizer();
  Error finishModel();
  Error finishPositions();
  void noteForm(StringRef family);
  void noteIgnored();
  void takeLast();

  // Whether the flag asks for help or the version. Then no input is needed, and other arguments have no effect.
  static bool isPrint(const Given &item) {
    return item.flag->name == "-h" || item.flag->name == "--version" || item.flag->name.starts_with("--help");
  }
  Expected<CompileOptions> printOnly(const Given &item) {
    if (Error error = item.flag->set(state, *item.flag, item.values))
      return std::move(error);
    return std::move(options);
  }

  CompileOptions options;
  FlagState state{options.model, options.recompute, options.optimizer, options.output, options};
  SmallVector<Given, 32> given;
  llvm::BumpPtrAllocator allocator;
  llvm::StringSaver saver{allocator};
  bool fromMegatron = false;
};

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Splitting
//===--------------------------------------------------------------------------------------------------------------===//

static bool isFlag(StringRef argument) {
  // -1 and -0.5 are values.
  return argument.size() > 1 && argument[0] == '-' && !llvm::isDigit(argument[1]) && argument[1] != '.';
}

Error CommandLineParser::split(ArrayRef<StringRef> arguments, bool isMegatron) {
  for (size_t index = 0; index < arguments.size();) {
    StringRef argument = arguments[index++];
    if (argument == "--")
      continue; // `--` ends the values of a list
    if (!isFlag(argument)) {
      if (Error error = setPositional(argument, isMegatron))
        return error;
      continue;
    }
    auto [name, value] = argument.split('=');
    std::optional<StringRef> attached;
    if (name.size() < argument.size())
      attached = value;
    if (Error error = splitFlag(name, attached, arguments, index, isMegatron))
      return error;
  }
  return Error::success();
}

/// An error if text of --megatron-args has a `$`: a script's shell would have expanded the variable. Callers ask only
/// where the text matters, not for flags that are ignored.
static Error checkExpanded(StringRef argument, bool isMegatron) {
  if (!isMegatron || !argument.contains('$'))
    return Error::success();
  return badUsage("--megatron-args holds '" + argument +
                  "', which only a shell can expand: write --megatron-args=\"…\" in double quotes, or the "
                  "value itself");
}

Error CommandLineParser::splitFlag(StringRef name, std::optional<StringRef> attached, ArrayRef<StringRef> arguments,
                                   size_t &index, bool isMegatron) {
  const Flag *flag = findFlag(name);
  if (!flag) {
    if (Error error = checkExpanded(name, isMegatron))
      return error;
    StringRef nearest = nearestFlag(name);
    return badUsage("unknown flag '" + name + "'" +
                    (nearest.empty() ? "; see tx-compile --help" : "; the nearest that is known is " + nearest));
  }
  Given item{flag, {}};
  if (flag->arity == FlagArity::Switch) {
    if (attached)
      return badUsage(name + " takes no value, found '" + *attached + "'");
  } else if (flag->arity == FlagArity::Value) {
    if (!attached) {
      // --megatron-args is the one flag whose value may begin with a dash.
      bool holdsFlags = name == "--megatron-args";
      if (index == arguments.size() || (isFlag(arguments[index]) && !holdsFlags))
        return badUsage(name + " needs a value" + (flag->getSignature() == name ? "" : ": " + flag->getSignature()));
      attached = arguments[index++];
    }
    item.values.push_back(*attached);
  } else {
    SmallVector<StringRef> words;
    if (attached)
      words.push_back(*attached);
    else
      while (index < arguments.size() && !isFlag(arguments[index]) && arguments[index] != "--")
        words.push_back(arguments[index++]);
    for (StringRef word : words)
      llvm::SplitString(word, item.values, ", ");
  }
  // A flag that is refused with any value is refused later, whatever its variables would expand to.
  if (counts(*flag) && (flag->flagClass != FlagClass::Refused || !flag->neutral.empty()))
    for (StringRef value : item.values)
      if (Error error = checkExpanded(value, isMegatron))
        return error;
  if (name == "--megatron-args") {
    if (isMegatron)
      return badUsage("--megatron-args holds another --megatron-args");
    return splitMegatron(item.values[0]);
  }
  given.push_back(std::move(item));
  return Error::success();
}

/// Joins the tokens of a command substitution, such as `$(date +%s)`, to one word, as a shell would.
static SmallVector<StringRef> joinSubstitutions(ArrayRef<const char *> tokens, llvm::StringSaver &saver) {
  SmallVector<StringRef> words;
  for (size_t i = 0; i < tokens.size(); ++i) {
    std::string word = tokens[i];
    auto isOpen = [&] {
      return StringRef(word).contains("$(") && StringRef(word).count('(') > StringRef(word).count(')');
    };
    while (isOpen() && i + 1 < tokens.size())
      word += std::string(" ") + tokens[++i];
    words.push_back(saver.save(word));
  }
  return words;
}

Error CommandLineParser::splitMegatron(StringRef text) {
  fromMegatron = true;
  std::string joined = text.str(); // without the backslashes that continue lines
  for (size_t at = 0; (at = joined.find("\\\n", at)) != std::string::npos;)
    joined.replace(at, 2, "  ");
  SmallVector<const char *> tokens;
  llvm::cl::TokenizeGNUCommandLine(joined, saver, tokens);
  SmallVector<StringRef> arguments = joinSubstitutions(tokens, saver);
  // In `torchrun --nproc-per-node 8 pretrain_gpt.py --num-layers …` the arguments up to the script are the launcher's:
  // drop them.
  for (size_t i = arguments.size(); i-- > 0;)
    if (arguments[i].ends_with(".py") && (i == 0 || arguments[i - 1] != "--spec")) {
      options.notes.push_back(llvm::formatv("ignored of --megatron-args, up to the script: {0}",
                                            llvm::join(ArrayRef(arguments).take_front(i + 1), " ")));
      arguments.erase(arguments.begin(), arguments.begin() + i + 1);
      break;
    }
  return split(arguments, /*isMegatron=*/true);
}

Error CommandLineParser::setPositional(StringRef argument, bool isMegatron) {
  if (Error error = checkExpanded(argument, isMegatron))
    return error;
  if (isMegatron && argument.contains('=') && argument.split('=').first.contains('.'))
    return badUsage("--megatron-args takes flags, found '" + argument +
                    "', a setting of NeMo; write it as the Megatron flag of that name");
  if (isMegatron)
    return badUsage("--megatron-args takes flags, found '" + argument + "'");
  if (argument == "-")
    return badUsage("-: standard input is not read, since one input may be compiled twice; give the name of a .json or "
                    ".mlir file");
  if (argument.empty())
    return badUsage("the input's name is empty");
  if (!options.input.empty())
    return badUsage("one input at a time: found '" + argument + "' after '" + options.input + "'");
  options.input = argument.str();
  return Error::success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Reading and applying
//===--------------------------------------------------------------------------------------------------------------===//

Error CommandLineParser::readInput() {
  StringRef input = options.input;
  if (input.empty())
    return Error::success();
  if (const Preset *preset = findPreset(input)) {
    options.model = preset->getConfig();
    return Error::success();
  }
  // A folder as Hugging Face's hub downloads it has a config.json.
  std::string path = llvm::sys::fs::is_directory(input) ? (input + "/config.json").str() : input.str();
  StringRef extension = StringRef(path).rsplit('.').second;
  if (extension == "mlir" || extension == "mlirbc") {
    options.inputIsModule = true;
    return Error::success();
  }
  if (extension != "json") {
    SmallVector<StringRef> names;
    for (const Preset &preset : getPresets())
      names.push_back(preset.name);
    return badUsage("'" + input + "' is neither a preset (" + llvm::join(names, ", ") +
                    ") nor the name of a .json or .mlir file");
  }
  Expected<ModelConfig> config = readHuggingFaceConfig(path, options.notes);
  if (!config)
    return config.takeError();
  options.model = *config;
  return Error::success();
}

static Error refuse(const Given &item) {
  const Flag &flag = *item.flag;
  std::string written = flag.name.str();
  for (StringRef value : item.values)
    written += (" " + value).str();
  std::string works = flag.neutral.empty() ? "" : (" (" + flag.neutral + " is accepted)").str();
  return badInput(written + " is refused: " + flag.text + works);
}

/// Whether a refused flag's value asks for what Tx does anyway. `1` and `1.0` are the same value.
static bool isNeutral(const Given &item) {
  StringRef neutral = item.flag->neutral;
  if (neutral.empty() || item.values.size() != 1)
    return false;
  double value, expected;
  bool areNumbers = !item.values[0].getAsDouble(value) && !neutral.getAsDouble(expected);
  return item.values[0] == neutral || (areNumbers && value == expected);
}

/// If a flag is given several times, the last value counts, as in Python's argparse: scripts override their defaults in
/// this way. A note names all values, since the user may have repeated the flag by mistake.
void CommandLineParser::takeLast() {
  llvm::MapVector<const Flag *, SmallVector<const Given *, 1>> byFlag;
  for (const Given &item : given)
    byFlag[item.flag].push_back(&item);
  for (const auto &[flag, items] : byFlag) {
    if (flag->repeats)
      continue;
    SmallVector<std::string> values;
    for (const Given *item : items)
      values.push_back(llvm::join(item->values, ","));
    if (counts(*flag) && !llvm::all_equal(values))
      options.notes.push_back(llvm::formatv("{0} is given {1} times, with {2}: the last one counts", flag->name,
                                            values.size(), llvm::join(values, " and ")));
  }
  llvm::erase_if(given, [&](const Given &item) { return !item.flag->repeats && byFlag[item.flag].back() != &item; });
}

/// An error if two switches set one field to different values.
Error CommandLineParser::checkContradictions() {
  llvm::SmallDenseMap<StringRef, const Flag *> switches; // key: the field that the switch sets
  for (const Given &item : given) {
    if (item.flag->field.empty())
      continue;
    const Flag *other = switches.try_emplace(item.flag->field, item.flag).first->second;
    if (other->fieldValue != item.flag->fieldValue)
      return badUsage(other->name + " and " + item.flag->name + " contradict each other; give one of them");
  }
  return Error::success();
}

Error CommandLineParser::apply() {
  for (const Given &item : given) {
    const Flag &flag = *item.flag;
    if (flag.flagClass == FlagClass::Refused && !isNeutral(item))
      return refuse(item);
    if (flag.flagClass != FlagClass::Modelled)
      continue;
    bool describesModel = flag.group == FlagGroup::Model || flag.group == FlagGroup::Training;
    // Flags that a module leaves open: the seed, the library that computes attention, the number of ranks that share
    // the batch.
    bool isOpen = llvm::is_contained({"--seed", "--attention-backend", "--data-parallel-size"}, flag.name);
    if (options.inputIsModule && describesModel && !isOpen)
      return badUsage(flag.name + " describes a model, but the input is one already: " + options.input);
    if (Error error = flag.set(state, flag, item.values))
      return error;
    options.given.push_back(flag.name);
  }
  for (const Given &item : given)
    if (item.flag->flagClass == FlagClass::OneRank && options.parallel.dataParallelSize > 1)
      return refuse(item);
  noteIgnored();
  return Error::success();
}

void CommandLineParser::noteIgnored() {
  auto list = [&](std::initializer_list<FlagClass> classes, const char *format) {
    SmallVector<StringRef> names;
    for (const Given &item : given)
      if (llvm::is_contained(classes, item.flag->flagClass) && !llvm::is_contained(names, item.flag->name))
        names.push_back(item.flag->name);
    if (!names.empty())
      options.notes.push_back(llvm::formatv(format, llvm::join(names, " ")));
  };
  list({FlagClass::Run}, "ignored here, a run decides these (tx-run --help says which it has): {0}");
  list({FlagClass::Harmless, FlagClass::OneRank}, "ignored, these change nothing here: {0}");
}

Error CommandLineParser::checkOptimizer() {
  const OptimizerOptions &o = options.optimizer;
  auto check = [](bool isGood, const char *flag, double value, const char *allowed) {
    return isGood ? Error::success()
                  : badInput(llvm::formatv("{0} is {1}; it must be {2}", flag, show(value), allowed));
  };
  if (Error error = check(o.weightDecay >= 0, "--weight-decay", o.weightDecay, "at least 0"))
    return error;
  if (Error error = check(o.clipGrad >= 0, "--clip-grad", o.clipGrad, "at least 0 (0 turns clipping off)"))
    return error;
  if (Error error = check(o.adamBeta1 >= 0 && o.adamBeta1 < 1, "--adam-beta1", o.adamBeta1, "at least 0 and below 1"))
    return error;
  if (Error error = check(o.adamBeta2 >= 0 && o.adamBeta2 < 1, "--adam-beta2", o.adamBeta2, "at least 0 and below 1"))
    return error;
  return check(o.adamEps > 0, "--adam-eps", o.adamEps, "above 0");
}

/// Sets what flags of the model say together.
Error CommandLineParser::finishModel() {
  ModelConfig &model = options.model;
  // Megatron counts --num-query-groups, whose default is 1, only beside --group-query-attention.
  bool describesAlone = options.input.empty();
  bool isGrouped = model.numKeyValueHeads != ModelConfig::kUnset && model.numKeyValueHeads != model.numAttentionHeads;
  if (state.groupsQueries && (state.queryGroups || describesAlone))
    model.numKeyValueHeads = state.queryGroups.value_or(1);
  else if (state.queryGroups && !describesAlone && (isGrouped || state.queryGroups != 1))
    model.numKeyValueHeads = *state.queryGroups;
  else if (state.queryGroups && describesAlone && state.queryGroups != 1 &&
           state.queryGroups != model.numAttentionHeads)
    return badUsage(llvm::formatv("--num-query-groups {0} needs --group-query-attention, as in Megatron; add it",
                                  *state.queryGroups));
  if (state.hasNoBiases)
    model.setBiases(false);
  if (state.hasQkvBias)
    model.qkvBias = true;
  if (!state.padsVocabulary)
    model.vocabDivisor = 1;
  if (state.geluByErf && !state.geluByTanh && model.activation == Activation::Gelu)
    return badInput("--no-bias-gelu-fusion is refused: with it Megatron computes GELU by erf, and Tx has the tanh "
                    "form alone; leave it out, or add --openai-gelu for that form");
  return finishPositions();
}

Error CommandLineParser::finishPositions() {
  ModelConfig &model = options.model;
  RopeConfig &rope = model.rope;
  if (state.isRotary)
    model.positions = PositionEmbedding::Rope;
  if (state.hasNoTable && model.positions == PositionEmbedding::LearnedAbsolute)
    return badInput("--no-position-embedding is refused with learned_absolute positions; say --position-embedding-type "
                    "none or rope");
  if (state.scalesRope && state.interpolationFactor)
    return badUsage(
        "--use-rope-scaling and --rotary-seq-len-interpolation-factor are two scalings of rotary positions; "
        "give one of them");
  auto scale = [&](RopeScaling scaling, double factor) {
    RopeConfig scaled;
    scaled.theta = rope.theta, scaled.percent = rope.percent, scaled.interleaved = rope.interleaved;
    scaled.scaling = scaling, scaled.factor = factor;
    rope = scaled;
  };
  if (state.scalesRope) {
    // With the constants of LLaMA 3.1, as Megatron has them.
    scale(RopeScaling::Llama3, state.ropeScalingFactor.value_or(8.0));
    rope.originalPositions = 8192;
  } else if (state.interpolationFactor) {
    scale(RopeScaling::Linear, *state.interpolationFactor);
  } else if (state.ropeScalingFactor && rope.scaling != RopeScaling::Default) {
    rope.factor = *state.ropeScalingFactor;
  } else if (state.ropeScalingFactor && model.positions == PositionEmbedding::Rope) {
    options.notes.push_back("--rope-scaling-factor has no effect without --use-rope-scaling, as in Megatron");
  }
  if (model.positions == PositionEmbedding::Rope)
    return Error::success();
  SmallVector<StringRef> useless;
  for (StringRef flag : options.given)
    if (llvm::is_contained({"--rotary-base", "--rotary-percent", "--rotary-interleaved", "--use-rope-scaling",
                            "--rope-scaling-factor", "--rotary-seq-len-interpolation-factor"},
                           flag))
      useless.push_back(flag);
  if (!useless.empty())
    options.notes.push_back(
        llvm::formatv("positions are {0}, which have no use for {1}; --position-embedding-type rope "
                      "would",
                      stringifyPositionEmbedding(model.positions), llvm::join(useless, ", ")));
  return Error::success();
}

/// Notes what a user may not expect of the model's form. The model is resolved; `family` is that of the input, if it
/// has one.
void CommandLineParser::noteForm(StringRef family) {
  const ModelConfig &model = options.model;
  if (!family.empty() && model.type != family)
    options.notes.push_back(
        llvm::formatv("with these flags the model is of the family {0}, no longer of {1}: its weights "
                      "are saved for that one",
                      model.type, family));
  if (model.positions == PositionEmbedding::Rope && model.seqLength > model.maxPositionEmbeddings)
    options.notes.push_back(
        llvm::formatv("--seq-length {0} is above max_position_embeddings {1}: rotary positions go on", model.seqLength,
                      model.maxPositionEmbeddings));
  if (std::string misfit = describeMisfit(model); !misfit.empty())
    options.notes.push_back("no class of Hugging Face has this form (" + misfit +
                            "): its weights are saved without a config.json");
}

Error CommandLineParser::finish() {
  if (Error error = checkOptimizer())
    return error;
  if (options.model.seed < 0)
    return badInput(llvm::formatv("--seed is {0}; it must be at least 0", options.model.seed));
  if (state.useFlashAttention && options.model.attentionBackend == AttentionBackend::Unfused)
    return badUsage("--use-flash-attn and --attention-backend unfused contradict each other; give one of them");
  // --attention-backend says two things: which attention op the model has, and whether a library of the target computes
  // it.
  AttentionBackend attention = options.model.attentionBackend;
  bool isByOldName = state.useFlashAttention && attention == AttentionBackend::Auto;
  options.libraries.attention = isByOldName ? AttentionBackend::Flash : attention;
  if (options.inputIsModule && attention == AttentionBackend::Unfused)
    return badInput("--attention-backend unfused is refused: the input has its attention ops already: " +
                    options.input + "; auto, flash and fused say who computes tx.flash_attention");
  if (options.inputIsModule)
    return Error::success();
  if (Error error = finishModel())
    return error;
  bool isAuto = attention == AttentionBackend::Auto;
  std::string family = options.model.type;
  if (Error error = resolve(options.model))
    return error;
  if (isByOldName && options.model.attentionBackend != AttentionBackend::Flash)
    return badInput("--use-flash-attn is refused: " + findFlashObstacle(options.model) + "; leave it out");
  // People expect flash attention, so a note says when `auto` has chosen unfused.
  if (isAuto && options.model.attentionBackend != AttentionBackend::Flash)
    options.notes.push_back(llvm::formatv("attention is {0}, not flash: {1}",
                                          stringifyAttentionBackend(options.model.attentionBackend),
                                          findFlashObstacle(options.model)));
  noteForm(family);
  if (fromMegatron && state.padsVocabulary && options.model.vocabSize % 128 != 0)
    options.notes.push_back(llvm::formatv("the vocabulary stays at {0}, where Megatron pads it to a multiple of 128 "
                                          "by default: --make-vocab-size-divisible-by 128 does the same",
                                          options.model.vocabSize));
  return Error::success();
}

Expected<CompileOptions> tx::parseCommandLine(ArrayRef<StringRef> arguments) {
  return CommandLineParser().parse(arguments);
}
