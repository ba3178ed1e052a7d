//===- RankGradientTest.cpp - Gradients through collectives -------------------------------------------------------===//
//
// Each collective stands in a loss that several ranks compute together, in lockstep on the reference; every rank has
// its own weights and its own part of the tokens. The gradient of each rank's weights is compared with central
// differences of the loss, in double precision.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace tx;

namespace {

/// `body` turns %x [2,4,8] into %y of the same type; LAST stands for the last rank, WHOLE for the tokens of all ranks.
struct Case {
  const char *name, *globals, *body;
  /// All ranks compute one loss of one value, instead of each its part of a sum.
  bool isShared = false;
};
void PrintTo(const Case &c, std::ostream *os) { *os << c.name; }

const Case kCases[] = {
    // Megatron's pair of linears with sequence parallelism.
    {"GatherAndScatter", "tx.global @v parameter : tensor<8x5xf32>\ntx.global @w parameter : tensor<5x8xf32>", R"(
      %v = tx.load @v : tensor<8x5xf32>
      %w = tx.load @w : tensor<5x8xf32>
      %a = tx.all_gather %x dim 1 on @tp in <layer 0, "mlp.fc1"> : tensor<2x4x8xf32> -> tensor<2xWHOLEx8xf32>
      %b = tx.linear %a, %v in <layer 0, "mlp.fc1"> : tensor<2xWHOLEx8xf32>, tensor<8x5xf32> -> tensor<2xWHOLEx5xf32>
      %c = tx.gelu %b in <layer 0, "mlp.mlp_act"> : tensor<2xWHOLEx5xf32>
      %d = tx.linear %c, %w in <layer 0, "mlp.fc2"> : tensor<2xWHOLEx5xf32>, tensor<5x8xf32> -> tensor<2xWHOLEx8xf32>
      %y = tx.reduce_scatter %d dim 1 on @tp in <layer 0, "mlp.fc2"> : tensor<2xWHOLEx8xf32> -> tensor<2x4x8xf32>)"},
    {"AllToAll", "tx.global @w parameter : tensor<8x8xf32>", R"(
      %w = tx.load @w : tensor<8x8xf32>
      %a = tx.all_to_all %x dim 2 on @tp in <layer 0, "mlp"> : tensor<2x4x8xf32>
      %b = tx.linear %a, %w in <layer 0, "mlp.fc1"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %c = tx.gelu %b in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %y = tx.all_to_all %c dim 1 on @tp in <layer 0, "mlp"> : tensor<2x4x8xf32>)"},
    {"BroadcastAndReduce", "", R"(
      %a = tx.broadcast %x from LAST on @tp in <layer 0, "mlp"> : tensor<2x4x8xf32>
      %b = tx.add %a, %x in <layer 0, "residual"> : tensor<2x4x8xf32>
      %c = tx.gelu %b in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %d = tx.reduce %c to 0 on @tp in <layer 0, "mlp"> : tensor<2x4x8xf32>
      %y = tx.add %d, %x in <layer 0, "residual"> : tensor<2x4x8xf32>)"},
    {"Send", "", R"(
      %a = tx.send_recv %x by 1 on @tp in <layer 0, "residual"> : tensor<2x4x8xf32>
      %b = tx.gelu %a in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %c = tx.add %b, %x in <layer 0, "residual"> : tensor<2x4x8xf32>
      %d = tx.send_recv %c by -1 wraps on @tp in <layer 1, "residual"> : tensor<2x4x8xf32>
      %e = tx.gelu %d in <layer 1, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %y = tx.add %e, %x in <layer 1, "residual"> : tensor<2x4x8xf32>)"},
    // Megatron's row parallel linear without sequence parallelism.
    {"AllReduce", "tx.global @w parameter : tensor<8x8xf32>", R"(
      %w = tx.load @w : tensor<8x8xf32>
      %a = tx.linear %x, %w in <layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<8x8xf32> -> tensor<2x4x8xf32>
      %y = tx.all_reduce %a on @tp in <layer 0, "mlp.fc2"> : tensor<2x4x8xf32>)",
     true},
};

