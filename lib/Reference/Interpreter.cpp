//===- Interpreter.cpp - Runs a function of tx ops ----------------------------------------------------------------===//

#include "tx/Reference/Interpreter.h"

#include "Kernels.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace mlir;
using namespace tx;

Tensor Tensor::zeros(ArrayRef<int64_t> shape) {
  int64_t elements = 1;
  for (int64_t size : shape)
    elements *= size;
  return {SmallVector<int64_t, 4>(shape), std::vector<double>(elements)};
}

/// Rounds to the nearest bf16 number (eight significant bits), ties to even.
static double roundToBf16(double value) {
  if (!std::isfinite(value) || value == 0)
    return value;
  constexpr int kBits = 8, kSmallest = -133; // 2^-133: the smallest denormal
  int exponent;
  std::frexp(value, &exponent);
  int last = std::max(exponent - kBits, kSmallest);
  // A product by a power of two is exact, and nearbyint rounds ties to even.
  double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -last)), last);
  return std::abs(rounded) < 0x1p128 ? rounded : std::copysign(INFINITY, value);
}

void tx::roundTo(Type type, Tensor &tensor) {
  if (cast<RankedTensorType>(type).getElementType().isBF16())
    llvm::transform(tensor.values, tensor.values.begin(), roundToBf16);
}

State tx::createState(ModuleOp module, uint64_t seed) {
  std::mt19937_64 random(seed);
  State state;
  for (auto global : module.getOps<GlobalOp>()) {
    Tensor tensor = Tensor::zeros(cast<RankedTensorType>(global.getType()).getShape());
    if (global.getInit() == InitKind::Ones)
      tensor.values.assign(tensor.values.size(), 1.0);
    if (global.getInit() == InitKind::Normal) {
      std::normal_distribution<double> normal(0.0, global.getStddev().convertToDouble());
      for (double &value : tensor.values)
        value = normal(random);
    }
    roundTo(global.getType(), tensor);
    state[global.getSymName().str()] = std::move(tensor);
  }
  return state;
}

const KernelTable &tx::getKernels() {
  static const KernelTable table = [] {
    KernelTable result;
    addLayerKernels(result);
    addElementwiseKernels(result);
    addCollectiveKernels(result);
    addAttentionKernels(result);
    addTrainingKernels(result);
    return result;
  }();
  return table;
}

namespace {

class Interpreter {
public:
  Interpreter(func::FuncOp function, State &state) : function(function), state(state) {}

  LogicalResult start(ArrayRef<Tensor> arguments) {
    if (arguments.size() != function.getNumArguments())
      return function.emitError("takes ") << function.getNumArguments() << " arguments, got " << arguments.size();
    for (auto [argument, tensor] : llvm::zip_equal(function.getArguments(), arguments)) {
      if (failed(checkShape(function, argument.getType(), tensor)))
        return failure();
      values[argument] = tensor;
    }
    return success();
  }

  /// Runs an op that needs no other rank: a load, a store, or the op's kernel.
  LogicalResult runOp(Operation *op);

  const Tensor &getValue(Value value) const { return values.find(value)->second; }
  void setValue(Value value, Tensor tensor) {
    roundTo(value.getType(), tensor);
    values[value] = std::move(tensor);
  }

  SmallVector<Tensor> getResults() {
    SmallVector<Tensor> results;
    for (Value operand : function.front().getTerminator()->getOperands())
      results.push_back(getValue(operand));
    return results;
  }

private:
  static LogicalResult checkShape(Operation *op, Type type, const Tensor &tensor) {
    auto expected = dyn_cast<RankedTensorType>(type);
    if (!expected || expected.getShape() != ArrayRef<int64_t>(tensor.shape) ||
        expected.getNumElements() != static_cast<int64_t>(tensor.values.size()))
      return op->emitError("needs a value of type ") << type << ", got one of another shape";
    return success();
  }

