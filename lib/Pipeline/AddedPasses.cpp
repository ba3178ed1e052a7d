//===- AddedPasses.cpp - Passes that a person puts between the stages ---------------------------------------------===//

#include "AddedPasses.h"

#include "tx/Pipeline/PassPlugin.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Support/UserError.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tx;

llvm::SmallVector<AddedPasses> tx::splitAddedPasses(const PluginOptions &options) {
  return llvm::map_to_vector(options.addedPasses, [](const std::string &text) {
    auto [stage, pipeline] = StringRef(text).split(':');
    // Users may copy the text that tx-opt's --pass-pipeline takes, with its `builtin.module(...)`.
    if (StringRef inner = pipeline; inner.consume_front("builtin.module(") && inner.consume_back(")"))
      pipeline = inner;
    return AddedPasses{stage, pipeline};
  });
}

/// Finds the message in what MLIR's parser of pipelines printed: a place, `error: `, the message; then the text and a
/// mark below it.
static std::string findMessage(StringRef printed) {
  StringRef line = printed.split('\n').first;
  return line.contains("error: ") ? line.split("error: ").second.str() : line.str();
}

llvm::Error tx::loadPlugins(const PluginOptions &options, StringRef lastStage) {
  for (const std::string &file : options.files)
    if (llvm::Error error = loadPassPlugin(file))
      return error;
  for (const AddedPasses &added : splitAddedPasses(options)) {
    std::string flag = ("--add-passes-after " + added.stage).str();
    SmallVector<StringRef> stages = getStageNames();
    if (!llvm::is_contained(stages, added.stage))
      return badUsage("--add-passes-after takes STAGE:PIPELINE, where STAGE is one of " + llvm::join(stages, ", ") +
                      "; found '" + added.stage + "'");
    if (findStage(added.stage) > findStage(lastStage))
      return badUsage(flag + ": nothing that is asked for goes further than --compile-to " + lastStage);
    if (added.pipeline.trim().empty())
      return badUsage(flag + " names no pass; write " + flag + ":PASS, as tx-opt --help lists them");
    OpPassManager manager(ModuleOp::getOperationName());
    std::string printed;
    llvm::raw_string_ostream stream(printed);
    if (failed(parsePassPipeline(added.pipeline, manager, stream)))
      return badUsage(flag + ": " + findMessage(printed));
  }
  return llvm::Error::success();
}

bool tx::addPassesAfter(StringRef stage, const PluginOptions &options, OpPassManager &manager) {
  bool isAny = false;
  for (const AddedPasses &added : splitAddedPasses(options)) {
    if (added.stage != stage)
      continue;
    LogicalResult parsed = parsePassPipeline(added.pipeline, manager, llvm::errs());
    assert(succeeded(parsed) && "loadPlugins has parsed it before");
    isAny |= succeeded(parsed);
  }
  return isAny;
}
