//===- LowerToStep.cpp - From placed ops to launches on addresses -------------------------------------------------===//

#include "AddWaits.h"

#include "tx/Conversion/TxToStep/Passes.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "txrt/abi.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/OperationSupport.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_LOWERTOSTEPPASS
#include "tx/Conversion/TxToStep/Passes.h.inc"
} // namespace tx

namespace {

/// The buffer in which a value lies. Emits an error on `op` if the value has none or is of f64.
FailureOr<step::BufferAttr> findBuffer(Operation *op, Value value) {
  step::BufferAttr buffer = getBuffer(value);
  if (!buffer)
    return op->emitOpError("has a tensor without an address; run tx-place-memory first");
  if (buffer.getType().getElementType().isF64())
    return op->emitOpError("has a ") << buffer.getType()
                                     << ", but f64 is the reference's alone; a step has f32, bf16, i32 and i1";
  return buffer;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Kernels: outlined; equal kernels become one
//===--------------------------------------------------------------------------------------------------------------===//

class KernelTable {
public:
  /// `entries`: the names of entries, which kernels must not get.
  KernelTable(Block &program, llvm::StringSet<> entries)
      : program(program), builder(program.getParentOp()->getContext()), entries(std::move(entries)) {}

  /// Returns the kernel for a loop nest with the body that `fill` builds. If an equal kernel exists, returns that one.
  /// `hint` is a part of a new kernel's name, for people.
  step::KernelOp get(Location loc, KernelKind kind, ArrayRef<int64_t> space, ArrayRef<step::BufferAttr> buffers,
                     unsigned immediates, StringRef hint, llvm::function_ref<void(OpBuilder &, Block &)> fill) {
    SmallVector<int64_t> strides;
    for (step::BufferAttr buffer : buffers)
      strides.push_back(buffer.getStride());
    if (kernels.empty()) // kernels come before the entries
      builder.setInsertionPointToStart(&program);
    auto kernel = step::KernelOp::create(builder, loc, "kernel", kind, space, strides, immediates);
    Block &body = kernel.getBody().emplaceBlock();
    OpBuilder inner = OpBuilder::atBlockEnd(&body);
    fill(inner, body);

    // Two kernels are equal if they print the same, apart from their names: generated code depends on nothing else.
    std::string form;
    llvm::raw_string_ostream(form) << *kernel;
    auto [known, isNew] = kernels.try_emplace(form, kernel);
    if (!isNew) {
      kernel.erase();
      return known->second;
    }
    std::string name = (stringifyKernelKind(kind) + Twine(kernels.size() - 1) + "_" + hint).str();
    while (entries.contains(name))
      name += "_";
    kernel.setSymName(name);
    return kernel;
  }

private:
  Block &program;
  OpBuilder builder;
  llvm::StringSet<> entries;
  llvm::StringMap<step::KernelOp> kernels;
};

/// The immediates of a launch: the site hashes of a group's keyed ops, in order, each once.
struct Immediates {
  SmallVector<int32_t> values;

  unsigned add(ScopeAttr scope) {
    int32_t hash = static_cast<int32_t>(scope.getSiteHash());
    auto *found = llvm::find(values, hash);
    if (found == values.end())
      found = values.insert(values.end(), hash);
    return found - values.begin();
  }
};

//===--------------------------------------------------------------------------------------------------------------===//
// Mesh axes, looked up once: every parameter's gradient may have a collective
//===--------------------------------------------------------------------------------------------------------------===//

struct Axis {
  int64_t ranks, stride;
};

class AxisTable {
public:
  explicit AxisTable(ModuleOp module) {
    int64_t stride = 1; // neighbors on the last axis have consecutive ranks
    for (auto axis : llvm::reverse(llvm::to_vector(module.getOps<MeshAxisOp>()))) {
      int64_t ranks = axis.getSize();
      axes[axis.getSymNameAttr()] = {ranks, stride};
      stride *= ranks;
    }
  }
  Axis lookup(FlatSymbolRefAttr name) const { return axes.at(name.getAttr()); }

private:
  llvm::DenseMap<StringAttr, Axis> axes;
};

//===--------------------------------------------------------------------------------------------------------------===//
// Names of globals and arguments by their addresses: launches print these names
//===--------------------------------------------------------------------------------------------------------------===//

class PlaceNames {
public:
  /// The names of globals, which have the same addresses in all entries.
  explicit PlaceNames(ModuleOp module) {
    for (auto global : module.getOps<GlobalOp>())
      if (auto buffer = global->getAttrOfType<step::BufferAttr>(kBufferAttr))
        add(buffer, global.getSymName());
    sortPlaces();
  }

  /// The names of an entry's arguments.
  PlaceNames(ArrayRef<Attribute> names, ArrayRef<Attribute> buffers) {
    for (auto [name, buffer] : llvm::zip(names, buffers))
      add(cast<step::BufferAttr>(buffer), cast<StringAttr>(name).getValue());
    sortPlaces();
  }

  /// The name of what the buffer covers, as "w", or as "first .. last" if a kernel works on several at once; empty if
  /// nothing with a name lies there.
  std::string lookup(step::BufferAttr buffer) const {
    int64_t begin = buffer.getOffset(), end = begin + buffer.getExtent();
    const auto *first = llvm::partition_point(places, [&](const Place &place) { return place.end <= begin; });
    const auto *behind = std::find_if(first, places.end(), [&](const Place &place) { return place.begin >= end; });
    if (first == behind)
      return "";
    return behind - first == 1 ? first->name.str() : (first->name + " .. " + std::prev(behind)->name).str();
  }

private:
  struct Place {
    int64_t begin, end;
    StringRef name;
  };

  void add(step::BufferAttr buffer, StringRef name) {
    places.push_back({buffer.getOffset(), buffer.getOffset() + buffer.getExtent(), name});
  }
  void sortPlaces() {
    llvm::sort(places, [](const Place &a, const Place &b) { return a.begin < b.begin; });
  }

  SmallVector<Place> places; // in the order of addresses; they do not overlap
};

//===--------------------------------------------------------------------------------------------------------------===//
// Entries
//===--------------------------------------------------------------------------------------------------------------===//

class EntryBuilder {
public:
  EntryBuilder(step::EntryOp entry, KernelTable &kernels, const AxisTable &axes, const PlaceNames &state)
      : kernels(kernels), axes(axes), state(state),
        arguments(entry.getArgumentNames().getValue(), entry.getArgumentBuffers().getValue()),
        builder(OpBuilder::atBlockEnd(&entry.getBody().front())) {}

  LogicalResult lower(Operation &op) {
    if (isa<LoadOp, StoreOp, ViewOpInterface, func::ReturnOp>(op))
      return success();
    if (auto group = dyn_cast<step::GroupOp>(op))
      return lowerGroup(group);
    if (auto gemm = dyn_cast<GemmOpInterface>(op))
      return lowerGemm(gemm);
    if (auto collective = dyn_cast<CollectiveOpInterface>(op))
      return lowerCollective(collective);
    return op.emitOpError("is in no group; run tx-fuse-kernels first");
  }

private:
  LogicalResult getBuffers(Operation *op, ValueRange values, SmallVectorImpl<step::BufferAttr> &buffers) {
    for (Value value : values) {
      FailureOr<step::BufferAttr> buffer = findBuffer(op, value);
      if (failed(buffer))
        return failure();
      buffers.push_back(*buffer);
    }
    return success();
  }

  step::BufferAttr named(step::BufferAttr buffer) const {
    switch (buffer.getSegment()) {
    case step::ArenaSegment::Persistent:
      return buffer.withName(state.lookup(buffer));
    case step::ArenaSegment::Argument:
      return buffer.withName(arguments.lookup(buffer));
    case step::ArenaSegment::Saved:
    case step::ArenaSegment::Transient:
      return buffer;
    }
    llvm_unreachable("all segments are listed");
  }

  ArrayAttr namedAttrs(ArrayRef<step::BufferAttr> buffers) {
    SmallVector<Attribute> list;
    for (step::BufferAttr buffer : buffers)
      list.push_back(named(buffer));
    return builder.getArrayAttr(list);
  }

  /// Adds a launch. `buffers`: the buffers of the kernel's inputs, then those of its outputs. Launches get their
  /// numbers and waits when the program is complete.
  void launch(Location loc, step::KernelOp kernel, ArrayRef<step::BufferAttr> buffers, ArrayRef<int32_t> immediates,
              int64_t flops, ScopeAttr scope, step::AttentionAttr attention = nullptr,
              step::BufferAttr scratch = nullptr) {
    unsigned inputs = kernel.getInputCount();
    step::LaunchOp::create(builder, loc, /*number=*/0, kernel.getSymName(), namedAttrs(buffers.take_front(inputs)),
                           namedAttrs(buffers.drop_front(inputs)), immediates, flops, scope, /*waits=*/nullptr,
                           attention, scratch);
  }

  LogicalResult lowerGroup(step::GroupOp group) {
    SmallVector<step::BufferAttr> buffers;
    if (failed(getBuffers(group, group.getInputs(), buffers)) || failed(getBuffers(group, group.getOutputs(), buffers)))
      return failure();
    Immediates immediates;
    Block &source = group.getBody().front();
    int64_t flops = 0;
    int64_t most = -1;
    StringRef hint = "empty";
    for (Operation &op : source.without_terminator()) {
      auto cost = dyn_cast<CostOpInterface>(op);
      int64_t work = cost ? cost.getMatrixFlops() + cost.getVectorFlops() : tx::detail::defaultVectorFlops(&op);
      flops += work;
      if (work > most) {
        most = work;
        hint = op.getName().stripDialect();
      }
      if (auto replay = dyn_cast<RecomputeOpInterface>(op); replay && replay.getReplayKind() == ReplayKind::Keyed)
        immediates.add(cast<ScopedOpInterface>(op).getScope());
    }
    auto place = ScopeAttr::get(group.getContext(), Segment::Forward, -1, "");
    auto kernel =
        kernels.get(group.getLoc(), group.getKind(), group.getSpace(), buffers, immediates.values.size(), hint,
                    [&](OpBuilder &inner, Block &body) {
                      IRMapping mapping;
                      for (BlockArgument argument : source.getArguments())
                        mapping.map(argument, body.addArgument(argument.getType(), group.getLoc()));
                      for (Operation &op : source) {
                        Operation *clone = inner.clone(op, mapping);
                        auto scoped = dyn_cast<ScopedOpInterface>(clone);
                        if (!scoped)
                          continue;
                        if (auto replay = dyn_cast<RecomputeOpInterface>(clone);
                            replay && replay.getReplayKind() == ReplayKind::Keyed)
                          clone->setAttr("step.immediate", inner.getI64IntegerAttr(immediates.add(scoped.getScope())));
                        scoped.setScopeAttr(place);
                      }
                    });
    launch(group.getLoc(), kernel, buffers, immediates.values, flops, group.getScope(), getAttention(group),
           group->getAttrOfType<step::BufferAttr>(kScratchAttr));
    return success();
  }

  /// The description that a library needs to compute a group that is attention; null if no library may.
  step::AttentionAttr getAttention(step::GroupOp group) {
    auto deterministic = group->getAttrOfType<BoolAttr>(kLibraryAttentionAttr);
    if (!deterministic)
      return nullptr;
    Block &body = group.getBody().front();
    AttentionForm form = cast<AttentionOpInterface>(body.front()).getAttentionForm();
    OperandRange outputs = body.back().getOperands();
    SmallVector<int64_t> operands;
    for (Value value : form.values) {
      if (auto input = dyn_cast<BlockArgument>(value))
        operands.push_back(input.getArgNumber());
      else
        operands.push_back(group.getInputs().size() + std::distance(outputs.begin(), llvm::find(outputs, value)));
    }
    return step::AttentionAttr::get(group.getContext(), form.backward, form.causal, deterministic.getValue(),
                                    form.batch, form.queries, form.keys, form.heads, form.keyHeads, form.width,
                                    form.valueWidth, builder.getF64FloatAttr(form.scale), form.window,
                                    builder.getF64FloatAttr(form.softCap), builder.getDenseI64ArrayAttr(operands));
  }

  /// Adds a launch of a kernel with a single op of rows, which does what a library's product leaves out. `build` makes
  /// the op from the kernel's inputs.
  void launchRows(GemmOpInterface op, StringRef hint, ArrayRef<step::BufferAttr> inputs, step::BufferAttr result,
                  llvm::function_ref<Operation *(OpBuilder &, ValueRange inputs, ScopeAttr place)> build) {
    auto type = cast<RankedTensorType>(result.getType());
    SmallVector<step::BufferAttr> buffers(inputs);
    buffers.push_back(result);
    int64_t flops = 0;
    auto kernel = kernels.get(op.getLoc(), KernelKind::Row, {getRows(type), getColumns(type)}, buffers, 0, hint,
                              [&](OpBuilder &inner, Block &body) {
                                for (step::BufferAttr input : inputs)
                                  body.addArgument(input.getType(), op.getLoc());
                                auto place = ScopeAttr::get(op.getContext(), Segment::Forward, -1, "");
                                Operation *row = build(inner, body.getArguments(), place);
                                auto cost = dyn_cast<CostOpInterface>(row);
                                flops = cost ? cost.getVectorFlops() : tx::detail::defaultVectorFlops(row);
                                step::YieldOp::create(inner, op.getLoc(), row->getResults());
                              });
    launch(op.getLoc(), kernel, buffers, /*immediates=*/{}, flops,
           cast<ScopedOpInterface>(op.getOperation()).getScope());
  }

  /// Writes the bias into C before the product, which then adds to C. So the product computes in the same way with and
  /// without bias.
  void fillBias(GemmOpInterface op, Value bias, step::BufferAttr result) {
    launchRows(op, "broadcast_rows", {getBuffer(bias)}, result,
               [&](OpBuilder &inner, ValueRange inputs, ScopeAttr place) {
                 return BroadcastRowsOp::create(inner, op.getLoc(), result.getType(), inputs[0], place);
               });
  }

  LogicalResult lowerGemm(GemmOpInterface op) {
    GemmForm form = op.getGemmForm();
    SmallVector<step::BufferAttr> buffers;
    if (failed(getBuffers(op, {form.a.value, form.b.value, form.c.value}, buffers)))
      return failure();
    auto epilogue = op->getAttrOfType<step::GemmRoleAttr>(kEpilogueAttr);
    Value sums = form.getSums();
    if (sums && !epilogue)
      return op.emitOpError("gives sums beside a product, which the library of this target does not; "
                            "tx.bias_grad of the gradient itself would do");
    // What the library adds, or writes besides.
    auto beside = [&](step::GemmRole role, Value value) {
      return epilogue && epilogue.getValue() == role ? named(getBuffer(value)) : step::BufferAttr();
    };
    if (form.bias && !epilogue)
      fillBias(op, form.bias, buffers[2]);
    auto stridesOf = [](const GemmOperand &operand, step::BufferAttr buffer) {
      int64_t stride = buffer.getRowStride();
      return std::array<int64_t, 2>{operand.rowsPerBatch0 * stride,
                                    operand.rowsPerBatch1 * stride + operand.columnsPerBatch1};
    };
    step::BufferAttr a = buffers[0], b = buffers[1], c = buffers[2], reset;
    if (auto accumulating = dyn_cast<AccumulatingOpInterface>(op.getOperation()))
      if (Value value = accumulating.getResetValue()) {
        FailureOr<step::BufferAttr> found = findBuffer(op, value);
        if (failed(found))
          return failure();
        reset = *found;
      }
    step::GemmOp::create(
        builder, op.getLoc(), /*number=*/0, form.m, form.n, form.k, form.a.transpose, form.b.transpose, form.batch0,
        form.batch1, llvm::APFloat(form.alpha), llvm::APFloat((form.bias && !epilogue) || form.accumulate ? 1.0 : 0.0),
        named(a), a.getRowStride(), stridesOf(form.a, a), named(b), b.getRowStride(), stridesOf(form.b, b), named(c),
        c.getRowStride(), stridesOf(form.c, c), form.a.repeat, form.b.repeat, reset ? named(reset) : step::BufferAttr(),
        beside(step::GemmRole::Bias, form.bias), beside(step::GemmRole::SumsA, form.sumsA),
        beside(step::GemmRole::SumsB, form.sumsB), op->getAttrOfType<step::BufferAttr>(kScratchAttr),
        cast<ScopedOpInterface>(op.getOperation()).getScope(), /*waits=*/nullptr);
    return success();
  }

  LogicalResult lowerCollective(CollectiveOpInterface op) {
    SmallVector<step::BufferAttr> buffers;
    if (failed(getBuffers(op, {op->getOperand(0), op->getResult(0)}, buffers)))
      return failure();
    for (step::BufferAttr buffer : buffers)
      if (buffer.getStride())
        return op->emitOpError("takes tensors whose rows follow each other, found columns of a wider one: ")
               << buffer.getType() << "; compute it by an op of its own";
    CollectiveForm form = op.getCollectiveForm();
    Axis axis = axes.lookup(op.getAxisAttr());
    step::CollectiveOp::create(builder, op.getLoc(), /*number=*/0, op.getCollectiveKind(), op.getAxisAttr().getValue(),
                               axis.ranks, axis.stride, form.outer, form.peer, form.wraps,
                               cast<CostOpInterface>(op.getOperation()).getSentBytes(), named(buffers[0]),
                               named(buffers[1]), cast<ScopedOpInterface>(op.getOperation()).getScope(),
                               /*waits=*/nullptr);
    return success();
  }

  KernelTable &kernels;
  const AxisTable &axes;
  const PlaceNames &state;
  const PlaceNames arguments;
  OpBuilder builder;
};

//===--------------------------------------------------------------------------------------------------------------===//
// The pass
//===--------------------------------------------------------------------------------------------------------------===//

struct LowerToStep : tx::impl::LowerToStepPassBase<LowerToStep> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    int64_t argumentBytes = 0, transientBytes = 0;
    SmallVector<func::FuncOp> functions;
    for (auto global : module.getOps<GlobalOp>())
      if (global.getType().getElementType().isF64()) {
        global.emitOpError("@") << global.getSymName() << " is of f64, which is the reference's alone; a step has f32, "
                                << "bf16, i32 and i1";
        return signalPassFailure();
      }
    for (auto func : module.getOps<func::FuncOp>()) {
      if (func.isDeclaration())
        continue;
      if (failed(verifyFlat(func)) || failed(verifySignature(func)))
        return signalPassFailure();
      functions.push_back(func);
      argumentBytes = std::max(argumentBytes, getBytes(func, kArgumentBytesAttr));
      transientBytes = std::max(transientBytes, getBytes(func, kTransientBytesAttr));
    }
    OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
    auto program = step::ProgramOp::create(builder, module.getLoc(), module.getSymName().value_or("step"),
                                           getBytes(module, kPersistentBytesAttr), argumentBytes, 0, transientBytes);
    Block &body = program.getBody().emplaceBlock();
    llvm::StringSet<> names;
    for (func::FuncOp func : functions)
      names.insert(func.getName());
    KernelTable kernels(body, std::move(names));
    AxisTable axes(module);
    PlaceNames state(module);
    for (func::FuncOp func : functions)
      if (failed(lowerFunction(func, body, kernels, axes, state)))
        return signalPassFailure();
    step::numberLaunches(program);
    addWaits(program);
    for (func::FuncOp func : functions)
      func.erase();
    makeUnique(program);
  }

private:
  /// Gives the program a name that no global or declared function has.
  void makeUnique(step::ProgramOp program) {
    std::string name = program.getSymName().str();
    auto isTaken = [&](Operation &op) {
      auto symbol = op.getAttrOfType<StringAttr>(SymbolTable::getSymbolAttrName());
      return &op != program && symbol && symbol.getValue() == name;
    };
    while (llvm::any_of(*getOperation().getBody(), isTaken))
      name += "_program";
    program.setSymName(name);
  }

