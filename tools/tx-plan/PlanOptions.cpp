//===- PlanOptions.cpp - tx-plan's command line -------------------------------------------------------------------===//

#include "PlanOptions.h"

#include "tx/Frontend/Flags.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace tx;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

//===--------------------------------------------------------------------------------------------------------------===//
// The tool's own flags
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

struct OwnFlag {
  StringRef name, metavar; ///< no metavar: a switch
  const char *help;
  Error (*set)(PlanOptions &options, StringRef name, StringRef value);
};

} // namespace

static Error readCount(StringRef name, StringRef value, std::optional<int64_t> &count) {
  int64_t number = 0;
  if (value.getAsInteger(10, number) || number < 1)
    return badUsage(name + " takes a whole number of at least 1; found '" + value + "'");
  count = number;
  return Error::success();
}

static const OwnFlag kOwnFlags[] = {
    {"--device", "NAME|FILE.json",
     "The machine to plan for: a name (a100-40g, a100-80g, h100, h200, b200, gb200, mi300x, cpu), or a file as "
     "tx-run --bench --write-device makes it. docs/Devices.md says how to describe one. --target is the device's "
     "unless "
     "it is given.",
     [](PlanOptions &options, StringRef, StringRef value) -> Error {
       options.deviceName = value.str();
       Expected<plan::Device> device = plan::findDevice(value);
       if (!device)
         return device.takeError();
       options.device = std::move(*device);
       return Error::success();
     }},
    {"--global-batch-size", "N",
     "Samples between two updates of the parameters, for all rows. Default: the largest micro batch that fits. Only "
     "micro batches that divide it are planned.",
     [](PlanOptions &options, StringRef name, StringRef value) {
       return readCount(name, value, options.globalBatchSize);
     }},
    {"--train-samples", "N", "How many samples a whole training takes: adds the device-hours of each row.",
     [](PlanOptions &options, StringRef name, StringRef value) {
       return readCount(name, value, options.trainSamples);
     }},
    {"--choose", "ROW", "The row whose flags are printed. Default: the best, marked with a star.",
     [](PlanOptions &options, StringRef name, StringRef value) { return readCount(name, value, options.chosenRow); }},
    {"--explain", "NAME",
     "Why the chosen row keeps or recomputes a value, or all values of a module, and what freeing it alone would cost: "
     "mlp.fc1 is that of every layer, layers.3.mlp that module of one.",
     [](PlanOptions &options, StringRef, StringRef value) {
       options.explain = value.str();
       return value.empty() ? badUsage("--explain takes the name of a value, as mlp.fc1") : Error::success();
     }},
    {"--json", "", "Print everything as JSON.",
     [](PlanOptions &options, StringRef, StringRef) -> Error {
       options.form = PlanOptions::Form::Json;
       return Error::success();
     }},
    {"--csv", "", "Print the rows as CSV.",
     [](PlanOptions &options, StringRef, StringRef) -> Error {
       options.form = PlanOptions::Form::Csv;
       return Error::success();
     }},
    {"--help", "", "This text.",
     [](PlanOptions &options, StringRef, StringRef) -> Error {
       options.help = true;
       return Error::success();
     }},
    {"--help-markdown", "", "The same as a page of docs/Reference.",
     [](PlanOptions &options, StringRef, StringRef) -> Error {
       options.helpMarkdown = true;
       return Error::success();
     }},
    {"--version", "", "The version.",
     [](PlanOptions &options, StringRef, StringRef) -> Error {
       options.version = true;
       return Error::success();
     }},
};

//===--------------------------------------------------------------------------------------------------------------===//
// Parsing
//===--------------------------------------------------------------------------------------------------------------===//

/// Takes the tool's own flags out of the arguments; `others` gets all the rest.
static Error takeOwn(llvm::ArrayRef<StringRef> arguments, PlanOptions &options,
                     llvm::SmallVectorImpl<StringRef> &others) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    StringRef name = arguments[i].split('=').first, value = arguments[i].split('=').second;
    const OwnFlag *flag = llvm::find_if(kOwnFlags, [&](const OwnFlag &own) { return own.name == name; });
    if (flag == std::end(kOwnFlags)) {
      others.push_back(arguments[i]);
      continue;
    }
    bool hasValue = name.size() < arguments[i].size();
    if (flag->metavar.empty() && hasValue)
      return badUsage(name + " is a switch and takes no value");
    if (!flag->metavar.empty() && !hasValue) {
      if (i + 1 == arguments.size())
        return badUsage(name + " needs a value: " + name + " " + flag->metavar);
      value = arguments[++i];
    }
    if (Error error = flag->set(options, name, value))
      return error;
  }
  return Error::success();
}

/// The target that runs on a known device. One that Tx generates no code for is planned as if it had the kernels and
/// libraries of sm_90.
static StringRef getTarget(StringRef device) {
  for (auto [prefix, target] : {std::pair("cpu", "host"), std::pair("a100", "cuda:sm_80"),
                                std::pair("b200", "cuda:sm_100"), std::pair("gb200", "cuda:sm_100")})
    if (device.starts_with(prefix))
      return target;
  return "cuda:sm_90";
}

