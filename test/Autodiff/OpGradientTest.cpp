//===- OpGradientTest.cpp - Every backward against differences ----------------------------------------------------===//
//
// Each differentiable op stands in a small loss between parameters and a cross entropy; the gradients of all parameters
// are compared with central differences in double precision. An op of the dialect that no case contains is a failure.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tx;

namespace {

/// `body` turns %x [2,4,6], which depends on a parameter, into `logits` of type `type`; `%key` is the random key. If
/// `logits` is null, `body` makes the loss, %sum and %count, and keeps logits of this type to itself.
struct Case {
  const char *name;
  const char *globals;
  const char *body;
  const char *logits = "%y";
  const char *type = "2x4x6";
};

void PrintTo(const Case &c, std::ostream *os) { *os << c.name; }

const Case kCases[] = {
    // The table's rows are chosen more than once.
    {"Embedding", "", "", "%x"},
    {"AddPositions", "tx.global @p parameter : tensor<5x6xf32>", R"(
      %p = tx.load @p : tensor<5x6xf32>
      %y = tx.add_positions %x, %p in <"embedding"> : tensor<2x4x6xf32>, tensor<5x6xf32>)"},
    {"LayerNorm", "tx.global @w parameter ones : tensor<6xf32>\ntx.global @b parameter : tensor<6xf32>", R"(
      %w = tx.load @w : tensor<6xf32>
      %b = tx.load @b : tensor<6xf32>
      %y, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-2 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>)"},
    {"RmsNorm", "tx.global @w parameter ones : tensor<6xf32>", R"(
      %w = tx.load @w : tensor<6xf32>
      %y, %rstd = tx.rms_norm %x, %w eps 1.0e-2 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>)"},
    {"RmsNormOfHeads", "tx.global @w parameter : tensor<2xf32>", R"(
      %w = tx.load @w : tensor<2xf32>
      %y, %rstd = tx.rms_norm %x, %w eps 1.0e-2 heads 3 offset 1 in <layer 0, "qk_norm"> : tensor<2x4x6xf32>, tensor<2xf32>)"},
    {"Rope", "", R"(
      %p = tx.positions in <"rotary_pos_emb"> : tensor<4xi32>
      %cos, %sin = tx.rope_table %p frequencies [1.0, 0.3] scale 1.5 in <"rotary_pos_emb"> : tensor<4xi32>
      %z = tx.rope %x, %cos, %sin heads 1 in <layer 0, "rope"> : tensor<2x4x6xf32>, tensor<4x2xf32>
      %cos1, %sin1 = tx.rope_table %p frequencies [0.7] in <"rotary_pos_emb"> : tensor<4xi32>
      %y = tx.rope %z, %cos1, %sin1 heads 3 interleaved in <layer 0, "rope"> : tensor<2x4x6xf32>, tensor<4x1xf32>)"},
    {"Swiglu", "tx.global @w parameter : tensor<6x6xf32>", R"(
      %w = tx.load @w : tensor<6x6xf32>
      %g = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
      %y = tx.swiglu %g, %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>)"},
    {"Linear", "tx.global @w parameter : tensor<6x5xf32>\ntx.global @b parameter : tensor<5xf32>", R"(
      %w = tx.load @w : tensor<6x5xf32>
      %b = tx.load @b : tensor<5xf32>
      %y = tx.linear %x, %w bias %b in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x5xf32>, tensor<5xf32> -> tensor<2x4x5xf32>)",
     "%y", "2x4x5"},
    {"LinearTransposed", "tx.global @w parameter : tensor<5x6xf32>", R"(
      %w = tx.load @w : tensor<5x6xf32>
      %y = tx.linear %x, %w transposed in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<5x6xf32> -> tensor<2x4x5xf32>)",
     "%y", "2x4x5"},
    {"LinearTwice", "tx.global @w parameter : tensor<6x6xf32>", R"(
      %w = tx.load @w : tensor<6x6xf32>
      %h = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
      %y = tx.linear %h, %w transposed in <layer 0, "mlp.fc2"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>)"},
    {"AllReduce", "tx.mesh_axis @dp size 1 batch", R"(
      %y = tx.all_reduce %x on @dp in <layer 0, "residual"> : tensor<2x4x6xf32>)"},
    // On one rank each is the identity, but one that sends to nobody; several ranks are in
    // test/Reference/CollectivesTest.cpp.
    {"Collectives", "tx.mesh_axis @tp size 1", R"(
      %a = tx.all_gather %x dim 1 on @tp in <layer 0, "residual"> : tensor<2x4x6xf32> -> tensor<2x4x6xf32>
      %b = tx.reduce_scatter %a dim 1 on @tp in <layer 0, "residual"> : tensor<2x4x6xf32> -> tensor<2x4x6xf32>
      %c = tx.all_to_all %b dim 1 on @tp in <layer 0, "residual"> : tensor<2x4x6xf32>
      %d = tx.broadcast %c from 0 on @tp in <layer 0, "residual"> : tensor<2x4x6xf32>
      %e = tx.reduce %d to 0 on @tp in <layer 0, "residual"> : tensor<2x4x6xf32>
      %y = tx.send_recv %e by 0 on @tp in <layer 0, "residual"> : tensor<2x4x6xf32>)"},
    {"Add", "", R"(
      %g = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
      %y = tx.add %x, %g in <layer 0, "residual"> : tensor<2x4x6xf32>)"},
    {"AddToItself", "", R"(
      %y = tx.add %x, %x in <layer 0, "residual"> : tensor<2x4x6xf32>)"},
    {"Cast", "", R"(
      %g = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
      %y = tx.cast %g in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32> to tensor<2x4x6xf32>)"},
    {"Gelu", "", R"(
      %y = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>)"},
    {"Dropout", "", R"(
      %y = tx.dropout %x, %key p 0.375 in <layer 0, "residual"> : tensor<2x4x6xf32>, tensor<4xi32>)"},
    {"Slice", "", R"(
      %b = tx.slice %x 2 size 2 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %a = tx.slice %x 0 size 2 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %c = tx.slice %x 4 size 2 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %g = tx.gelu %b in <layer 0, "mlp.mlp_act"> : tensor<2x4x2xf32>
      %ga = tx.add %g, %a in <layer 0, "residual"> : tensor<2x4x2xf32>
      %d = tx.gelu %c in <layer 0, "mlp.mlp_act"> : tensor<2x4x2xf32>
      %y = tx.add %ga, %d in <layer 0, "residual"> : tensor<2x4x2xf32>)",
     "%y", "2x4x2"},
    {"SliceBesideAnotherUse", "", R"(
      %a = tx.slice %x 0 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %z = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
      %b = tx.slice %x 3 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %c = tx.slice %z 0 size 3 in <layer 1, "qkv"> : tensor<2x4x6xf32>
      %d = tx.slice %z 3 size 3 in <layer 1, "qkv"> : tensor<2x4x6xf32>
      %e = tx.gelu %a in <layer 0, "mlp.mlp_act"> : tensor<2x4x3xf32>
      %f = tx.add %e, %b in <layer 0, "residual"> : tensor<2x4x3xf32>
      %g = tx.add %f, %c in <layer 0, "residual"> : tensor<2x4x3xf32>
      %y = tx.add %g, %d in <layer 0, "residual"> : tensor<2x4x3xf32>)",
     "%y", "2x4x3"},
    // Overlaps add up, holes get nothing, a sum of slices gives both the same gradient.
    {"SlicesOfAnyPlace", "", R"(
      %a = tx.slice %x 0 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %b = tx.slice %x 1 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %c = tx.slice %x 1 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %g = tx.gelu %b in <layer 0, "mlp.mlp_act"> : tensor<2x4x3xf32>
      %d = tx.add %a, %g in <layer 0, "residual"> : tensor<2x4x3xf32>
      %y = tx.add %d, %c in <layer 0, "residual"> : tensor<2x4x3xf32>)",
     "%y", "2x4x3"},
    {"SliceOfASlice", "", R"(
      %a = tx.slice %x 1 size 4 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %b = tx.slice %a 1 size 2 in <layer 0, "qkv"> : tensor<2x4x4xf32>
      %c = tx.slice %x 4 size 2 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %y = tx.add %b, %c in <layer 0, "residual"> : tensor<2x4x2xf32>)",
     "%y", "2x4x2"},
    {"Concat", "", R"(
      %g = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
      %y = tx.concat %x, %g, %x in <layer 0, "wide"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x4x6xf32>)",
     "%y", "2x4x18"},
    // One of two accumulators is continued, the other is not.
    {"LayerNormsOfOneWeight",
     "tx.global @w parameter ones : tensor<6xf32>\ntx.global @b parameter : tensor<6xf32>\n"
     "tx.global @c parameter : tensor<6xf32>",
     R"(
      %w = tx.load @w : tensor<6xf32>
      %b = tx.load @b : tensor<6xf32>
      %c = tx.load @c : tensor<6xf32>
      %n, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-2 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
      %y, %mean2, %rstd2 = tx.layer_norm %n, %w, %c eps 1.0e-2 in <layer 1, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>)"},
    {"LayerNormOfOneParameter", "tx.global @w parameter ones : tensor<6xf32>", R"(
      %w = tx.load @w : tensor<6xf32>
      %y, %mean, %rstd = tx.layer_norm %x, %w, %w eps 1.0e-2 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>)"},
    {"AttentionScores", "tx.global @w parameter : tensor<6x6xf32>", R"(
      %w = tx.load @w : tensor<6x6xf32>
      %k = tx.linear %x, %w in <layer 0, "qkv"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
      %y = tx.attention_scores %x, %k heads 2 scale 0.6 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>)",
     "%y", "2x2x4x4"},
    {"FlashAttention", "tx.global @w parameter : tensor<6x12xf32>", R"(
      %w = tx.load @w : tensor<6x12xf32>
      %kv = tx.linear %x, %w in <layer 0, "qkv"> : tensor<2x4x6xf32>, tensor<6x12xf32> -> tensor<2x4x12xf32>
      %k = tx.slice %kv 0 size 6 in <layer 0, "qkv"> : tensor<2x4x12xf32>
      %v = tx.slice %kv 6 size 6 in <layer 0, "qkv"> : tensor<2x4x12xf32>
      %y, %rows = tx.flash_attention %x, %k, %v heads 2 scale 0.6 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>)"},
    {"FlashAttentionCausalWithDropout", "tx.global @w parameter : tensor<6x12xf32>", R"(
      %w = tx.load @w : tensor<6x12xf32>
      %kv = tx.linear %x, %w in <layer 0, "qkv"> : tensor<2x4x6xf32>, tensor<6x12xf32> -> tensor<2x4x12xf32>
      %k = tx.slice %kv 0 size 6 in <layer 0, "qkv"> : tensor<2x4x12xf32>
      %v = tx.slice %kv 6 size 6 in <layer 0, "qkv"> : tensor<2x4x12xf32>
      %y, %rows = tx.flash_attention %x, %k, %v heads 3 scale 0.6 causal dropout %key p 0.375 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<4xi32>)"},
    {"FlashAttentionOfGroups", "tx.global @w parameter : tensor<6x6xf32>", R"(
      %w = tx.load @w : tensor<6x6xf32>
      %kv = tx.linear %x, %w in <layer 0, "qkv"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
      %k = tx.slice %kv 0 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %v = tx.slice %kv 3 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %y, %rows = tx.flash_attention %x, %k, %v heads 2 scale 0.6 causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x3xf32>)"},
    // Two heads of q for one of k, one of v, and gradients of both.
    {"UnfusedAttentionOfGroups", "tx.global @w parameter : tensor<6x6xf32>", R"(
      %w = tx.load @w : tensor<6x6xf32>
      %kv = tx.linear %x, %w in <layer 0, "qkv"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
      %k = tx.slice %kv 0 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %v = tx.slice %kv 3 size 3 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %s = tx.attention_scores %x, %k heads 2 scale 0.6 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x3xf32>
      %p = tx.softmax %s causal in <layer 0, "core_attn"> : tensor<2x2x4x4xf32>
      %y = tx.attention_context %p, %v groups 1 scale 0.7 in <layer 0, "core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x3xf32>)"},
    {"AttentionContextTransposedOfGroups", "", R"(
      %v = tx.slice %x 2 size 2 in <layer 0, "qkv"> : tensor<2x4x6xf32>
      %s = tx.attention_scores %v, %x heads 3 scale 0.6 in <layer 0, "core_attn"> : tensor<2x4x2xf32>, tensor<2x4x6xf32>
      %y = tx.attention_context %s, %v transposed groups 1 in <layer 0, "core_attn"> : tensor<2x3x4x4xf32>, tensor<2x4x2xf32>)"},
    {"AttentionScoresOfItself", "", R"(
      %y = tx.attention_scores %x, %x heads 3 scale 0.6 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>)",
     "%y", "2x3x4x4"},
    {"Softmax", "", R"(
      %y = tx.softmax %x in <layer 0, "core_attn"> : tensor<2x4x6xf32>)"},
    {"SoftmaxCausal", "", R"(
      %y = tx.softmax %x causal in <layer 0, "core_attn"> : tensor<2x4x6xf32>)"},
    {"AttentionContext", "tx.global @w parameter : tensor<6x6xf32>", R"(
      %w = tx.load @w : tensor<6x6xf32>
      %v = tx.linear %x, %w in <layer 0, "qkv"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
      %s = tx.attention_scores %x, %x heads 2 scale 0.6 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
      %y = tx.attention_context %s, %v scale 0.7 in <layer 0, "core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>)"},
    {"AttentionContextTransposed", "", R"(
      %s = tx.attention_scores %x, %x heads 2 scale 0.6 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
      %y = tx.attention_context %s, %x transposed scale 0.7 in <layer 0, "core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>)"},
    {"LinearCrossEntropy", "tx.global @w parameter : tensor<6x7xf32>", R"(
      %w = tx.load @w : tensor<6x7xf32>
      %sum, %count = tx.linear_cross_entropy %x, %w, %targets ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<6x7xf32>, tensor<2x4xi32>)",
     nullptr, "2x4x7"},
    {"LinearCrossEntropyOfTiedWeight", "", R"(
      %sum, %count = tx.linear_cross_entropy %x, %table, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<5x6xf32>, tensor<2x4xi32>)",
     nullptr, "2x4x5"},
    // Two heads of one weight: forward continues the accumulator of the second in the first.
    {"LinearCrossEntropiesOfOneWeight", "tx.global @w parameter : tensor<7x6xf32>", R"(
      %w = tx.load @w : tensor<7x6xf32>
      %a, %count = tx.linear_cross_entropy %x, %w, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
      %g = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x4x6xf32>
      %b, %count2 = tx.linear_cross_entropy %g, %w, %targets transposed ignore -100 head "output_layer2" in <"loss2"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
      %sum = tx.add %a, %b in <"loss"> : tensor<f32>)",
     nullptr, "2x4x7"},
    // The gradient of the second's sum is known in backward alone: it computes the logits again.
    {"LinearCrossEntropyOfALateGradient", "tx.global @w parameter : tensor<7x6xf32>", R"(
      %w = tx.load @w : tensor<7x6xf32>
      %a, %count = tx.linear_cross_entropy %x, %w, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
      %sum = tx.cast %a in <"loss"> : tensor<f32> to tensor<f32>)",
     nullptr, "2x4x7"},
    {"LinearCrossEntropyOfALateSum", "tx.global @w parameter : tensor<7x6xf32>", R"(
      %w = tx.load @w : tensor<7x6xf32>
      %a, %count = tx.linear_cross_entropy %x, %w, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<2x4xi32>
      %g = tx.gelu %a in <"loss"> : tensor<f32>
      %sum = tx.add %a, %g in <"loss"> : tensor<f32>)",
     nullptr, "2x4x7"},
};

