//===- main.cpp - tx-plan -----------------------------------------------------------------------------------------===//
//
// tx-plan prints what each recompute policy of a model costs on a machine: bytes, seconds, and what to choose.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Output.h"
#include "TxVersion.inc"

#include "tx/Pipeline/Register.h"
#include "tx/Support/Tool.h"
#include "tx/Support/UserError.h"

#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/raw_ostream.h"

using namespace tx;

namespace {

/// One line on standard error that says what is planned now; only on a terminal.
class ProgressLine {
public:
  void show(llvm::StringRef text) {
    if (isTerminal)
      llvm::errs() << "\r\33[K" << text.take_front(79);
  }
  ~ProgressLine() { clear(); }
  void clear() {
    if (isTerminal)
      llvm::errs() << "\r\33[K";
  }

private:
  bool isTerminal = llvm::sys::Process::StandardErrIsDisplayed();
};

} // namespace

/// The row that --choose names, else the best one.
static llvm::Expected<const PlanRow *> chooseRow(const PlanTable &table, const PlanOptions &options) {
  if (!options.chosenRow)
    return table.getBest();
  if (*options.chosenRow > static_cast<int64_t>(table.rows.size()))
    return badUsage(llvm::formatv("--choose {0}: there are rows 1 to {1}", *options.chosenRow, table.rows.size()));
  return &table.rows[*options.chosenRow - 1];
}

static llvm::Expected<PlanAnswer> answer(const PlanOptions &options) {
  ProgressLine line;
  auto progress = [&](llvm::StringRef text) { line.show(text); };
  PlanAnswer result;
  llvm::Expected<PlanTable> table = makePlanTable(options, progress);
  if (!table)
    return table.takeError();
  result.table = std::move(*table);
  llvm::Expected<const PlanRow *> chosen = chooseRow(result.table, options);
  if (!chosen)
    return chosen.takeError();
  result.chosen = *chosen;
  if (!options.explain.empty()) {
    // Where nothing fits, the explanation is about the row that needs least.
    const PlanRow &row = result.chosen ? *result.chosen : result.table.getLeast();
    llvm::Expected<Explanation> explanation = explain(options, row, progress);
    if (!explanation)
      return explanation.takeError();
    result.explanation = std::move(*explanation);
  }
  return result;
}

static llvm::Error run(llvm::ArrayRef<llvm::StringRef> arguments) {
  llvm::Expected<PlanOptions> options = parsePlanOptions(arguments);
  if (!options)
    return options.takeError();
  if (options->help)
    printPlanHelp(llvm::outs());
  else if (options->helpMarkdown)
    printPlanMarkdown(llvm::outs());
  else if (options->version)
    llvm::outs() << "tx-plan " TX_VERSION "\n";
  if (options->help || options->helpMarkdown || options->version)
    return llvm::Error::success();
  for (const std::string &note : options->compile.notes)
    printNote(note);
  if (!options->compile.plugins.addedPasses.empty())
    registerAllPasses();
  llvm::Expected<PlanAnswer> found = answer(*options);
  if (!found)
    return found.takeError();
  switch (options->form) {
  case PlanOptions::Form::Text:
    printText(llvm::outs(), *found, *options);
    break;
  case PlanOptions::Form::Json:
    printJson(llvm::outs(), *found, *options);
    break;
  case PlanOptions::Form::Csv:
    printCsv(llvm::outs(), *found, *options);
    break;
  }
  return llvm::Error::success();
}

int main(int argc, char **argv) { return runTool(argc, argv, run); }
