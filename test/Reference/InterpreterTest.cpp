//===- InterpreterTest.cpp - State, arguments, refusals of the reference ------------------------------------------===//
//
// That the ops compute the right numbers is the matter of RecordedModelsTest and of test/Autodiff.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Reference/Interpreter.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include "../../lib/Reference/Kernels.h"

#include <cmath>

using namespace mlir;
using namespace tx;

namespace {

class Reference : public testing::Test {
protected:
  Reference() : handler(&context, [this](Diagnostic &d) { messages += d.str() + "\n"; }) {
    context.loadDialect<TxDialect, func::FuncDialect>();
  }
  /// Runs @f of the source; failures leave their text in `messages`.
  FailureOr<SmallVector<Tensor>> run(const std::string &source, ArrayRef<Tensor> arguments) {
    module = parseSourceString<ModuleOp>(source, &context);
    if (!module)
      return failure();
    if (state.empty())
      state = createState(*module, /*seed=*/1);
    return interpret(module->lookupSymbol<func::FuncOp>("f"), arguments, state);
  }
  MLIRContext context;
  std::string messages;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
  State state;
};

TEST_F(Reference, RoundsResultsToBf16) {
  auto result = run(R"(func.func @f(%x: tensor<6xf32>) -> (tensor<6xbf16>, tensor<6xf32>) {
    %y = tx.cast %x in <"a"> : tensor<6xf32> to tensor<6xbf16>
    %z = tx.cast %x in <"a"> : tensor<6xf32> to tensor<6xf32>
    return %y, %z : tensor<6xbf16>, tensor<6xf32>
  })",
                    {Tensor{{6}, {1 + 0x1p-8, 1 + 0x3p-8, 1 + 0x1p-8 + 0x1p-50, -0x1.8p-133, 3.4e38, INFINITY}}});
  ASSERT_TRUE(succeeded(result)) << messages;
  // Ties to even; above a tie; the smallest denormals; past the largest number.
  EXPECT_EQ((*result)[0].values, (std::vector<double>{1, 1 + 0x2p-7, 1 + 0x1p-7, -0x1p-132, INFINITY, INFINITY}));
  EXPECT_EQ((*result)[1].values[2], 1 + 0x1p-8 + 0x1p-50);
}

TEST_F(Reference, KnowsEveryOp) {
  for (RegisteredOperationName name : context.getRegisteredOperations()) {
    StringRef op = name.getStringRef();
    if (op.starts_with("tx.") && op != "tx.global" && op != "tx.mesh_axis" && op != "tx.load" && op != "tx.store")
      EXPECT_TRUE(getKernels().lookup(name)) << op.str();
  }
}

TEST_F(Reference, StartsStateAsDeclared) {
  ASSERT_TRUE(succeeded(run(R"(
    tx.global @n parameter normal(0.5) : tensor<100x10xf32>
    tx.global @o parameter ones : tensor<3xf32>
    tx.global @z parameter : tensor<2x2xf32>
    func.func @f() { return })",
                            {})));
  EXPECT_EQ(state["o"].values, std::vector<double>(3, 1.0));
  EXPECT_EQ(state["z"].values, std::vector<double>(4, 0.0));
  EXPECT_EQ(state["z"].shape, (SmallVector<int64_t, 4>{2, 2}));
  double squares = 0;
  for (double value : state["n"].values)
    squares += value * value;
  EXPECT_NEAR(squares / 1000, 0.25, 0.03);
  EXPECT_EQ(createState(*module, 1)["n"].values, state["n"].values);
  EXPECT_NE(createState(*module, 2)["n"].values, state["n"].values);
}

constexpr const char *kAccumulate = R"(
  tx.global @b parameter : tensor<2xf32>
  tx.global @b.grad gradient of @b : tensor<2xf32>
  func.func @f(%dy: tensor<3x2xf32>, %first: tensor<i1>) -> tensor<2xf32> {
    %acc = tx.load @b.grad : tensor<2xf32>
    %g = tx.bias_grad %dy into %acc reset %first in <backward, "fc"> : tensor<3x2xf32>, tensor<2xf32>, tensor<i1>
    tx.store %g, @b.grad : tensor<2xf32>
    return %acc : tensor<2xf32>
  })";

TEST_F(Reference, AccumulatesUnlessReset) {
  Tensor dy{{3, 2}, {1, 2, 3, 4, 5, 6}};
  ASSERT_TRUE(succeeded(run(kAccumulate, {dy, Tensor::scalar(0)})));
  auto results = run(kAccumulate, {dy, Tensor::scalar(0)});
  EXPECT_EQ(state["b.grad"].values, (std::vector<double>{18, 24}));
  EXPECT_EQ((*results)[0].values, (std::vector<double>{9, 12})) << "a load is the content at entry";
  ASSERT_TRUE(succeeded(run(kAccumulate, {dy, Tensor::scalar(1)})));
  EXPECT_EQ(state["b.grad"].values, (std::vector<double>{9, 12}));
}

