//===- RankRematTest.cpp - Recomputation where ranks work together ------------------------------------------------===//
//
// Layers with collectives, on several ranks in lockstep on the reference: every policy gives each rank the loss and the
// gradients that it has without, bit by bit. What gives parts to others is replayed, what must happen once is kept.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Remat/Remat.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace tx;

namespace {

constexpr int kRanks = 2;

/// `layer` turns %x [2,4,8] into %y of the same type; N is the layer's number.
struct Case {
  const char *name, *layer;
  const char *replayed; ///< the collective that `full` replays; null: none
};
void PrintTo(const Case &c, std::ostream *os) { *os << c.name; }

const Case kCases[] = {
    // Megatron's row parallel linear without sequence parallelism.
    {"AllReduce", R"(
      %h = tx.linear %x, %v in <layer N, "mlp.fc1"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %a = tx.gelu %h in <layer N, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %p = tx.linear %a, %w in <layer N, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %s = tx.all_reduce %p on @tp in <layer N, "mlp.fc2"> : tensor<2x4x8xf32>
      %g = tx.gelu %s in <layer N, "mlp.out_act"> : tensor<2x4x8xf32>
      %y = tx.add %x, %g in <layer N, "mlp_residual"> : tensor<2x4x8xf32>)",
     nullptr},
    // With sequence parallelism.
    {"GatherAndScatter", R"(
      %n = tx.gelu %x in <layer N, "mlp.in_act"> : tensor<2x4x8xf32>
      %whole = tx.all_gather %n dim 1 on @tp in <layer N, "mlp.fc1"> : tensor<2x4x8xf32> -> tensor<2x8x8xf32>
      %h = tx.linear %whole, %v in <layer N, "mlp.fc1"> : tensor<2x8x8xf32>, tensor<8x8xf32> -> tensor<2x8x8xf32>
      %a = tx.gelu %h in <layer N, "mlp.mlp_act"> : tensor<2x8x8xf32>
      %p = tx.linear %a, %w in <layer N, "mlp.fc2"> : tensor<2x8x8xf32>, tensor<8x8xf32> -> tensor<2x8x8xf32>
      %s = tx.reduce_scatter %p dim 1 on @tp in <layer N, "mlp.fc2"> : tensor<2x8x8xf32> -> tensor<2x4x8xf32>
      %g = tx.gelu %s in <layer N, "mlp.out_act"> : tensor<2x4x8xf32>
      %y = tx.add %x, %g in <layer N, "mlp_residual"> : tensor<2x4x8xf32>)",
     "tx.all_gather"},
    {"AllToAll", R"(
      %d = tx.all_to_all %x dim 1 on @tp in <layer N, "mlp"> : tensor<2x4x8xf32>
      %h = tx.linear %d, %v in <layer N, "mlp.fc1"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %a = tx.gelu %h in <layer N, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %p = tx.linear %a, %w in <layer N, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %s = tx.all_to_all %p dim 1 on @tp in <layer N, "mlp"> : tensor<2x4x8xf32>
      %y = tx.add %x, %s in <layer N, "mlp_residual"> : tensor<2x4x8xf32>)",
     "tx.all_to_all"},
    {"SendAndBroadcast", R"(
      %d = tx.send_recv %x by 1 wraps on @tp in <layer N, "mlp"> : tensor<2x4x8xf32>
      %h = tx.linear %d, %v in <layer N, "mlp.fc1"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %a = tx.gelu %h in <layer N, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %b = tx.broadcast %a from 1 on @tp in <layer N, "mlp"> : tensor<2x4x8xf32>
      %p = tx.linear %b, %w in <layer N, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %s = tx.reduce %p to 0 on @tp in <layer N, "mlp"> : tensor<2x4x8xf32>
      %o = tx.gelu %s in <layer N, "mlp.in_act"> : tensor<2x4x8xf32>
      %g = tx.gelu %o in <layer N, "mlp.out_act"> : tensor<2x4x8xf32>
      %y = tx.add %x, %g in <layer N, "mlp_residual"> : tensor<2x4x8xf32>)",
     nullptr},
};

