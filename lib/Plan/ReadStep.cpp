//===- ReadStep.cpp - From IR to the step as plain data -----------------------------------------------------------===//

#include "tx/Plan/ReadStep.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/Border.h"
#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Plan/NameTable.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace tx;

static plan::ElementType getElementType(Type type) {
  if (type.isBF16())
    return plan::ElementType::BF16;
  if (type.isF16())
    return plan::ElementType::F16;
  if (type.isF64())
    return plan::ElementType::F64;
  if (type.isInteger(1))
    return plan::ElementType::I1;
  if (type.isInteger(8))
    return plan::ElementType::I8;
  return type.isInteger(32) ? plan::ElementType::I32 : plan::ElementType::F32;
}

static plan::Work getWork(KernelKind kind) {
  switch (kind) {
  case KernelKind::Row:
    return plan::Work::Row;
  case KernelKind::Column:
    return plan::Work::Column;
  case KernelKind::Flat:
    return plan::Work::Flat;
  case KernelKind::Tile:
    return plan::Work::Tile;
  case KernelKind::Gemm:
    return plan::Work::Product;
  case KernelKind::View:
    return plan::Work::View;
  }
  llvm_unreachable("all kinds are listed");
}

namespace {

/// Numbers the types of a module's tensors.
class TypeTable {
public:
  explicit TypeTable(std::vector<plan::TensorType> &types) : types(types) {}

  int add(RankedTensorType type) {
    auto [known, isNew] = numbers.try_emplace(type, types.size());
    if (isNew)
      types.push_back({type.getShape().vec(), getElementType(type.getElementType())});
    return known->second;
  }

private:
  std::vector<plan::TensorType> &types;
  llvm::DenseMap<Type, int> numbers;
};

class EntryReader {
public:
  EntryReader(func::FuncOp function, TypeTable &types, const llvm::StringMap<int> &states,
              const llvm::DenseMap<StringAttr, int64_t> &ranks, ReadNames names)
      : types(types), states(states), ranks(ranks), border(findBorderOps(function.getBody())) {
    if (names == ReadNames::Yes)
      table.emplace(function);
    ir.function = function;
    entry.name = function.getName().str();
  }

  void run() {
    for (BlockArgument argument : ir.function.getArguments())
      entry.arguments.push_back(addValue(argument, /*producer=*/-1));
    for (Operation &op : ir.function.front())
      readTopLevel(op);
  }

  plan::Entry entry;
  EntryIR ir;

private:
  void readTopLevel(Operation &op) {
    if (auto group = dyn_cast<step::GroupOp>(op))
      return readGroup(group);
    if (auto load = dyn_cast<LoadOp>(op)) {
      entry.values[addValue(load.getResult(), /*producer=*/-1)].state = states.lookup(load.getGlobal());
      return;
    }
    if (auto store = dyn_cast<StoreOp>(op)) {
      entry.stores.push_back({numbers.lookup(store.getValue()), states.lookup(store.getGlobal())});
      return;
    }
    if (isa<func::ReturnOp>(op)) {
      for (Value operand : op.getOperands())
        entry.results.push_back(numbers.lookup(operand));
      return;
    }
    if (!isa<ScopedOpInterface>(op) && op.getNumOperands() == 0) {
      for (Value result : op.getResults())
        addValue(result, /*producer=*/-1);
      return;
    }
    read(op, /*group=*/-1);
  }

  void readGroup(step::GroupOp group) {
    Block &body = group.getBody().front();
    for (auto [argument, input] : llvm::zip(body.getArguments(), group.getInputs()))
      numbers[argument] = numbers.lookup(input);
    for (Operation &op : body.without_terminator())
      read(op, groupCount);
    ++groupCount;
    for (auto [yielded, output] : llvm::zip(body.back().getOperands(), group.getOutputs())) {
      int number = numbers.lookup(yielded);
      numbers[output] = number;
      ir.values[number] = output;
    }
    if (auto scratch = group->getAttrOfType<IntegerAttr>(kScratchBytesAttr))
      entry.ops.back().scratchBytes = scratch.getInt();
    if (group->hasAttr(kLibraryAttentionAttr))
      entry.ops.back().givesAllResults = true;
  }