// A product and GELU in one op, and its gradient with the sums of its rows, are what the separate ops are, in double to
// the last bits.
TEST_F(Reference, ProductsWithGeluAreTheirParts) {
  int count = 0;
  auto fill = [&](ArrayRef<int64_t> shape) {
    Tensor tensor = Tensor::zeros(shape);
    for (double &value : tensor.values)
      value = std::sin(1.7 * ++count);
    return tensor;
  };
  for (bool transposed : {false, true}) {
    std::string source =
        R"(func.func @f(%x: tensor<5x3xf32>, %w: tensor<WxF>, %b: tensor<4xf32>, %dy: tensor<5x2xf32>, %v: tensor<VxF>, %acc: tensor<4xf32>)
        -> (tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<4xf32>) {
      %g, %p = tx.linear_gelu %x, %w T bias %b in <"fc1"> : tensor<5x3xf32>, tensor<WxF>, tensor<4xf32> -> tensor<5x4xf32>
      %d, %s = tx.linear_gelu_input_grad %dy, %v, %p T in <backward, "fc2"> : tensor<5x2xf32>, tensor<VxF> -> tensor<5x4xf32> sums tensor<4xf32>
      %p1 = tx.linear %x, %w T bias %b in <"fc1"> : tensor<5x3xf32>, tensor<WxF>, tensor<4xf32> -> tensor<5x4xf32>
      %g1 = tx.gelu %p1 in <"act"> : tensor<5x4xf32>
      %e = tx.linear_input_grad %dy, %v T in <backward, "fc2"> : tensor<5x2xf32>, tensor<VxF> -> tensor<5x4xf32>
      %d1 = tx.gelu_grad %e, %p1 in <backward, "act"> : tensor<5x4xf32>
      %s1 = tx.bias_grad %d1 into %acc in <backward, "fc1"> : tensor<5x4xf32>, tensor<4xf32>
      return %g, %p, %d, %s, %g1, %p1, %d1, %s1 : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>, tensor<4xf32>
    })";
    auto replace = [&](StringRef from, StringRef to) {
      for (size_t at = 0; (at = source.find(from.str(), at)) != std::string::npos; at += to.size())
        source.replace(at, from.size(), to.str());
    };
    replace("WxF", transposed ? "4x3xf32" : "3x4xf32");
    replace("VxF", transposed ? "2x4xf32" : "4x2xf32");
    replace(" T ", transposed ? " transposed " : " ");
    auto results = run(source, {fill({5, 3}), transposed ? fill({4, 3}) : fill({3, 4}), fill({4}), fill({5, 2}),
                                transposed ? fill({2, 4}) : fill({4, 2}), Tensor::zeros({4})});
    ASSERT_TRUE(succeeded(results)) << messages;
    for (int i = 0; i < 4; ++i)
      for (size_t j = 0; j < (*results)[i].values.size(); ++j)
        EXPECT_NEAR((*results)[i].values[j], (*results)[i + 4].values[j], 1e-14) << i << " " << j;
  }
}

TEST_F(Reference, RefusesArgumentsThatDoNotFit) {
  EXPECT_TRUE(failed(run(kAccumulate, {})));
  EXPECT_NE(messages.find("takes 2 arguments, got 0"), std::string::npos) << messages;
  messages.clear();
  EXPECT_TRUE(failed(run(kAccumulate, {Tensor::scalar(0), Tensor::scalar(0)})));
  EXPECT_NE(messages.find("needs a value of type 'tensor<3x2xf32>'"), std::string::npos) << messages;
}

TEST_F(Reference, RefusesStateThatIsNotThere) {
  state["another"] = Tensor::scalar(0);
  EXPECT_TRUE(failed(run(kAccumulate, {Tensor::zeros({3, 2}), Tensor::scalar(0)})));
  EXPECT_NE(messages.find("loads @b.grad, which the state does not have"), std::string::npos) << messages;
}

TEST_F(Reference, RefusesTokensOutsideOfTheVocabulary) {
  const char *source = R"(
    func.func @f(%tokens: tensor<1x2xi32>, %table: tensor<3x1xf32>) -> tensor<1x2x1xf32> {
      %x = tx.embedding %tokens, %table in <"embedding"> : tensor<1x2xi32>, tensor<3x1xf32>
      return %x : tensor<1x2x1xf32>
    })";
  for (double token : {-1.0, 3.0})
    EXPECT_TRUE(failed(run(source, {Tensor{{1, 2}, {0, token}}, Tensor::zeros({3, 1})})));
  EXPECT_NE(messages.find("has token -1, not in [0, 3)"), std::string::npos) << messages;
  EXPECT_NE(messages.find("has token 3, not in [0, 3)"), std::string::npos) << messages;
}

TEST_F(Reference, RefusesTargetsOutsideOfTheVocabulary) {
  EXPECT_TRUE(failed(run(R"(
    func.func @f(%logits: tensor<1x1x3xf32>, %targets: tensor<1x1xi32>) -> tensor<1x1xf32> {
      %l, %lse = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<1x1x3xf32>, tensor<1x1xi32>
      return %l : tensor<1x1xf32>
    })",
                         {Tensor::zeros({1, 1, 3}), Tensor{{1, 1}, {-99}}})));
  EXPECT_NE(messages.find("has target -99, neither in [0, 3) nor the ignore index"), std::string::npos) << messages;
}

TEST_F(Reference, RefusesSeveralBlocks) {
  EXPECT_TRUE(failed(run("func.func @f() {\n return\n^other:\n return\n}", {})));
  EXPECT_NE(messages.find("the reference runs functions of one block"), std::string::npos) << messages;
}

TEST_F(Reference, RefusesForeignOps) {
  EXPECT_TRUE(failed(run("func.func private @g()\nfunc.func @f() { call @g() : () -> () return }", {})));
  EXPECT_NE(messages.find("is unknown to the reference"), std::string::npos) << messages;
}

} // namespace
