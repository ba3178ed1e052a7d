//===- Help.cpp - Help texts and the reference page ---------------------------------------------------------------===//

#include "tx/Frontend/Help.h"
#include "tx/Frontend/Flags.h"
#include "tx/Frontend/Presets.h"

#include "llvm/ADT/StringExtras.h"

using namespace tx;
using llvm::ArrayRef;
using llvm::raw_ostream;
using llvm::SmallVector;
using llvm::StringRef;

/// Prints text wrapped at column 88; each line begins with `indent` spaces.
static void printWrapped(raw_ostream &os, StringRef text, unsigned indent) {
  constexpr unsigned kColumns = 88;
  SmallVector<StringRef> words;
  text.split(words, ' ', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  unsigned column = 0;
  for (StringRef word : words) {
    if (column != 0 && column + 1 + word.size() > kColumns)
      os << '\n', column = 0;
    if (column == 0)
      os.indent(indent), column = indent;
    else
      os << ' ', ++column;
    os << word;
    column += word.size();
  }
  if (column != 0)
    os << '\n';
}

static std::string helpOf(const Flag &flag, ArrayRef<StageHelp> stages) {
  std::string text = flag.text.str();
  SmallVector<std::string> shown;
  for (const StageHelp &stage : stages)
    if (flag.name == "--add-passes-after" || (flag.name == "--compile-to" && stage.isPhase))
      shown.push_back((stage.name + ": " + stage.summary).str());
  if (!shown.empty())
    text += " " + llvm::join(shown, "; ");
  if (flag.getChoices && flag.arity == FlagArity::List)
    text += " " + llvm::join(flag.getChoices(), ", ") + ".";
  return text;
}

static constexpr const char *kUsage = "tx-compile [INPUT] [FLAGS]";
static constexpr const char *kIntroduction =
    "Compiles a decoder's training step ahead of time: GPT-2, LLaMA, Mistral, Qwen. INPUT is a preset, a Hugging Face "
    "config.json (or the folder that has it), or a .mlir file, as --compile-to prints it for any phase but step; "
    "without it flags describe the model. "
    "Flags are written --flag VALUE or --flag=VALUE, "
    "lists with commas or spaces (-- ends a list).";

static const struct {
  const char *title, *command;
} kExamples[] = {
    {"What would it cost, for any size", "tx-compile gpt3-175b --recompute-granularity full --report plan.json"},
    {"A model of Hugging Face's", "tx-compile folder-of/llama-3.2-1b --seq-length 512 --bf16 -o step.txa"},
    {"A step for this machine", "tx-compile gpt2-124m --seq-length 64 --micro-batch-size 4 -o step.txa"},
    {"The model as IR", "tx-compile config.json --compile-to=model"},
};

void tx::printHelp(raw_ostream &os, ArrayRef<StageHelp> stages) {
  os << "usage: " << kUsage << "\n\n";
  printWrapped(os, kIntroduction, 0);
  os << "\nExamples\n";
  for (const auto &example : kExamples)
    os << "  # " << example.title << '\n' << "  " << example.command << '\n';
  os << "\nPresets\n";
  for (const Preset &preset : getPresets())
    os << "  " << llvm::left_justify(preset.name, 15) << preset.help << '\n';
  for (const FlagGroupInfo &group : getFlagGroups()) {
    os << '\n' << group.title << '\n';
    printWrapped(os, group.text, 2);
    for (const Flag &flag : getFlags()) {
      if (flag.group != group.group)
        continue;
      os << "  " << flag.getSignature() << '\n';
      printWrapped(os, helpOf(flag, stages), 6);
    }
  }
  os << "\nExit status: 0 done, 1 bad input, 2 usage, 7 a file could not be read or written.\n";
}

/// Lists the flags of a class; if `reason` is not empty, only those with this reason.
static std::string listFlags(FlagClass flagClass, StringRef reason, const char *quote) {
  SmallVector<std::string> names;
  for (const Flag &flag : getFlags())
    if (flag.flagClass == flagClass && (reason.empty() || flag.text == reason))
      names.push_back(quote + (flag.neutral.empty() ? flag.name.str() : (flag.name + "=" + flag.neutral).str()) +
                      quote);
  return llvm::join(names, " ");
}

static SmallVector<StringRef> getReasons() {
  SmallVector<StringRef> reasons;
  for (const Flag &flag : getFlags())
    if (flag.flagClass == FlagClass::Refused && !llvm::is_contained(reasons, flag.text))
      reasons.push_back(flag.text);
  return reasons;
}

static constexpr const char *kRefusedText =
    "Refused by name, since they would change the model, the memory, the layout or what a run computes; with a value "
    "after = that value is accepted";

void tx::printMegatronHelp(raw_ostream &os) {
  os << "What has an effect is in --help. Names are spelled in full, as Megatron wants them, too.\n\nA run decides "
        "these, ignored by tx-compile (tx-run --help says which it has)\n";
  printWrapped(os, listFlags(FlagClass::Run, "", ""), 2);
  os << "\nChanges nothing here, ignored\n";
  printWrapped(os, listFlags(FlagClass::Harmless, "", ""), 2);
  os << "\nDivides work among data-parallel ranks: ignored with one of them, refused with more\n";
  printWrapped(os, listFlags(FlagClass::OneRank, "", ""), 2);
  os << '\n';
  printWrapped(os, kRefusedText, 0);
  for (StringRef reason : getReasons()) {
    printWrapped(os, reason, 2);
    printWrapped(os, listFlags(FlagClass::Refused, reason, ""), 6);
  }
}

void tx::printMarkdown(raw_ostream &os, ArrayRef<StageHelp> stages) {
  os << "# tx-compile\n\n<!-- Written by `tx-compile --help-markdown`. -->\n\n`" << kUsage << "`\n\n"
     << kIntroduction << "\n\n";
  for (const auto &example : kExamples)
    os << "- " << example.title << ": `" << example.command << "`\n";
  os << "\n| preset | |\n|---|---|\n";
  for (const Preset &preset : getPresets())
    os << "| `" << preset.name << "` | " << preset.help << " |\n";
  for (const FlagGroupInfo &group : getFlagGroups()) {
    os << "\n## " << group.title << "\n\n";
    if (!group.text.empty())
      os << group.text << "\n\n";
    os << "| flag | |\n|---|---|\n";
    for (const Flag &flag : getFlags()) {
      if (flag.group != group.group)
        continue;
      std::string name = flag.getSignature();
      for (size_t at = 0; (at = name.find('|', at)) != std::string::npos; at += 2)
        name.replace(at, 1, "\\|");
      os << "| `" << name << "` | " << helpOf(flag, stages) << " |\n";
    }
  }
  os << "\n## Megatron's other flags\n\nNames are spelled in full, as Megatron wants them, too. Ignored here, since a "
        "run "
        "decides them ([tx-run](tx-run.md) says which it has): "
     << listFlags(FlagClass::Run, "", "`")
     << ".\n\nIgnored, they change nothing here: " << listFlags(FlagClass::Harmless, "", "`")
     << ".\n\nThey divide work among data-parallel ranks; ignored with one of them, refused with more: "
     << listFlags(FlagClass::OneRank, "", "`") << ".\n\n"
     << kRefusedText << ":\n\n";
  for (StringRef reason : getReasons())
    os << "- " << reason << ": " << listFlags(FlagClass::Refused, reason, "`") << "\n";
}
