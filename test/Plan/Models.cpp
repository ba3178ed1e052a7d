//===- Models.cpp - Models as a plain step, and on their way through the stages -----------------------------------===//

#include "Models.h"

#include "tx/Pipeline/Pipelines.h"
#include "tx/Pipeline/Register.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/STLExtras.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tx;

Model::Model(const Flags &flags) {
  DialectRegistry registry;
  registerAllDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  std::vector<llvm::StringRef> arguments(flags.begin(), flags.end());
  arguments.insert(arguments.end(), {"--compile-to", "step"});
  options = llvm::cantFail(parseCommandLine(arguments));
  module = llvm::cantFail(loadModel(context, options));
  run(*module, "parallel", "entries");
  read = *readStep(*module, ReadNames::Yes);
}

void Model::run(ModuleOp on, llvm::StringRef first, llvm::StringRef last) {
  PassManager manager(&context);
  llvm::cantFail(
      addStages(getStages().slice(findStage(first), findStage(last) + 1 - findStage(first)), options, manager));
  EXPECT_TRUE(succeeded(manager.run(on)));
}

Flags tx::drawModel(std::mt19937_64 &random) {
  auto between = [&](int first, int last) { return first + static_cast<int>(random() % (last - first + 1)); };
  int heads = between(1, 3), layers = between(1, 5);
  Flags flags;
  auto add = [&](const char *flag, int value) { flags.insert(flags.end(), {flag, std::to_string(value)}); };
  auto maybe = [&](std::initializer_list<const char *> given) {
    if (between(0, 2) == 0)
      flags.insert(flags.end(), given.begin(), given.end());
  };
  add("--num-layers", layers), add("--num-attention-heads", heads), add("--hidden-size", heads * 2 * between(2, 9));
  add("--ffn-hidden-size", between(3, 40)), add("--seq-length", between(2, 9)), add("--vocab-size", between(5, 90));
  add("--micro-batch-size", between(1, 3));
  flags.insert(flags.end(), {"--max-position-embeddings", "16"});
  maybe({"--bf16"});
  maybe({"--hidden-dropout", "0.1"});
  maybe({"--attention-dropout", "0.1"});
  maybe({"--swiglu"});
  maybe({"--normalization", "RMSNorm"});
  maybe({"--position-embedding-type", "rope"});
  maybe({"--disable-bias-linear"});
  maybe({"--untie-embeddings-and-output-weights"});
  maybe({"--attention-backend", "unfused"});
  maybe({"--data-parallel-size", "2"});
  return flags;
}

/// Whether the value may be computed again. The parts of a concat lie where it lies, so it is computed again with them.
static bool mayRecompute(const plan::Entry &entry, int value, const std::vector<bool> &chosen) {
  if (!entry.isForwardResult(value))
    return false;
  const plan::Op &op = entry.ops[entry.values[value].producer];
  return op.replay != ReplayKind::Never &&
         (!op.view || llvm::all_of(op.view->parts, [&](auto part) { return chosen[part.first]; }));
}

plan::Choices tx::drawChoices(const plan::Entry &entry, std::mt19937_64 &random, unsigned percent) {
  plan::Choices choices(entry.values.size(), plan::Choice::Keep);
  std::vector<bool> chosen(entry.values.size());
  for (int value = 0, e = entry.values.size(); value < e; ++value) {
    if (entry.isView(value)) // as its whole
      chosen[value] = chosen[entry.values[value].storage];
    else
      chosen[value] = entry.hasBackward() && mayRecompute(entry, value, chosen) && random() % 100 < percent;
    if (chosen[value])
      choices[value] = plan::Choice::Recompute;
  }
  return choices;
}