  static int64_t getBytes(Operation *op, StringRef name) {
    auto bytes = op->getAttrOfType<IntegerAttr>(name);
    return bytes ? bytes.getInt() : 0;
  }

  LogicalResult lowerFunction(func::FuncOp func, Block &program, KernelTable &kernels, const AxisTable &axes,
                              const PlaceNames &state) {
    auto returned = cast<func::ReturnOp>(func.getBody().front().back());
    Builder attributes(func.getContext());
    SmallVector<Attribute> argumentNames, arguments, argumentIds, resultNames, results;
    auto add = [&](Value value, StringRef name, SmallVectorImpl<Attribute> &names,
                   SmallVectorImpl<Attribute> &buffers) -> LogicalResult {
      FailureOr<step::BufferAttr> buffer = findBuffer(func, value);
      if (failed(buffer))
        return failure();
      names.push_back(attributes.getStringAttr(name));
      buffers.push_back(*buffer);
      return success();
    };
    for (BlockArgument argument : func.getArguments()) {
      if (failed(add(argument, tx::getArgumentName(func, argument.getArgNumber()), argumentNames, arguments)))
        return failure();
      std::optional<IdRange> ids = getIdRange(argument);
      argumentIds.push_back(ids ? Attribute(IdsAttr::get(func.getContext(), ids->below, ids->ignored))
                                : attributes.getUnitAttr());
    }
    for (auto [number, value] : llvm::enumerate(returned.getOperands()))
      if (failed(add(value, tx::getResultName(func, number), resultNames, results)))
        return failure();
    OpBuilder builder = OpBuilder::atBlockEnd(&program);
    auto entry = step::EntryOp::create(builder, func.getLoc(), func.getName(), attributes.getArrayAttr(argumentNames),
                                       attributes.getArrayAttr(arguments), attributes.getArrayAttr(argumentIds),
                                       attributes.getArrayAttr(resultNames), attributes.getArrayAttr(results));
    entry.getBody().emplaceBlock();
    for (StringRef name : {kTransientBytesAttr, kPeakLiveBytesAttr}) // which reports read
      if (Attribute bytes = func->getAttr(name))
        entry->setAttr(name, bytes);
    EntryBuilder lowering(entry, kernels, axes, state);
    for (Operation &op : func.getBody().front())
      if (failed(lowering.lower(op)))
        return failure();
    return success();
  }
};

} // namespace