  void read(Operation &op, int group) {
    int number = entry.ops.size();
    plan::Op data;
    data.kind = op.getName().getStringRef().str();
    data.group = group;
    for (Value operand : op.getOperands())
      data.operands.push_back({numbers.lookup(operand)});
    if (auto scoped = dyn_cast<ScopedOpInterface>(op))
      readScope(scoped, data);
    else if (op.getNumResults() != 0 && usesBackward(data))
      data.segment = Segment::Backward;
    readCost(op, data);
    readReplay(op, data);
    for (OpResult result : op.getResults())
      data.results.push_back(addValue(result, number));
    readWork(op, data);
    if (auto accumulating = dyn_cast<AccumulatingOpInterface>(op)) {
      for (auto [operand, result] : accumulating.getTies())
        data.ties.push_back({operand, result});
    }
    if (auto scratch = op.getAttrOfType<IntegerAttr>(kScratchBytesAttr))
      data.scratchBytes = scratch.getInt();
    data.givesAllResults = op.hasAttr(kLibraryAttentionAttr);
    if (data.isForward())
      entry.addLayer(data.layer);
    entry.ops.push_back(std::move(data));
    ir.ops.push_back(&op);
    findStorages(entry.ops.back());
  }

  void readScope(ScopedOpInterface op, plan::Op &data) {
    ScopeAttr scope = op.getScope();
    if (table)
      data.name = table->nameOf(op);
    data.segment = scope.getSegment();
    data.layer = scope.getLayer();
    SmallVector<StringRef> components;
    scope.getPath().split(components, '.');
    data.path.assign(components.begin(), components.end());
  }

  static void readCost(Operation &op, plan::Op &data) {
    if (auto cost = dyn_cast<CostOpInterface>(op)) {
      data.matrixFlops = cost.getMatrixFlops();
      data.vectorFlops = cost.getVectorFlops();
      data.gradientFlops = cost.getGradientFlops();
      data.sentBytes = cost.getSentBytes();
    } else if (isa<KernelOpInterface>(op)) {
      data.vectorFlops = tx::detail::defaultVectorFlops(&op);
    }
  }

  void readReplay(Operation &op, plan::Op &data) {
    if (auto recompute = dyn_cast<RecomputeOpInterface>(op)) {
      data.replay = recompute.getReplayKind();
      if (Value key = recompute.getReplayKey())
        data.replayKey = numbers.lookup(key);
    }
    if (border.contains(&op)) { // no policy recomputes it, whatever module it belongs to
      data.atBorder = true;
      data.replay = ReplayKind::Never;
      data.layer = -1;
      data.path.clear();
    }
  }

  void readWork(Operation &op, plan::Op &data) {
    if (auto view = dyn_cast<ViewOpInterface>(op)) {
      data.work = plan::Work::View;
      plan::View parts{numbers.lookup(view.getViewedWhole()), {}, view.hasRuns(), view.packsState()};
      for (auto [part, start] : view.getViewedParts())
        parts.parts.push_back({numbers.lookup(part), start});
      data.view = std::move(parts);
    } else if (auto gemm = dyn_cast<GemmOpInterface>(op)) {
      data.work = plan::Work::Product;
      readProduct(op, gemm.getGemmForm(), data);
    } else if (auto collective = dyn_cast<CollectiveOpInterface>(op)) {
      data.work = plan::Work::Collective;
      data.collective = stringifyCollectiveKind(collective.getCollectiveKind()).str();
      auto known = ranks.find(collective.getAxisAttr().getAttr());
      data.ranks = known == ranks.end() ? 1 : known->second;
    } else if (auto kernel = dyn_cast<KernelOpInterface>(op)) {
      readKernel(op, kernel, data);
    }
  }

  void readProduct(Operation &op, const GemmForm &form, plan::Op &data) {
    auto numberOf = [&](Value value) { return value ? numbers.lookup(value) : -1; };
    plan::Product product;
    product.m = form.m, product.n = form.n, product.k = form.k;
    product.batch0 = form.batch0, product.batch1 = form.batch1;
    product.transposeA = form.a.transpose, product.transposeB = form.b.transpose;
    product.repeatA = form.a.repeat, product.repeatB = form.b.repeat;
    product.a = numberOf(form.a.value), product.b = numberOf(form.b.value), product.c = numberOf(form.c.value);
    product.bias = numberOf(form.bias);
    product.accumulates = form.accumulate;
    auto epilogue = op.getAttrOfType<step::GemmRoleAttr>(kEpilogueAttr);
    product.libraryAddsBias = epilogue && epilogue.getValue() == step::GemmRole::Bias;
    data.product = product;
  }