std::string sourceOf(const Case &c) {
  std::string type = std::string("tensor<") + c.type + "xf32>";
  std::string rows = std::string(c.type).substr(0, std::string(c.type).rfind('x'));
  std::string losses = "tensor<" + rows + "xf32>", targets = "tensor<" + rows + "xi32>";
  return std::string("tx.global @table parameter : tensor<5x6xf32>\n") + c.globals + R"(
    func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: )" +
         targets + R"( {tx.name = "targets"},
                    %key: tensor<4xi32> {tx.name = "key"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
      %table = tx.load @table : tensor<5x6xf32>
      %x = tx.embedding %tokens, %table in <"embedding"> : tensor<2x4xi32>, tensor<5x6xf32>)" +
         c.body +
         (!c.logits
              ? std::string()
              : R"(
      %losses, %lse = tx.cross_entropy )" +
                    std::string(c.logits) + R"(, %targets ignore -100 in <"loss"> : )" + type + ", " + targets + R"(
      %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : )" +
                    losses + ", " + targets) +
         R"(
      return %sum, %count : tensor<f32>, tensor<f32>
    })";
}

/// Targets of the case's logits, some of them ignored.
Batch batchOf(const Case &c) {
  Batch batch = makeBatch(2, 4, /*vocabulary=*/5, /*seed=*/7);
  SmallVector<StringRef> sizes;
  StringRef(c.type).split(sizes, 'x');
  SmallVector<int64_t> shape;
  for (StringRef size : sizes)
    shape.push_back(std::stoll(size.str()));
  batch.targets = Tensor::zeros(ArrayRef(shape).drop_back());
  for (size_t i = 0; i < batch.targets.values.size(); ++i)
    batch.targets.values[i] = i % 5 == 4 ? -100 : static_cast<double>(i % shape.back());
  return batch;
}

