//===- MaskGradientTest.cpp - Each op's mask is its own -----------------------------------------------------------===//
//
// A loss leaves out the targets that it ignores, whatever computed its operand: not the cross entropy's mask but its
// own decides where it has a gradient.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tx;

namespace {

/// `loss` makes %sum and %count of %logits, %tokens and %targets.
std::string modelOf(const std::string &loss) {
  return R"(
    tx.global @w parameter normal(0.5) decay : tensor<5x4xf32>
    func.func @loss(%tokens: tensor<2x3xi32> {tx.name = "tokens"}, %targets: tensor<2x3xi32> {tx.name = "targets"},
                    %key: tensor<4xi32> {tx.name = "key"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %w = tx.load @w : tensor<5x4xf32>
      %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x3xi32>, tensor<5x4xf32>
      %logits = tx.linear %x, %w transposed in <"output_layer"> : tensor<2x3x4xf32>, tensor<5x4xf32> -> tensor<2x3x5xf32>
  )" + loss +
         R"(
      return %sum, %count : tensor<f32>, tensor<f32>
    })";
}

class MaskGradient : public testing::Test {
protected:
  MaskGradient() { context.loadDialect<TxDialect, func::FuncDialect>(); }

  void make(const std::string &loss) {
    model.emplace(context, parseSourceString<ModuleOp>(modelOf(loss), &context));
    ASSERT_TRUE(model->isValid());
    model->fillParameters(/*seed=*/3, /*spread=*/0.7);
  }

  MLIRContext context;
  std::optional<JointModel> model;
};

const char *const kOtherMask = R"(
      %losses, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x3x5xf32>, tensor<2x3xi32>
      %sum, %count = tx.reduce_loss %losses, %targets ignore 0 in <"loss"> : tensor<2x3xf32>, tensor<2x3xi32>)";

TEST_F(MaskGradient, WithoutAnyTargetThereIsNone) {
  make(kOtherMask);
  Batch batch = makeBatch(2, 3, 5, /*seed=*/1);
  batch.targets.values.assign(6, 0);
  model->fillGradients(1e3);
  auto result = model->runMicrobatch(batch, 1.0);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->validCount, 0);
  for (double value : model->getState()["w.grad"].values)
    EXPECT_EQ(value, 0);
}

TEST_F(MaskGradient, AnotherMaskThanTheCrossEntropys) {
  make(kOtherMask);
  Batch batch = makeBatch(2, 3, 5, /*seed=*/1);
  batch.targets.values = {0, 1, -100, 3, 0, 4};
  EXPECT_LT(compareWithDifferences(*model, batch).error, 1e-8);
}

TEST_F(MaskGradient, LossesOfUnlikeTargets) {
  make(R"(
      %a, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x3x5xf32>, tensor<2x3xi32>
      %b, %stats2 = tx.cross_entropy %logits, %tokens ignore 2 in <"loss2"> : tensor<2x3x5xf32>, tensor<2x3xi32>
      %both = tx.add %a, %b in <"both"> : tensor<2x3xf32>
      %sum, %count = tx.reduce_loss %both, %targets ignore -100 in <"loss"> : tensor<2x3xf32>, tensor<2x3xi32>)");
  EXPECT_LT(compareWithDifferences(*model, makeBatch(2, 3, 5, /*seed=*/2)).error, 1e-8);
}

// The count is a number of targets: no loss moves it.
TEST_F(MaskGradient, ACountInTheLossHasNone) {
  make(R"(
      %losses, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<2x3x5xf32>, tensor<2x3xi32>
      %s, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x3xf32>, tensor<2x3xi32>
      %sum = tx.add %s, %count in <"loss"> : tensor<f32>)");
  EXPECT_LT(compareWithDifferences(*model, makeBatch(2, 3, 5, /*seed=*/3)).error, 1e-8);
}

} // namespace
