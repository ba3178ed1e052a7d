//===- Interpreter.cpp - Runs a function of tx ops ------------------------===//

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

/// To the nearest number of eight significant bits, ties to even.
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

  FailureOr<SmallVector<Tensor>> run(ArrayRef<Tensor> arguments) {
    if (!function.getBody().hasOneBlock())
      return function.emitError("the reference runs functions of one block");
    if (arguments.size() != function.getNumArguments())
      return function.emitError("takes ") << function.getNumArguments() << " arguments, got " << arguments.size();
    for (auto [argument, tensor] : llvm::zip_equal(function.getArguments(), arguments)) {
      if (failed(checkShape(function, argument.getType(), tensor)))
        return failure();
      values[argument] = tensor;
    }
    for (Operation &op : function.front().without_terminator())
      if (failed(runOp(&op)))
        return failure();
    SmallVector<Tensor> results;
    for (Value operand : function.front().getTerminator()->getOperands())
      results.push_back(values.find(operand)->second);
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

  LogicalResult runOp(Operation *op) {
    if (auto load = dyn_cast<LoadOp>(op)) {
      auto found = state.find(load.getGlobal().str());
      if (found == state.end())
        return op->emitOpError("loads ") << load.getGlobalAttr() << ", which the state does not have";
      values[load.getResult()] = found->second;
      return checkShape(op, load.getResult().getType(), found->second);
    }
    if (auto store = dyn_cast<StoreOp>(op)) {
      state[store.getGlobal().str()] = values.find(store.getValue())->second;
      return success();
    }
    Kernel kernel = getKernels().lookup(op->getName());
    if (!kernel)
      return op->emitOpError("is unknown to the reference");
    SmallVector<const Tensor *> operands;
    for (Value operand : op->getOperands())
      operands.push_back(&values.find(operand)->second);
    SmallVector<Tensor> results;
    for (Type type : op->getResultTypes())
      results.push_back(Tensor::zeros(cast<RankedTensorType>(type).getShape()));
    if (failed(kernel(op, operands, results)))
      return failure();
    for (auto [result, tensor] : llvm::zip_equal(op->getResults(), results)) {
      roundTo(result.getType(), tensor);
      values[result] = std::move(tensor);
    }
    return success();
  }

  func::FuncOp function;
  State &state;
  DenseMap<Value, Tensor> values;
};

} // namespace

FailureOr<SmallVector<Tensor>> tx::interpret(func::FuncOp function, ArrayRef<Tensor> arguments, State &state) {
  return Interpreter(function, state).run(arguments);
}
