//===- VerifyPlacement.cpp - Is every operand still where it was written? -===//
//
// Executes each function on addresses alone. A value is intact from the op
// that writes it until another write touches its bytes; who reads it later
// finds something else. Lifetimes and storages are not consulted.
//
//===----------------------------------------------------------------------===//

#include "Storage.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Memory/Passes.h"

#include <map>

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_VERIFYPLACEMENTPASS
#include "tx/Memory/Passes.h.inc"
} // namespace tx

namespace {

/// Bytes [begin, end) of a segment. Columns of a wider tensor are told apart by
/// their offset in the row: two views with one stride overlap only if their columns do.
struct Range {
  step::ArenaSegment segment;
  int64_t begin, end, rowBytes, columnBytes;

  explicit Range(step::BufferAttr buffer)
      : segment(buffer.getSegment()), begin(buffer.getOffset()), end(begin + buffer.getExtent()) {
    int64_t elementBytes = std::max<int64_t>(1, buffer.getType().getElementTypeBitWidth() / 8);
    rowBytes = buffer.getRowStride() * elementBytes;
    columnBytes = getColumns(buffer.getType()) * elementBytes;
  }

  bool overlaps(const Range &other) const {
    if (segment != other.segment || begin >= other.end || other.begin >= end)
      return false;
    if (rowBytes != other.rowBytes || columnBytes == rowBytes || other.columnBytes == rowBytes)
      return true;
    int64_t distance = ((other.begin - begin) % rowBytes + rowBytes) % rowBytes;
    return distance < columnBytes || distance + other.columnBytes > rowBytes;
  }
};

/// Who owns which bytes, by address. Owners whose bytes interleave (columns of one tensor) share a span, and spans are
/// disjoint: a write looks at what it touches and not at all that lives.
class LiveBytes {
public:
  using Owner = std::pair<Value, Range>;

  void add(Value value, const Range &range) { add(Owner(value, range)); }

  /// Takes out the owners of some of the bytes.
  SmallVector<Owner> remove(const Range &range) {
    SmallVector<Owner> removed, kept;
    Spans &spans = spansOf(range.segment);
    for (auto span = findFirst(spans, range.begin); span != spans.end() && span->first < range.end;) {
      auto isHit = [&](const Owner &owner) { return range.overlaps(owner.second); };
      if (llvm::none_of(span->second.owners, isHit)) {
        ++span;
        continue;
      }
      for (const Owner &owner : span->second.owners)
        (isHit(owner) ? removed : kept).push_back(owner);
      span = spans.erase(span);
    }
    for (const Owner &owner : kept)
      add(owner);
    return removed;
  }

private:
  struct Span {
    int64_t end;
    SmallVector<Owner, 1> owners;
  };
  using Spans = std::map<int64_t, Span>; // by their begin

  Spans &spansOf(step::ArenaSegment segment) { return spans[static_cast<unsigned>(segment)]; }

  /// The first span that ends behind the byte.
  static Spans::iterator findFirst(Spans &spans, int64_t byte) {
    auto span = spans.upper_bound(byte);
    return span != spans.begin() && std::prev(span)->second.end > byte ? std::prev(span) : span;
  }

  void add(const Owner &owner) {
    int64_t begin = owner.second.begin;
    Span joined{owner.second.end, {owner}};
    Spans &spans = spansOf(owner.second.segment);
    for (auto span = findFirst(spans, begin); span != spans.end() && span->first < owner.second.end;) {
      begin = std::min(begin, span->first);
      joined.end = std::max(joined.end, span->second.end);
      joined.owners.append(span->second.owners);
      span = spans.erase(span);
    }
    spans.insert_or_assign(begin, std::move(joined));
  }

  Spans spans[step::getMaxEnumValForArenaSegment() + 1];
};

class Checker {
public:
  explicit Checker(const SymbolTable &symbols) : symbols(symbols) {}

  LogicalResult run(func::FuncOp func) {
    for (BlockArgument argument : func.getBody().getArguments())
      if (failed(write(func, argument, {})))
        return failure();
    for (Operation &op : func.getBody().front()) {
      for (Value operand : op.getOperands())
        if (!intact.contains(operand))
          return report(op, operand);
      if (failed(writeScratch(op)) || failed(writeResults(op)))
        return failure();
    }
    return success();
  }

private:
  /// A library may leave anything there.
  LogicalResult writeScratch(Operation &op) {
    auto buffer = op.getAttrOfType<step::BufferAttr>(kScratchAttr);
    if (!buffer)
      return op.hasAttr(kScratchBytesAttr) ? op.emitOpError("has no scratch, of which it needs some") : success();
    Range range(buffer);
    for (Value result : op.getResults())
      if (getBuffer(result) && range.overlaps(Range(getBuffer(result))))
        return op.emitOpError("has its scratch ") << buffer << " over its result " << getBuffer(result);
    for (auto [other, otherRange] : live.remove(range)) {
      if (llvm::is_contained(op.getOperands(), other))
        return op.emitOpError("has its scratch ") << buffer << " over " << getBuffer(other) << ", which it reads";
      forget(other);
    }
    return success();
  }