class OpGradient : public testing::TestWithParam<Case> {
protected:
  OpGradient() { context.loadDialect<TxDialect, func::FuncDialect>(); }
  MLIRContext context;
};

TEST_P(OpGradient, AgreesWithCentralDifferences) {
  JointModel model(context, parseSourceString<ModuleOp>(sourceOf(GetParam()), &context));
  ASSERT_TRUE(model.isValid());
  model.fillParameters(/*seed=*/3, /*spread=*/0.7);
  GradientError worst = compareWithDifferences(model, batchOf(GetParam()));
  EXPECT_LT(worst.error, 1e-8) << worst.place;
  EXPECT_GT(worst.norm, 1e-2) << "the case checks nothing";
}

INSTANTIATE_TEST_SUITE_P(Ops, OpGradient, testing::ValuesIn(kCases),
                         [](const auto &info) { return std::string(info.param.name); });

TEST(OpGradientTable, HasEveryDifferentiableOp) {
  MLIRContext context;
  context.loadDialect<TxDialect, func::FuncDialect>();
  llvm::StringSet<> covered;
  for (const Case &c : kCases) {
    auto module = parseSourceString<ModuleOp>(sourceOf(c), &context);
    ASSERT_TRUE(module) << c.name;
    module->walk([&](DifferentiableOpInterface op) { covered.insert(op->getName().getStringRef()); });
  }
  unsigned differentiable = 0;
  for (RegisteredOperationName name : context.getRegisteredOperations())
    if (name.hasInterface<DifferentiableOpInterface>()) {
      ++differentiable;
      EXPECT_TRUE(covered.contains(name.getStringRef())) << name.getStringRef().str() << " has no case";
    }
  EXPECT_GT(differentiable, 0u);
}

} // namespace