/// Two such layers between a table and a loss that all ranks sum.
std::string sourceOf(const Case &c) {
  std::string source = "tx.mesh_axis @tp size " + std::to_string(kRanks) + R"(
    tx.global @table parameter : tensor<5x8xf32>
    tx.global @v parameter : tensor<8x8xf32>
    tx.global @w parameter : tensor<8x8xf32>
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
                    %key: tensor<4xi32> {tx.name = "key"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %table = tx.load @table : tensor<5x8xf32>
      %v = tx.load @v : tensor<8x8xf32>
      %w = tx.load @w : tensor<8x8xf32>
      %y0 = tx.embedding %tokens, %table in <"embedding"> : tensor<2x4xi32>, tensor<5x8xf32>)";
  for (int layer = 0; layer < 2; ++layer) {
    std::string body = c.layer, number = std::to_string(layer);
    auto replace = [&](const std::string &name, const std::string &by) {
      for (size_t at = 0; (at = body.find(name, at)) != std::string::npos; at += by.size())
        body.replace(at, name.size(), by);
    };
    replace("layer N", "layer " + number);
    replace("%x", "%y" + number);
    replace("%y =", "%y" + std::to_string(layer + 1) + " =");
    for (const char *local : {"%d", "%n", "%whole", "%h", "%a", "%b", "%o", "%p", "%s", "%g"})
      for (const char *end : {" ", ","})
        replace(local + std::string(end), local + number + end);
    source += body;
  }
  return source + R"(
      %losses, %lse = tx.cross_entropy %y2, %targets ignore -100 in <"loss"> : tensor<2x4x8xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
      %all = tx.all_reduce %sum on @tp in <"loss"> : tensor<f32>
      %valid = tx.all_reduce %count on @tp in <"loss"> : tensor<f32>
      return %all, %valid : tensor<f32>, tensor<f32>
    })";
}

class RankRemat : public testing::TestWithParam<std::tuple<Case, const char *>> {
protected:
  RankRemat() { context.loadDialect<TxDialect, func::FuncDialect>(); }

  void SetUp() override {
    module = parseSourceString<ModuleOp>(sourceOf(std::get<0>(GetParam())), &context);
    ASSERT_TRUE(module);
    PassManager passes(&context);
    passes.addPass(createTxAutodiffPass());
    ASSERT_TRUE(succeeded(passes.run(*module)));
  }

  /// Losses and gradients of all ranks after a microbatch.
  std::vector<std::vector<double>> run() {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal(0, 0.7);
    std::vector<State> states;
    std::vector<SmallVector<Tensor>> arguments;
    for (int rank = 0; rank < kRanks; ++rank) {
      states.push_back(createState(*module, 0));
      for (auto global : module->getOps<GlobalOp>())
        if (global.getRole() == GlobalRole::Parameter)
          for (double &value : states.back()[global.getSymName().str()].values)
            value = normal(random);
      Batch batch = makeBatch(2, 4, /*vocabulary=*/5, /*seed=*/rank + 1);
      arguments.push_back({batch.tokens, batch.targets, batch.key, Tensor::scalar(0.3), Tensor::scalar(1)});
    }
    auto results = interpretRanks(module->lookupSymbol<func::FuncOp>("microbatch"), arguments, states);
    std::vector<std::vector<double>> outcome;
    if (failed(results))
      return outcome;
    for (int rank = 0; rank < kRanks; ++rank) {
      outcome.push_back((*results)[rank][0].values);
      for (const char *name : {"table.grad", "v.grad", "w.grad"})
        outcome.push_back(states[rank][name].values);
    }
    return outcome;
  }

  std::vector<std::string> replayed() {
    std::vector<std::string> names;
    module->walk([&](ScopedOpInterface op) {
      if (op.getScope().getSegment() == Segment::Recompute)
        names.push_back(op->getName().getStringRef().str());
    });
    return names;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
};

TEST_P(RankRemat, ChangesNoBit) {
  const auto &[c, policy] = GetParam();
  std::vector<std::vector<double>> expected = run();
  ASSERT_FALSE(expected.empty());
  RematPolicyOptions options;
  if (StringRef(policy).starts_with("full")) {
    options.granularity = "full", options.method = "uniform";
    options.numLayers = StringRef(policy).ends_with("2") ? "2" : "1";
  } else if (StringRef(policy) == "mlp") {
    options.granularity = "selective", options.modules = "mlp";
  } else {
    options.saveOnly = policy;
  }
  ScopedDiagnosticHandler warnings(
      &context, [](Diagnostic &diagnostic) { return success(diagnostic.getSeverity() != DiagnosticSeverity::Error); });
  ASSERT_TRUE(succeeded(rematerialize(module->lookupSymbol<func::FuncOp>("microbatch"), options)));
  PassManager passes(&context);
  passes.addPass(createTxVerifyJointPass());
  ASSERT_TRUE(succeeded(passes.run(*module)));
  EXPECT_EQ(run(), expected);

  std::vector<std::string> names = replayed();
  EXPECT_TRUE(llvm::is_contained(names, "tx.gelu")) << "something is recomputed";
  for (const char *once : {"tx.all_reduce", "tx.reduce", "tx.broadcast", "tx.send_recv"})
    EXPECT_FALSE(llvm::is_contained(names, once)) << once;
  if (c.replayed)
    EXPECT_TRUE(llvm::is_contained(names, c.replayed)) << c.replayed;
}

INSTANTIATE_TEST_SUITE_P(Layers, RankRemat,
                         testing::Combine(testing::ValuesIn(kCases),
                                          testing::Values("full1", "full2", "mlp", "mlp_residual")),
                         [](const auto &info) {
                           return std::get<0>(info.param).name + std::string("_") + std::get<1>(info.param);
                         });

} // namespace
