//===- CollectivesTest.cpp - Collectives and their duals on several ranks -----------------------------------------===//
//
// The interpreter runs the ranks in lockstep, in double. What each collective computes is checked on numbers that say
// where they come from; for a linear map A over all ranks <y, A x> = <A' y, x>, where the products are summed over the
// ranks and A' is what autodiff builds.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Reference/Interpreter.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace tx;

namespace {

/// Ranks are numbered dp * 3 + tp.
constexpr int kRanks = 6;
using Lists = std::vector<SmallVector<Tensor>>; // a list for each rank

class Collectives : public testing::Test {
protected:
  Collectives() : handler(&context, [this](Diagnostic &d) { messages += d.str() + "\n"; }) {
    context.loadDialect<TxDialect, func::FuncDialect>();
  }

  /// @f makes one tensor of another by `op`.
  func::FuncOp parse(const std::string &op, const std::string &operand, const std::string &result) {
    bool changes = StringRef(op).contains("gather") || StringRef(op).contains("scatter");
    std::string from = "tensor<" + operand + ">", to = "tensor<" + result + ">";
    module = parseSourceString<ModuleOp>("tx.mesh_axis @dp size 2\ntx.mesh_axis @tp size 3\nfunc.func @f(%x: " + from +
                                             ") -> " + to + " {\n%y = tx." + op + " in <\"loss\"> : " + from +
                                             (changes ? " -> " + to : "") + "\nreturn %y : " + to + "\n}",
                                         &context);
    return module ? module->lookupSymbol<func::FuncOp>("f") : func::FuncOp();
  }

  FailureOr<Lists> run(func::FuncOp function, const Lists &arguments) {
    std::vector<State> states(arguments.size());
    return interpretRanks(function, arguments, states);
  }

