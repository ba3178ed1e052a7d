//===- GeneratedGradientTest.cpp - Random models against differences ----------------------------------------------===//
//
// No op may rely on what stands before or behind it: the gradients of models that no frontend builds are compared with
// central differences in double precision. TX_GENERATED_MODELS sets the number of models; a failure prints the model.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "GeneratedModel.h"
#include "JointModel.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <cstdlib>

using namespace mlir;
using namespace tx;

namespace {

Batch batchOf(const GeneratedModel &model, uint64_t seed) {
  Batch batch = makeBatch(model.batch, model.sequence, model.vocabulary, seed);
  for (size_t i = 0; i < batch.targets.values.size(); ++i)
    if (!model.isForStep && batch.targets.values[i] < 0)
      batch.targets.values[i] = static_cast<double>(i % model.vocabulary);
  return batch;
}

TEST(GeneratedGradients, AgreeWithCentralDifferences) {
  const char *text = std::getenv("TX_GENERATED_MODELS");
  uint64_t count = text ? std::strtoull(text, nullptr, 10) : 60;
  ASSERT_GT(count, 0u) << "TX_GENERATED_MODELS is no number";
  double largest = 0;
  for (uint64_t seed = 0; seed < count && !HasFailure(); ++seed) {
    GeneratedModel generated = generateModel(seed, /*isForStep=*/seed % 2);
    SCOPED_TRACE("model " + std::to_string(seed) + "\n" + generated.text);
    MLIRContext context(MLIRContext::Threading::DISABLED);
    context.loadDialect<TxDialect, func::FuncDialect>();
    JointModel model(context, parseSourceString<ModuleOp>(generated.text, &context));
    ASSERT_TRUE(model.isValid());
    model.fillParameters(seed, /*spread=*/0.5);
    GradientError worst = compareWithDifferences(model, batchOf(generated, seed));
    EXPECT_LT(worst.error, 1e-7) << worst.place;
    largest = std::max(largest, worst.norm);
  }
  EXPECT_GT(largest, 1e-2) << "the models check nothing";
}

} // namespace