  LogicalResult writeResults(Operation &op) {
    auto view = dyn_cast<ViewOpInterface>(op);
    if (view && failed(checkView(view)))
      return failure();
    if (auto store = dyn_cast<StoreOp>(op))
      return checkStore(store);
    for (OpResult result : op.getResults()) {
      if (view) { // the same bytes under another name
        intact.insert(result);
        for (Value operand : op.getOperands())
          viewers[operand].push_back(result);
        continue;
      }
      if (isa<LoadOp>(op)) {
        auto global = symbols.lookup<GlobalOp>(cast<LoadOp>(op).getGlobal());
        if (!global || global->getAttr(kBufferAttr) != getBuffer(result))
          return op.emitOpError("is not where its global lies");
        intact.insert(result);
        live.add(result, Range(getBuffer(result)));
        continue;
      }
      // What this op reads may lie under its result only where it may be replaced.
      SmallVector<Value> replaceable;
      if (Value tied = memory::getTiedOperand(result)) {
        if (getBuffer(result) && !isSamePlace(getBuffer(result), getBuffer(tied)))
          return op.emitOpError("writes ") << getBuffer(result) << ", but continues what lies at " << getBuffer(tied);
        replaceable.push_back(tied);
      }
      if (auto group = dyn_cast<step::GroupOp>(op))
        for (auto [number, input] : llvm::enumerate(group.getInputs()))
          if (memory::mayReplace(group, number, result.getResultNumber()))
            replaceable.push_back(input);
      if (failed(write(&op, result, replaceable)))
        return failure();
    }
    return success();
  }

  static bool isSamePlace(step::BufferAttr a, step::BufferAttr b) {
    return a.getSegment() == b.getSegment() && a.getOffset() == b.getOffset() && a.getRowStride() == b.getRowStride();
  }

  /// Parts lie in the whole, at their columns or elements; only columns of several rows have a stride.
  static LogicalResult checkView(ViewOpInterface op) {
    step::BufferAttr whole = getBuffer(op.getViewedWhole());
    for (auto [part, column] : op.getViewedParts()) {
      step::BufferAttr buffer = getBuffer(part);
      if (!whole || !buffer)
        return op->emitOpError("has a result without an address");
      int64_t elementBytes = getByteSize(buffer.getType()) / buffer.getType().getNumElements();
      if (buffer.getSegment() != whole.getSegment() ||
          buffer.getOffset() != whole.getOffset() + column * elementBytes ||
          (getRows(buffer.getType()) > 1 &&
           buffer.getRowStride() != (op.hasRuns() ? getColumns(buffer.getType()) : whole.getRowStride())))
        return op->emitOpError("takes ") << buffer << " for the " << (op.hasRuns() ? "elements" : "columns")
                                         << " from " << column << " on of " << whole;
    }
    return success();
  }

  LogicalResult checkStore(StoreOp op) {
    auto global = symbols.lookup<GlobalOp>(op.getGlobal());
    if (!global || global->getAttr(kBufferAttr) != getBuffer(op.getValue()))
      return op.emitOpError("stores what does not lie at its global's place");
    return success();
  }

  LogicalResult write(Operation *op, Value value, ArrayRef<Value> replaceable) {
    step::BufferAttr buffer = getBuffer(value);
    if (!buffer)
      return op->emitOpError("has a value without an address");
    Range range(buffer);
    for (Value operand : op->getOperands()) {
      step::BufferAttr other = getBuffer(operand); // perhaps of a view, which owns no bytes
      if (!other || !range.overlaps(Range(other)))
        continue;
      bool exact = other.getOffset() == buffer.getOffset() && Range(other).rowBytes == range.rowBytes;
      if (!exact || !llvm::is_contained(replaceable, operand))
        return op->emitOpError("writes ") << buffer << " over " << other << ", which it reads in another order";
    }
    for (auto [other, otherRange] : live.remove(range)) {
      if (other.getDefiningOp() == op && !isa<BlockArgument>(other))
        return op->emitOpError("writes ") << buffer << " over " << getBuffer(other) << ", which it writes, too";
      forget(other);
    }
    live.add(value, range);
    intact.insert(value);
    return success();
  }

  void forget(Value value) {
    intact.erase(value);
    for (Value view : viewers.lookup(value)) // a copy: the map may grow
      forget(view);
  }

  LogicalResult report(Operation &op, Value operand) {
    return op.emitOpError("reads ") << getBuffer(operand) << " after something else was written there";
  }

  const SymbolTable &symbols;
  LiveBytes live;
  llvm::DenseSet<Value> intact;
  DenseMap<Value, SmallVector<Value>> viewers;
};

struct VerifyPlacement : tx::impl::VerifyPlacementPassBase<VerifyPlacement> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isDeclaration() && failed(Checker(symbols).run(func)))
        return signalPassFailure();
  }
};

} // namespace
