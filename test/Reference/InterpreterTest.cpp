//===- InterpreterTest.cpp - State, arguments, refusals of the reference ------------------------------------------===//
//
// That the ops compute the right numbers is the matter of test/Numerics/Ops, which also has what the reference refuses
// of values, of RecordedModelsTest and of test/Autodiff.
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

TEST_F(Reference, RefusesSeveralBlocks) {
  EXPECT_TRUE(failed(run("func.func @f() {\n return\n^other:\n return\n}", {})));
  EXPECT_NE(messages.find("the reference runs functions of one block"), std::string::npos) << messages;
}

} // namespace
