//===- NamedPipelines.cpp - The way to each phase, for tx-opt -----------------------------------------------------===//
//
// `tx-opt model.mlir --tx-to-step="target=cuda:sm_90 granularity=full"` is what tx-compile does with the flags --target
// and --recompute-granularity. A pipeline's options are the flags of the stages on its way, and are read as tx-compile
// reads its command line: there is one table of flags, and one place that checks them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Frontend/Flags.h"
#include "tx/Pipeline/Pipelines.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

#include <list>

using namespace mlir;
using namespace tx;

/// The pipeline's option for a flag. Recompute flags have the names that tx-rematerialize's options have
/// (--recompute-modules is `modules`), others the flag's own.
static StringRef getOptionName(const Flag &flag) {
  StringRef name = flag.name.drop_front(StringRef("--").size());
  if (flag.group == FlagGroup::Recompute && flag.arity != FlagArity::Switch)
    name.consume_front("recompute-");
  return name;
}

static bool takesFlag(ArrayRef<Stage> stages, const Flag &flag) {
  return llvm::any_of(stages, [&](const Stage &stage) { return stage.takesFlag(flag); });
}

namespace {

/// The options of a pipeline that runs `stages`: one for each flag that they read.
class PipelineOptions : public PassPipelineOptions<PipelineOptions> {
public:
  explicit PipelineOptions(ArrayRef<Stage> stages) {
    for (const Flag &flag : getFlags()) {
      if (!takesFlag(stages, flag))
        continue;
      texts.push_back("as " + flag.name.str() + " of tx-compile");
      llvm::cl::desc description(texts.back());
      if (flag.arity == FlagArity::Switch)
        switches.emplace_back(
            &flag, std::make_unique<Option<bool>>(*this, getOptionName(flag), description, llvm::cl::init(false)));
      else
        values.emplace_back(&flag, std::make_unique<Option<std::string>>(*this, getOptionName(flag), description));
    }
  }

  /// The options that were given, as arguments of tx-compile.
  std::vector<std::string> getArguments() const {
    std::vector<std::string> arguments;
    for (const auto &[flag, option] : values)
      if (option->hasValue())
        arguments.push_back(flag->name.str() + "=" + option->getValue());
    for (const auto &[flag, option] : switches)
      if (option->getValue())
        arguments.push_back(flag->name.str());
    return arguments;
  }

private:
  std::list<std::string> texts; // the options' descriptions; options only keep references to them
  std::vector<std::pair<const Flag *, std::unique_ptr<Option<std::string>>>> values;
  std::vector<std::pair<const Flag *, std::unique_ptr<Option<bool>>>> switches;
};

} // namespace

/// Parses the text of a pipeline's options, and reads and checks them as the flags of tx-compile that they stand for.
static llvm::Expected<CompileOptions> readOptions(ArrayRef<Stage> stages, StringRef text) {
  PipelineOptions options(stages);
  std::string message;
  llvm::raw_string_ostream stream(message);
  if (failed(options.parseFromString(text, stream)))
    return llvm::createStringError(StringRef(message).rtrim());
  std::vector<std::string> given = options.getArguments();
  SmallVector<StringRef> arguments = {"input.mlir"}; // nobody reads it: it only says that the input is a module
  llvm::append_range(arguments, given);
  return parseCommandLine(arguments);
}

void tx::registerPipelines() {
  ArrayRef<Stage> all = getStages();
  for (size_t count = 2; count <= all.size(); ++count) {
    ArrayRef<Stage> stages = all.take_front(count);
    if (!stages.back().isPhase)
      continue;
    std::string name = ("tx-to-" + stages.back().name).str();
    std::string summary = ("from the model to the " + stages.back().name + " phase").str();
    auto build = [=](OpPassManager &manager, StringRef text,
                     llvm::function_ref<LogicalResult(const Twine &)> emitError) -> LogicalResult {
      llvm::Expected<CompileOptions> options = readOptions(stages, text);
      llvm::Error error = options ? addStages(stages, *options, manager) : options.takeError();
      return error ? emitError("--" + name + ": " + llvm::toString(std::move(error))) : success();
    };
    registerPassPipeline(name, summary, build, [=](auto show) { show(PipelineOptions(stages)); });
  }
}