  void readKernel(Operation &op, KernelOpInterface kernel, plan::Op &data) {
    data.work = getWork(kernel.getKernelKind());
    data.space = kernel.getKernelSpace();
    data.reductionPasses = kernel.getReductionPasses();
    data.isRowSum = isa<RowSumOpInterface>(op);
    if (Value shared = kernel.getSharedOperand())
      data.sharedOperand = numbers.lookup(shared);
    for (unsigned operand : kernel.getInPlaceOperands())
      data.operands[operand].mayBeReplaced = true;
    for (auto [number, operand] : llvm::enumerate(data.operands)) {
      operand.isRead = kernel.readsOperand(number);
      operand.isOtherRows = kernel.readsOtherRows(number);
    }
    if (auto scatter = dyn_cast<ScatteringOpInterface>(op)) {
      Value ids = scatter.getScatterIds();
      data.scatter = plan::Scatter{ids ? numbers.lookup(ids) : -1, scatter.getScatterRows()};
    }
  }

  bool usesBackward(const plan::Op &data) const {
    return llvm::any_of(data.operands, [&](const plan::Operand &operand) {
      int producer = entry.values[operand.value].producer;
      return producer >= 0 && !entry.ops[producer].isForward();
    });
  }

  int addValue(Value value, int producer) {
    int number = entry.values.size();
    plan::Value data;
    data.producer = producer;
    data.storage = number;
    if (auto type = dyn_cast<RankedTensorType>(value.getType()); type && type.hasStaticShape()) {
      data.bytes = getByteSize(type);
      data.type = types.add(type);
      data.rank = type.getRank();
      data.rows = getRows(type);
      data.columns = getColumns(type);
      data.elementBytes = data.bytes / type.getNumElements();
    }
    if (auto result = dyn_cast<OpResult>(value); result && table)
      data.name = table->nameOf(result);
    entry.values.push_back(std::move(data));
    ir.values.push_back(value);
    numbers[value] = number;
    return number;
  }

  /// A view shows the memory of its whole; what continues state or an argument in place is still that.
  void findStorages(const plan::Op &op) {
    if (op.view)
      for (int result : op.results)
        if (op.view->whole != result)
          entry.values[result].storage = entry.values[op.view->whole].storage;
    for (auto [operand, result] : op.ties) {
      int start = entry.values[op.operands[operand].value].storage;
      if (entry.values[start].producer < 0)
        entry.values[op.results[result]].storage = start;
    }
  }

  TypeTable &types;
  const llvm::StringMap<int> &states;
  const llvm::DenseMap<StringAttr, int64_t> &ranks;
  std::optional<NameTable> table;
  const BorderOps border;
  llvm::DenseMap<Value, int> numbers;
  int groupCount = 0;
};

} // namespace

FailureOr<StepIR> tx::readStep(ModuleOp module, ReadNames names) {
  SmallVector<func::FuncOp> functions;
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isDeclaration())
      functions.push_back(function);
  return readStep(module, functions, names);
}

FailureOr<StepIR> tx::readStep(ModuleOp module, ArrayRef<func::FuncOp> functions, ReadNames names) {
  StepIR read;
  TypeTable types(read.step.types);
  llvm::StringMap<int> states;
  for (auto global : module.getOps<GlobalOp>()) {
    states[global.getSymName()] = read.step.states.size();
    read.step.states.push_back(
        {global.getSymName().str(), static_cast<unsigned>(global.getRole()), getByteSize(global.getType())});
  }
  llvm::DenseMap<StringAttr, int64_t> ranks;
  for (auto axis : module.getOps<MeshAxisOp>())
    ranks[axis.getSymNameAttr()] = axis.getSize();
  for (func::FuncOp function : functions) {
    if (failed(verifyFlat(function)))
      return failure();
    EntryReader reader(function, types, states, ranks, names);
    reader.run();
    read.step.entries.push_back(std::move(reader.entry));
    read.entries.push_back(std::move(reader.ir));
  }
  return read;
}