  MLIRContext context;
  std::string messages;
  ScopedDiagnosticHandler handler;
  OwningOpRef<ModuleOp> module;
};

//===--------------------------------------------------------------------------------------------------------------===//
// What they compute
//===--------------------------------------------------------------------------------------------------------------===//

/// Element i of rank r is 10 r + i; `expected` is rank 4's result: place 1 on @dp (ranks 1 and 4), 1 on @tp (ranks 3,
/// 4, 5).
struct Meaning {
  const char *name, *op, *operand, *result;
  std::vector<double> expected;
};
void PrintTo(const Meaning &c, std::ostream *os) { *os << c.name; }

const Meaning kMeanings[] = {
    {"AllReduce", "all_reduce %x on @dp", "2xf64", "2xf64", {50, 52}},
    {"AllGather", "all_gather %x dim 0 on @tp", "2xf64", "6xf64", {30, 31, 40, 41, 50, 51}},
    {"AllGatherOfRows", "all_gather %x dim 1 on @dp", "2x2xf64", "2x4xf64", {10, 11, 40, 41, 12, 13, 42, 43}},
    {"ReduceScatter", "reduce_scatter %x dim 0 on @tp", "6xf64", "2xf64", {126, 129}},
    {"ReduceScatterOfRows", "reduce_scatter %x dim 1 on @dp", "2x2xf64", "2x1xf64", {52, 56}},
    {"AllToAll", "all_to_all %x dim 0 on @tp", "6xf64", "6xf64", {32, 33, 42, 43, 52, 53}},
    {"AllToAllOfRows", "all_to_all %x dim 1 on @dp", "2x2xf64", "2x2xf64", {11, 41, 13, 43}},
    {"Broadcast", "broadcast %x from 2 on @tp", "2xf64", "2xf64", {50, 51}},
    {"Reduce", "reduce %x to 1 on @tp", "2xf64", "2xf64", {120, 123}},
    {"ReduceElsewhere", "reduce %x to 0 on @tp", "2xf64", "2xf64", {0, 0}},
    {"Send", "send_recv %x by 1 on @tp", "2xf64", "2xf64", {30, 31}},
    {"SendFromNobody", "send_recv %x by 2 on @tp", "2xf64", "2xf64", {0, 0}},
    {"SendAround", "send_recv %x by 2 wraps on @tp", "2xf64", "2xf64", {50, 51}},
    {"SendBack", "send_recv %x by -1 on @dp", "2xf64", "2xf64", {0, 0}},
    // 30 + 40 + 50.25 is 120.25, of which bf16 keeps 120.
    {"SumIsRounded", "all_reduce %x on @tp", "1xbf16", "1xbf16", {120}},
};

class CollectiveMeaning : public Collectives, public testing::WithParamInterface<Meaning> {};

TEST_P(CollectiveMeaning, OnSixRanks) {
  const Meaning &c = GetParam();
  func::FuncOp function = parse(c.op, c.operand, c.result);
  ASSERT_TRUE(function) << messages;
  auto type = cast<RankedTensorType>(function.getArgumentTypes()[0]);
  Lists x;
  for (int rank = 0; rank < kRanks; ++rank) {
    Tensor tensor = Tensor::zeros(type.getShape());
    for (size_t i = 0; i < tensor.values.size(); ++i)
      tensor.values[i] = 10 * rank + static_cast<double>(i) + (type.getElementType().isBF16() && rank == 5 ? 0.25 : 0);
    x.push_back({tensor});
  }
  auto y = run(function, x);
  ASSERT_TRUE(succeeded(y)) << messages;
  EXPECT_EQ((*y)[4][0].values, c.expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, CollectiveMeaning, testing::ValuesIn(kMeanings),
                         [](const auto &info) { return std::string(info.param.name); });

//===--------------------------------------------------------------------------------------------------------------===//
// Duals
//===--------------------------------------------------------------------------------------------------------------===//

struct Map {
  const char *name, *op, *operand, *result;
};
void PrintTo(const Map &c, std::ostream *os) { *os << c.name; }

const Map kMaps[] = {
    {"AllGather", "all_gather %x dim 1 on @tp", "2x3x4xf64", "2x9x4xf64"},
    {"AllGatherOnSlowAxis", "all_gather %x dim 0 on @dp", "2x3x4xf64", "4x3x4xf64"},
    {"ReduceScatter", "reduce_scatter %x dim 2 on @tp", "2x5x6xf64", "2x5x2xf64"},
    {"AllToAll", "all_to_all %x dim 1 on @tp", "2x6x4xf64", "2x6x4xf64"},
    {"Broadcast", "broadcast %x from 2 on @tp", "3x4xf64", "3x4xf64"},
    {"BroadcastOnSlowAxis", "broadcast %x from 1 on @dp", "3x4xf64", "3x4xf64"},
    {"Reduce", "reduce %x to 1 on @tp", "3x4xf64", "3x4xf64"},
    {"Send", "send_recv %x by 1 on @tp", "3x4xf64", "3x4xf64"},
    {"SendBack", "send_recv %x by -2 on @tp", "3x4xf64", "3x4xf64"},
    {"SendAround", "send_recv %x by 1 wraps on @tp", "3x4xf64", "3x4xf64"},
};

/// The context of one op, whose operand's gradient it keeps.
class Recorder : public BackwardContext {
public:
  Recorder(Value result, Value gradient, ScopeAttr scope) : result(result), gradient(gradient), scope(scope) {}
  Value getGradient(Value value) override { return value == result ? gradient : Value(); }
  bool needsGradient(Value) override { return true; }
  void addGradient(Value, Value value) override { operandGradient = value; }
  bool accumulate(ArrayRef<Value>, Accumulate) override { return false; }
  bool enterForward(OpBuilder &, ArrayRef<Value>) override { return false; }
  void replaceForward(ValueRange) override {}
  ScopeAttr getScope() override { return scope; }

  Value operandGradient;

private:
  Value result, gradient;
  ScopeAttr scope;
};

double dot(const Lists &a, const Lists &b) {
  double sum = 0;
  for (size_t rank = 0; rank < a.size(); ++rank)
    for (size_t i = 0; i < a[rank][0].values.size(); ++i)
      sum += a[rank][0].values[i] * b[rank][0].values[i];
  return sum;
}

Lists randomTensors(Type type, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Lists all;
  for (int rank = 0; rank < kRanks; ++rank) {
    Tensor tensor = Tensor::zeros(cast<RankedTensorType>(type).getShape());
    for (double &value : tensor.values)
      value = normal(random);
    all.push_back({tensor});
  }
  return all;
}

class CollectiveDual : public Collectives, public testing::WithParamInterface<Map> {};

TEST_P(CollectiveDual, IsTheAdjointOverSixRanks) {
  const Map &c = GetParam();
  func::FuncOp forward = parse(c.op, c.operand, c.result);
  ASSERT_TRUE(forward) << messages;
  Operation &op = forward.front().front();
  auto builder = OpBuilder::atBlockEnd(module->getBody());
  auto dual = func::FuncOp::create(builder, forward.getLoc(), "dual",
                                   builder.getFunctionType(forward.getResultTypes(), forward.getArgumentTypes()));
  builder.setInsertionPointToStart(dual.addEntryBlock());
  Recorder recorder(op.getResult(0), dual.getArgument(0), cast<ScopedOpInterface>(op).getScope());
  ASSERT_TRUE(succeeded(cast<DifferentiableOpInterface>(op).buildBackward(builder, recorder)));
  ASSERT_TRUE(recorder.operandGradient);
  func::ReturnOp::create(builder, dual.getLoc(), recorder.operandGradient);
  ASSERT_TRUE(succeeded(verify(*module))) << messages;

  Lists x = randomTensors(forward.getArgumentTypes()[0], 1), y = randomTensors(forward.getResultTypes()[0], 2);
  auto ax = run(forward, x), aty = run(dual, y);
  ASSERT_TRUE(succeeded(ax) && succeeded(aty)) << messages;
  EXPECT_NEAR(dot(y, *ax), dot(*aty, x), 1e-10);
  EXPECT_GT(std::abs(dot(y, *ax)), 1e-3) << "the case checks nothing";
}

INSTANTIATE_TEST_SUITE_P(Cases, CollectiveDual, testing::ValuesIn(kMaps),
                         [](const auto &info) { return std::string(info.param.name); });

//===--------------------------------------------------------------------------------------------------------------===//
// Refusals
//===--------------------------------------------------------------------------------------------------------------===//

TEST_F(Collectives, NeedEveryRank) {
  func::FuncOp function = parse("all_reduce %x on @tp", "2xf64", "2xf64");
  ASSERT_TRUE(function) << messages;
  EXPECT_TRUE(failed(run(function, Lists(3, {Tensor::zeros({2})}))));
  EXPECT_NE(messages.find("runs on a mesh of 6 ranks, got arguments of 3 and states of 3"), std::string::npos)
      << messages;
}

TEST_F(Collectives, NeedEveryRanksArguments) {
  func::FuncOp function = parse("all_reduce %x on @tp", "2xf64", "2xf64");
  ASSERT_TRUE(function) << messages;
  Lists x(kRanks, {Tensor::zeros({2})});
  x[5] = {Tensor::zeros({3})};
  EXPECT_TRUE(failed(run(function, x)));
  EXPECT_NE(messages.find("needs a value of type 'tensor<2xf64>', got one of another shape"), std::string::npos)
      << messages;
}

TEST_F(Collectives, AreNotForOneOfSeveralRanks) {
  func::FuncOp function = parse("broadcast %x from 0 on @tp", "2xf64", "2xf64");
  ASSERT_TRUE(function) << messages;
  State state;
  EXPECT_TRUE(failed(interpret(function, {Tensor::zeros({2})}, state)));
  EXPECT_NE(messages.find("joins 3 ranks of axis @tp; the interpreter is one"), std::string::npos) << messages;
}

} // namespace