  func::FuncOp function;
  State &state;
  DenseMap<Value, Tensor> values;
};

LogicalResult Interpreter::runOp(Operation *op) {
  if (auto load = dyn_cast<LoadOp>(op)) {
    auto found = state.find(load.getGlobal().str());
    if (found == state.end())
      return op->emitOpError("loads ") << load.getGlobalAttr() << ", which the state does not have";
    values[load.getResult()] = found->second;
    return checkShape(op, load.getResult().getType(), found->second);
  }
  if (auto store = dyn_cast<StoreOp>(op)) {
    state[store.getGlobal().str()] = getValue(store.getValue());
    return success();
  }
  Kernel kernel = getKernels().lookup(op->getName());
  if (!kernel)
    return op->emitOpError("is unknown to the reference");
  SmallVector<const Tensor *> operands;
  for (Value operand : op->getOperands())
    operands.push_back(&getValue(operand));
  SmallVector<Tensor> results;
  for (Type type : op->getResultTypes())
    results.push_back(Tensor::zeros(cast<RankedTensorType>(type).getShape()));
  if (failed(kernel(op, operands, results)))
    return failure();
  for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results))
    setValue(result, std::move(tensor));
  return success();
}

LogicalResult verifyOneBlock(func::FuncOp function) {
  if (!function.getBody().hasOneBlock())
    return function.emitError("the reference runs functions of one block");
  return success();
}

/// Runs one collective on all ranks and sets each rank's result.
void runTogether(CollectiveOpInterface op, MutableArrayRef<Interpreter> ranks) {
  SmallVector<const Tensor *> operands;
  for (Interpreter &rank : ranks)
    operands.push_back(&rank.getValue(op->getOperand(0)));
  Value result = op->getResult(0);
  SmallVector<Tensor> results;
  for (size_t self = 0; self < ranks.size(); ++self) {
    results.push_back(Tensor::zeros(cast<RankedTensorType>(result.getType()).getShape()));
    runCollective(op, operands, self, results.back());
  }
  for (auto [rank, tensor] : llvm::zip_equal(ranks, results))
    rank.setValue(result, std::move(tensor));
}

/// The number of ranks of the module's mesh.
int64_t getMeshSize(ModuleOp module) {
  int64_t ranks = 1;
  for (auto axis : module.getOps<MeshAxisOp>())
    ranks *= axis.getSize();
  return ranks;
}

} // namespace

FailureOr<SmallVector<Tensor>> tx::interpret(func::FuncOp function, ArrayRef<Tensor> arguments, State &state) {
  Interpreter alone(function, state);
  if (failed(verifyOneBlock(function)) || failed(alone.start(arguments)))
    return failure();
  for (Operation &op : function.front().without_terminator())
    if (failed(alone.runOp(&op)))
      return failure();
  return alone.getResults();
}

FailureOr<std::vector<SmallVector<Tensor>>>
tx::interpretRanks(func::FuncOp function, ArrayRef<SmallVector<Tensor>> arguments, MutableArrayRef<State> states) {
  if (failed(verifyOneBlock(function)))
    return failure();
  auto size = static_cast<size_t>(getMeshSize(function->getParentOfType<ModuleOp>()));
  if (arguments.size() != size || states.size() != size)
    return function.emitError("runs on a mesh of ")
           << size << " ranks, got arguments of " << arguments.size() << " and states of " << states.size();
  std::vector<Interpreter> ranks;
  for (auto [list, state] : llvm::zip_equal(arguments, states))
    if (failed(ranks.emplace_back(function, state).start(list)))
      return failure();
  for (Operation &op : function.front().without_terminator()) {
    if (auto collective = dyn_cast<CollectiveOpInterface>(op)) {
      runTogether(collective, ranks);
      continue;
    }
    for (Interpreter &rank : ranks)
      if (failed(rank.runOp(&op)))
        return failure();
  }
  std::vector<SmallVector<Tensor>> results;
  for (Interpreter &rank : ranks)
    results.push_back(rank.getResults());
  return results;
}
