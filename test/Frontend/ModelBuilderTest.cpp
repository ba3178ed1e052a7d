//===- ModelBuilderTest.cpp - The `model` phase -------------------------------------------------------------------===//

#include "FrontendTest.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/ModelBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"

#include <random>
#include <set>

using namespace mlir;
using namespace tx;

static int64_t countElements(ModuleOp module) {
  int64_t elements = 0;
  for (GlobalOp global : module.getOps<GlobalOp>())
    elements += cast<RankedTensorType>(global.getType()).getNumElements();
  return elements;
}

// Two dropout ops of one site would drop the same elements.
static void expectOneDropoutForEachSite(ModuleOp module) {
  std::set<std::pair<int, std::string>> sites;
  std::set<uint32_t> hashes;
  module.walk([&](DropoutOp op) {
    EXPECT_TRUE(sites.emplace(op.getScope().getLayer(), op.getScope().getPath().str()).second) << op.getScope().str();
    EXPECT_TRUE(hashes.insert(op.getScope().getSiteHash()).second) << op.getScope().str();
  });
}

TEST(ModelBuilder, Gpt3IsBuiltWholeAndCounted) {
  MLIRContext context;
  ModelConfig config = parsed({"gpt3-175b"}).model;
  OwningOpRef<ModuleOp> module = buildModel(context, config);
  EXPECT_TRUE(succeeded(verify(*module)));
  EXPECT_EQ(countElements(*module), 174'615'846'912);
  expectOneDropoutForEachSite(*module);
}

TEST(ModelBuilder, ResidualProjectionsStartSmaller) {
  MLIRContext context;
  ModelConfig config = parsed({"gpt2-124m", "--num-layers", "8"}).model;
  OwningOpRef<ModuleOp> module = buildModel(context, config);
  for (GlobalOp global : module->getOps<GlobalOp>()) {
    StringRef name = global.getSymName();
    bool isMatrix = cast<RankedTensorType>(global.getType()).getRank() == 2;
    EXPECT_EQ(global.getDecay(), isMatrix) << name.str();
    if (!isMatrix)
      EXPECT_EQ(global.getInit(), name.ends_with("bias") ? InitKind::Zeros : InitKind::Ones) << name.str();
    else
      EXPECT_DOUBLE_EQ(global.getStddev().convertToDouble(), name.ends_with("c_proj.weight") ? 0.005 : 0.02)
          << name.str();
  }
}

TEST(ModelBuilder, WithoutDropoutThereIsNone) {
  MLIRContext context;
  ModelConfig config = parsed({"gpt2-124m", "--hidden-dropout", "0", "--attention-dropout", "0"}).model;
  OwningOpRef<ModuleOp> module = buildModel(context, config);
  module->walk([](DropoutOp op) { ADD_FAILURE() << op.getScope().str(); });
}

// Any config that resolves is built, verifies and has the parameters it counts.
TEST(ModelBuilder, RandomModels) {
  std::mt19937 random(7);
  auto below = [&](int n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 100; ++round) {
    ModelConfig config;
    config.numLayers = 1 + below(4);
    config.numAttentionHeads = 1 + below(5);
    config.hiddenSize = config.numAttentionHeads * (1 + below(17));
    config.ffnHiddenSize = below(2) ? 1 + below(99) : ModelConfig::kUnset;
    config.vocabSize = 1 + below(200);
    config.vocabDivisor = 1 + below(70);
    config.seqLength = 1 + below(33);
    config.maxPositionEmbeddings = config.seqLength + below(9);
    config.microBatchSize = 1 + below(4);
    config.attentionDropout = below(2) * 0.1;
    config.hiddenDropout = below(2) * 0.2;
    config.embeddingDropout = below(2) * 0.3;
    config.tiedEmbeddings = below(2);
    config.qkvBias = below(2), config.projBias = below(2), config.mlpBias = below(2);
    config.activation = below(2) ? Activation::Gelu : Activation::SwiGlu;
    if (below(2)) {
      config.headSize = 2 * (1 + below(9));
      int64_t groups = 1 + below(5);
      config.numKeyValueHeads = config.numAttentionHeads % groups ? 1 : groups;
      config.positions = below(3) ? PositionEmbedding::Rope : PositionEmbedding::None;
      config.rope.interleaved = below(2);
    }
    if (below(2)) {
      config.normalization = Normalization::RMSNorm;
      config.normOffset = below(2), config.qkNorm = below(2);
    }
    config.dtype = below(2) ? DType::F32 : DType::BF16;
    ASSERT_FALSE(static_cast<bool>(resolve(config)));
    MLIRContext context;
    OwningOpRef<ModuleOp> module = buildModel(context, config);
    EXPECT_TRUE(succeeded(verify(*module)));
    EXPECT_EQ(countElements(*module), config.countParameters());
    expectOneDropoutForEachSite(*module);
    // Parameters are loaded once, before any op.
    int64_t loads = 0;
    module->walk([&](LoadOp) { ++loads; });
    EXPECT_EQ(loads, llvm::range_size(module->getOps<GlobalOp>()));
  }
}
