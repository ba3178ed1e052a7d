//===- PlanOptions.h - tx-plan's command line ---------------------------------------------------------------*- C++
//-*-===//
//
// tx-plan takes the flags of tx-compile that describe a model and a target, and some of its own.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXPLAN_PLANOPTIONS_H
#define TXPLAN_PLANOPTIONS_H

#include "tx/Frontend/CompileOptions.h"
#include "tx/Plan/Device.h"

#include <optional>

namespace tx {

struct PlanOptions {
  CompileOptions compile; ///< the model, the target, and a recompute policy if one was given
  plan::Device device;
  std::string deviceName; ///< as it was given

  bool hasMicroBatchSize = false; ///< --micro-batch-size was given: only this size is planned
  bool hasPolicy = false;         ///< recompute flags were given: they are a row of their own
  std::optional<int64_t> globalBatchSize, trainSamples;
  std::optional<int64_t> chosenRow; ///< --choose: the number of a row
  std::string explain;              ///< the name of a value

  enum class Form { Text, Json, Csv } form = Form::Text;
  bool help = false, helpMarkdown = false, version = false;
};

llvm::Expected<PlanOptions> parsePlanOptions(llvm::ArrayRef<llvm::StringRef> arguments);

/// Prints the help, as text or as docs/Reference/tx-plan.md.
void printPlanHelp(llvm::raw_ostream &os);
void printPlanMarkdown(llvm::raw_ostream &os);

} // namespace tx

#endif // TXPLAN_PLANOPTIONS_H
