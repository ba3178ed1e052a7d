//===- LinearWorkTest.cpp - Twice the layers, twice the work ------------------------------------------------------===//
//
// Planning goes through the whole model a few times. What goes through it once for each name or op is not seen in a
// model of two layers, and takes minutes for one of a thousand. So work is counted, not timed: two functions of MLIR
// that look as if they cost nothing walk over all symbols, or number all ops. Calls from Tx come here instead, and each
// symbol and op that they pass counts.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Frontend/CompileOptions.h"
#include "tx/Pipeline/Pipelines.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tx;

static int64_t work;

/// Walks over the symbols until it finds the name.
Operation *SymbolTable::lookupSymbolIn(Operation *table, StringAttr symbol) {
  for (Operation &op : table->getRegion(0).front()) {
    ++work;
    if (op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName()) == symbol)
      return &op;
  }
  return nullptr;
}
Operation *SymbolTable::lookupNearestSymbolFrom(Operation *from, SymbolRefAttr symbol) {
  return lookupSymbolIn(getNearestSymbolTable(from), symbol.getLeafReference());
}

/// Numbers the whole block after an op of it has moved.
bool Operation::isBeforeInBlock(Operation *other) {
  if (!block->isOpOrderValid()) {
    work += block->getOperations().size();
    block->recomputeOpOrder();
  }
  updateOrderIfNecessary();
  other->updateOrderIfNecessary();
  return orderIndex < other->orderIndex;
}

namespace {

constexpr int kLayers = 12;

/// What is passed by while a model is planned, and its report written.
int64_t countWork(int layers, const std::vector<std::string> &flags) {
  llvm::SmallString<128> report;
  EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("tx-linear-work", "json", report));
  std::string count = std::to_string(layers);
  std::vector<llvm::StringRef> arguments = {"--num-layers",          count, "--hidden-size", "8",
                                            "--num-attention-heads", "2",   "--seq-length",  "8",
                                            "--vocab-size",          "16",  "--report",      report};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  work = 0;
  llvm::Expected<CompileOptions> options = parseCommandLine(arguments);
  llvm::Error error = options ? compile(*options) : options.takeError();
  EXPECT_FALSE(static_cast<bool>(error)) << llvm::toString(std::move(error));
  llvm::sys::fs::remove(report);
  return work;
}

void expectLinear(std::vector<std::string> flags) {
  for (const char *flag : {"--bf16", "--attention-backend=unfused"}) {
    flags.push_back(flag);
    int64_t some = countWork(kLayers, flags), twice = countWork(2 * kLayers, flags);
    EXPECT_GT(some, 0); // what is called comes here
    EXPECT_LE(twice, 2 * some) << llvm::join(flags, " ");
  }
}

} // namespace

TEST(LinearWork, OfEachPolicy) {
  expectLinear({"--recompute-granularity", "none"});
  expectLinear({"--recompute-granularity", "selective", "--recompute-modules", "core_attn,mlp,layernorm"});
  expectLinear({"--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"});
  expectLinear({"--recompute-granularity", "full", "--recompute-method", "block", "--recompute-num-layers", "12"});
  expectLinear({"--recompute-save-only", "mlp_residual"});
  expectLinear({"--recompute-granularity", "full", "--recompute-layers", "0-3,5,7,9,11"});
}

TEST(LinearWork, OfEachTarget) {
  expectLinear({"--data-parallel-size", "4"});
  expectLinear({"--target", "cuda:sm_90", "--ptxas", "none"});
}