/// Chooses the target by the device, unless --target was given.
static Error chooseTarget(PlanOptions &options) {
  OutputOptions &output = options.compile.output;
  output.device = options.deviceName;
  if (llvm::is_contained(options.compile.given, "--target"))
    return Error::success();
  if (!llvm::is_contained(plan::getDeviceNames(), options.deviceName))
    return badUsage("--device " + options.deviceName +
                    ": a file does not say what runs the step; add --target host or --target cuda:sm_90");
  output.target = getTarget(options.deviceName).str();
  return Error::success();
}

/// Flags that ask tx-compile for files or other output.
static Error refuseOutputs(const OutputOptions &output) {
  for (auto [flag, value] :
       {std::pair("-o", &output.artifactFile), std::pair("--report", &output.reportFile),
        std::pair("--compile-to", &output.compileTo), std::pair("--verify-twin", &output.verifyTwinFile)})
    if (!value->empty())
      return badUsage(llvm::Twine(flag) + " is tx-compile's; tx-plan only prints what policies cost");
  if (output.printModelConfig)
    return badUsage("--print-model-config is tx-compile's; tx-plan only prints what policies cost");
  return Error::success();
}

static bool asksForRecompute(const CompileOptions &options) {
  return llvm::any_of(options.given, [](StringRef name) {
    const Flag *flag = findFlag(name);
    return flag && flag->group == FlagGroup::Recompute;
  });
}

Expected<PlanOptions> tx::parsePlanOptions(llvm::ArrayRef<StringRef> arguments) {
  PlanOptions options;
  llvm::SmallVector<StringRef> others;
  if (Error error = takeOwn(arguments, options, others))
    return std::move(error);
  if (options.help || options.helpMarkdown || options.version)
    return options;
  if (options.deviceName.empty())
    return badUsage("say for which machine: --device NAME or --device FILE.json; known: " +
                    llvm::join(plan::getDeviceNames(), ", "));
  Expected<CompileOptions> compile = parseCommandLine(others);
  if (!compile)
    return compile.takeError();
  options.compile = std::move(*compile);
  if (Error error = refuseOutputs(options.compile.output))
    return std::move(error);
  const std::vector<StringRef> &given = options.compile.given;
  if (Error error = chooseTarget(options))
    return std::move(error);
  options.hasMicroBatchSize = llvm::is_contained(given, "--micro-batch-size") || options.compile.inputIsModule;
  options.hasPolicy = asksForRecompute(options.compile);
  return options;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Help
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr const char *kIntroduction =
    "tx-plan says which recompute policy fits, what it costs and how long a step takes, on a machine that need not be "
    "there. It takes the flags of tx-compile that describe a model (a preset, a config.json or Megatron's flags), and "
    "these.";
static constexpr const char *kUsage = "tx-plan MODEL --device NAME [flags]";
static constexpr const char *kExits = "0 done, 1 bad input, 2 usage, 7 a file could not be read.";
static constexpr std::pair<const char *, const char *> kExamples[] = {
    {"Which policy on one GPU", "tx-plan llama3.2-1b --device h100 --seq-length 8192 --bf16"},
    {"Hours of a training",
     "tx-plan gpt2-124m --device a100-40g --bf16 --global-batch-size 512 --train-samples 10000000"},
    {"Why a value is kept", "tx-plan gpt2-124m --device h100 --micro-batch-size 8 --explain mlp.fc1"},
};

static void printWrapped(llvm::raw_ostream &os, StringRef text, unsigned indent) {
  constexpr size_t kWidth = 100;
  std::string line;
  for (StringRef word : llvm::split(text, ' ')) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kWidth) {
      os.indent(indent) << line << '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word.str();
  }
  os.indent(indent) << line << '\n';
}

void tx::printPlanHelp(llvm::raw_ostream &os) {
  os << "usage: " << kUsage << "\n\n";
  printWrapped(os, kIntroduction, 0);
  os << "\nExamples\n";
  for (auto [title, command] : kExamples)
    os << "  # " << title << "\n  " << command << '\n';
  os << '\n';
  for (const OwnFlag &flag : kOwnFlags) {
    os << "  " << flag.name << (flag.metavar.empty() ? "" : " ") << flag.metavar << '\n';
    printWrapped(os, flag.help, 6);
  }
  os << "\ntx-compile --help explains the flags of the model.\nExit status: " << kExits << '\n';
}

void tx::printPlanMarkdown(llvm::raw_ostream &os) {
  os << "# tx-plan\n\n<!-- Written by `tx-plan --help-markdown`. -->\n\n`" << kUsage << "`\n\n"
     << kIntroduction << " [How to read what it prints](../Planning.md).\n\n";
  for (auto [title, command] : kExamples)
    os << "- " << title << ": `" << command << "`\n";
  os << "\n| flag | |\n|---|---|\n";
  for (const OwnFlag &flag : kOwnFlags) {
    std::string signature = (flag.name + (flag.metavar.empty() ? "" : " ") + flag.metavar).str();
    for (size_t at = 0; (at = signature.find('|', at)) != std::string::npos; at += 2)
      signature.insert(at, "\\");
    os << "| `" << signature << "` | " << flag.help << " |\n";
  }
  os << "\nExit status: " << kExits << '\n';
}