std::string sourceOf(const Case &c, int ranks) {
  std::string body = c.body;
  auto replaceAll = [&](StringRef name, int value) {
    for (size_t at; (at = body.find(name.str())) != std::string::npos;)
      body.replace(at, name.size(), std::to_string(value));
  };
  replaceAll("WHOLE", 4 * ranks);
  replaceAll("LAST", ranks - 1);
  const char *sums = R"(
      %all = tx.all_reduce %sum on @tp in <"loss"> : tensor<f32>
      %valid = tx.all_reduce %count on @tp in <"loss"> : tensor<f32>
      return %all, %valid : tensor<f32>, tensor<f32>
    })";
  const char *own = R"(
      return %sum, %count : tensor<f32>, tensor<f32>
    })";
  return "tx.mesh_axis @tp size " + std::to_string(ranks) + "\ntx.global @table parameter : tensor<5x8xf32>\n" +
         c.globals + R"(
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
                    %key: tensor<4xi32> {tx.name = "key"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %table = tx.load @table : tensor<5x8xf32>
      %x = tx.embedding %tokens, %table in <"embedding"> : tensor<2x4xi32>, tensor<5x8xf32>)" +
         body + R"(
      %losses, %lse = tx.cross_entropy %y, %targets ignore -100 in <"loss"> : tensor<2x4x8xf32>, tensor<2x4xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>)" +
         (c.isShared ? own : sums);
}

class RankGradient : public testing::TestWithParam<std::tuple<Case, int>> {
protected:
  RankGradient() { context.loadDialect<TxDialect, func::FuncDialect>(); }

  void SetUp() override {
    const auto &[c, ranks] = GetParam();
    module = parseSourceString<ModuleOp>(sourceOf(c, ranks), &context);
    ASSERT_TRUE(module);
    PassManager passes(&context);
    passes.addPass(createTxAutodiffPass());
    passes.addPass(createTxVerifyJointPass());
    ASSERT_TRUE(succeeded(passes.run(*module)));
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal(0, 0.7);
    for (int rank = 0; rank < ranks; ++rank) {
      states.push_back(createState(*module, 0));
      for (auto global : module->getOps<GlobalOp>())
        if (global.getRole() == GlobalRole::Parameter)
          for (double &value : states.back()[global.getSymName().str()].values)
            value = normal(random);
      batches.push_back(makeBatch(2, 4, /*vocabulary=*/5, /*seed=*/c.isShared ? 1 : rank + 1));
    }
  }

  /// The loss, which every rank has.
  double runLoss() { return run("loss", {}); }
  double runMicrobatch(double scale) { return run("microbatch", {Tensor::scalar(scale), Tensor::scalar(1)}); }

  std::vector<State> states;

private:
  double run(StringRef name, ArrayRef<Tensor> more) {
    std::vector<SmallVector<Tensor>> arguments;
    for (const Batch &batch : batches) {
      arguments.push_back({batch.tokens, batch.targets, batch.key});
      arguments.back().append(more.begin(), more.end());
    }
    auto results = interpretRanks(module->lookupSymbol<func::FuncOp>(name), arguments, states);
    if (failed(results))
      return NAN;
    double loss = (*results)[0][0].values[0];
    for (const SmallVector<Tensor> &rank : *results)
      EXPECT_EQ(rank[0].values[0], loss);
    return loss;
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::vector<Batch> batches;
};

TEST_P(RankGradient, AgreesWithCentralDifferences) {
  constexpr double kScale = 0.75, kStep = 1e-5;
  ASSERT_FALSE(std::isnan(runMicrobatch(kScale)));
  double norm = 0;
  for (size_t rank = 0; rank < states.size(); ++rank)
    for (auto &entry : states[rank]) {
      const std::string &name = entry.first;
      std::vector<double> &values = entry.second.values;
      if (!states[rank].count(name + ".grad"))
        continue;
      const std::vector<double> gradient = states[rank][name + ".grad"].values;
      for (size_t i = 0; i < gradient.size(); ++i) {
        double center = values[i];
        auto lossAt = [&](double value) {
          values[i] = value;
          return runLoss();
        };
        double difference = kScale * (lossAt(center + kStep) - lossAt(center - kStep)) / (2 * kStep);
        values[i] = center;
        norm = std::hypot(norm, gradient[i]);
        ASSERT_NEAR(gradient[i], difference, 1e-8 * (1 + std::abs(difference)))
            << name << "[" << i << "] of rank " << rank;
      }
    }
  EXPECT_GT(norm, 1e-2) << "the case checks nothing";
}

INSTANTIATE_TEST_SUITE_P(Ops, RankGradient, testing::Combine(testing::ValuesIn(kCases), testing::Values(2, 4)),
                         [](const auto &info) {
                           return std::get<0>(info.param).name + std::to_string(std::get<1>(info.param));
                         });

} // namespace
