//===- CheckFunction.cpp - A test's function, apart from what it expects ------------------------------------------===//

#include "CheckFunction.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace tx;

/// People write a test's numbers by hand: a tensor with more elements is a typing error, and would take gigabytes as
/// doubles.
static constexpr int64_t kMaxElements = int64_t(1) << 24;

static Tensor toTensor(DenseElementsAttr attribute) {
  Tensor tensor = Tensor::zeros(attribute.getType().getShape());
  if (isa<FloatType>(attribute.getElementType())) {
    for (auto [to, number] : llvm::zip_equal(tensor.values, attribute.getValues<llvm::APFloat>())) {
      llvm::APFloat wide = number;
      bool losesInfo;
      wide.convert(llvm::APFloat::IEEEdouble(), llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      to = wide.convertToDouble();
    }
    return tensor;
  }
  bool isBit = attribute.getElementType().isInteger(1);
  for (auto [to, number] : llvm::zip_equal(tensor.values, attribute.getValues<llvm::APInt>()))
    to = isBit ? static_cast<double>(number.getZExtValue()) : static_cast<double>(number.getSExtValue());
  return tensor;
}

/// The tensor that a constant op has; nothing if the op is no constant.
static std::optional<Tensor> getWrittenValue(Operation &op) {
  DenseElementsAttr attribute;
  if (matchPattern(&op, m_Constant(&attribute)))
    return toTensor(attribute);
  if (auto random = dyn_cast<check::RandomOp>(op))
    return Tensor{SmallVector<int64_t, 4>(random.getType().getShape()), random.getValues()};
  return std::nullopt;
}

static LogicalResult verifySignature(func::FuncOp source) {
  FunctionType type = source.getFunctionType();
  if (type.getNumInputs())
    return source.emitError("@") << source.getName() << " takes arguments; the inputs of a check are written in it, as "
                                 << "%x = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>";
  if (type.getNumResults())
    return source.emitError("@") << source.getName() << " returns values, which nothing compares; check.equal and "
                                 << "check.near do";
  if (!source.getBody().hasOneBlock())
    return source.emitError("@") << source.getName() << " has " << source.getBody().getBlocks().size()
                                 << " blocks; a check has one";
  return success();
}

static bool isElement(Type type) {
  return type.isF32() || type.isBF16() || type.isF64() || type.isSignlessInteger(32) || type.isSignlessInteger(1);
}

/// Refuses loads and stores: a check's inputs are its constants, and its results the values that it compares. Refuses
/// types that checks do not have.
static LogicalResult verifyOp(Operation &op) {
  if (isa<LoadOp, StoreOp>(op))
    return op.emitOpError("has no place in a check, whose inputs are written in it; compare the value that would be "
                          "stored");
  for (Type type : op.getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape() || !isElement(tensor.getElementType()))
      return op.emitOpError("gives ")
             << type << "; a check computes with tensors of f32, bf16, i32, i1 and f64, of static shape";
    std::optional<int64_t> elements = tx::detail::countElements(tensor.getShape());
    if (!elements || *elements > kMaxElements)
      return op.emitOpError("gives ") << type << "; in a check, tensors have at most " << kMaxElements << " elements";
  }
  return success();
}

namespace {

class TakingApart {
public:
  explicit TakingApart(func::FuncOp source) { result.source = source; }

  FailureOr<CheckFunction> run(OpBuilder &builder) {
    for (Operation &op : result.source.front()) {
      if (failed(verifyOp(op)))
        return failure();
      sort(op);
    }
    if (result.comparisons.empty())
      return result.source.emitError("@")
             << result.source.getName() << " has no check.equal and no check.near: it is a test that cannot fail";
    build(builder);
    return std::move(result);
  }

private:
  /// Puts the op into one of the lists: inputs (constants), comparisons, or ops that compute.
  void sort(Operation &op) {
    for (Type type : op.getResultTypes())
      result.runsOnHost &= !cast<RankedTensorType>(type).getElementType().isF64();
    if (std::optional<Tensor> tensor = getWrittenValue(op)) {
      written[op.getResult(0)] = *tensor;
      inputs.push_back(op.getResult(0));
      result.inputs.push_back(std::move(*tensor));
    } else if (auto compare = dyn_cast<check::CompareOpInterface>(op)) {
      result.comparisons.push_back(makeComparison(compare));
    } else if (!isa<func::ReturnOp>(op)) {
      computing.push_back(&op);
    }
  }

  Comparison makeComparison(check::CompareOpInterface op) {
    Comparison comparison{op, getResult(op.getFound()), std::nullopt, {}};
    if (Value other = op.getOther()) {
      auto found = written.find(other);
      if (found != written.end())
        comparison.written = found->second;
      else
        comparison.other = getResult(other);
    } else {
      comparison.written = toTensor(cast<DenseElementsAttr>(op.getWrittenAttr()));
    }
    return comparison;
  }

  /// The number of the new function's result that returns the value; adds a result if none does yet.
  unsigned getResult(Value value) {
    auto *found = llvm::find(results, value);
    if (found == results.end())
      found = results.insert(results.end(), value);
    return found - results.begin();
  }

  /// An accumulating op overwrites its accumulator. If the accumulator is a constant with several uses, the op gets an
  /// argument of its own with the same numbers. Returns the operands that get new arguments.
  SmallVector<OpOperand *> addAccumulators() {
    SmallVector<OpOperand *> operands;
    for (Operation *op : computing)
      if (isa<AccumulatingOpInterface>(op))
        for (OpOperand &operand : op->getOpOperands()) {
          auto *found = llvm::find(inputs, operand.get());
          if (found == inputs.end() || operand.get().hasOneUse())
            continue;
          operands.push_back(&operand);
          result.inputs.push_back(result.inputs[found - inputs.begin()]);
          inputs.push_back(operand.get());
        }
    return operands;
  }

  void build(OpBuilder &builder) {
    func::FuncOp source = result.source;
    size_t named = inputs.size();
    SmallVector<OpOperand *> accumulators = addAccumulators();
    auto type = builder.getFunctionType(ValueRange(inputs).getTypes(), ValueRange(results).getTypes());
    result.function = func::FuncOp::create(builder, source.getLoc(), source.getName(), type);
    Block *body = result.function.addEntryBlock();
    OpBuilder inner = OpBuilder::atBlockEnd(body);
    IRMapping mapping;
    mapping.map(ArrayRef(inputs).take_front(named), body->getArguments().take_front(named));
    for (Operation *op : computing)
      inner.clone(*op, mapping);
    for (auto [operand, argument] : llvm::zip_equal(accumulators, body->getArguments().drop_front(named)))
      mapping.lookup(operand->getOwner())->setOperand(operand->getOperandNumber(), argument);
    SmallVector<Value> returned;
    for (Value value : results)
      returned.push_back(mapping.lookup(value));
    func::ReturnOp::create(inner, source.getLoc(), returned);
  }

  CheckFunction result;
  SmallVector<Value> inputs, results;
  DenseMap<Value, Tensor> written;
  SmallVector<Operation *> computing;
};

} // namespace

FailureOr<CheckFunction> tx::takeApart(func::FuncOp source, OpBuilder &builder) {
  if (failed(::verifySignature(source)))
    return failure();
  return TakingApart(source).run(builder);
}
