//===- VerifyPlacement.cpp - Is every operand still where it was written? -----------------------------------------===//
//
// Executes each function on addresses alone. Every address must have its value's type and lie inside its segment. A
// value is intact from the op that writes it until another op writes some of its bytes; an op that reads the value
// after that is an error. Only an op that continues a global may write the global's bytes. The pass uses neither the
// lifetimes nor the storages of the placement.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "InPlace.h"

#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Memory/Passes.h"

#include "mlir/IR/Builders.h"

#include <map>
#include <set>

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_VERIFYPLACEMENTPASS
#include "tx/Memory/Passes.h.inc"
} // namespace tx

namespace {

/// Bytes [begin, end) of a segment. For columns of a wider tensor it also has the row stride and the offset in the row:
/// two views of one stride overlap only if their columns do.
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

/// Which intact value owns which bytes, by address. Values whose bytes interleave (columns of one tensor) share a span,
/// and spans are disjoint. So a write has to look only at the spans that it touches, not at all live values.
class LiveBytes {
public:
  using Owner = std::pair<Value, Range>;

  void add(Value value, const Range &range) { add(Owner(value, range)); }

  /// Removes the values that own some of the bytes, and returns them.
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
  using Spans = std::map<int64_t, Span>; // key: the span's first byte

  Spans &spansOf(step::ArenaSegment segment) { return spans[static_cast<unsigned>(segment)]; }

  /// The first span that ends after `byte`.
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

/// How many bytes the segments have, as far as attributes of module and function say it.
class Segments {
public:
  explicit Segments(ModuleOp module)
      : persistent(module->getAttrOfType<IntegerAttr>(kPersistentBytesAttr)),
        none(Builder(module.getContext()).getI64IntegerAttr(0)) {}
  void enter(func::FuncOp func) {
    argument = func->getAttrOfType<IntegerAttr>(kArgumentBytesAttr);
    transient = func->getAttrOfType<IntegerAttr>(kTransientBytesAttr);
  }

  /// Checks the address of a value of `type`: type, alignment, end of the segment.
  LogicalResult check(Operation *op, step::BufferAttr buffer, Type type) {
    if (buffer.getType() != type)
      return op->emitOpError("has ") << buffer << " for a value of type " << type;
    int64_t elementBytes = std::max<int64_t>(1, buffer.getType().getElementTypeBitWidth() / 8);
    if (buffer.getOffset() % elementBytes != 0)
      return op->emitOpError("has ") << buffer << ", which is not aligned to its elements of " << elementBytes
                                     << " bytes";
    IntegerAttr bytes = getBytes(buffer.getSegment());
    if (!bytes) {
      unbounded.insert(buffer.getSegment());
      return success();
    }
    if (int64_t end = buffer.getOffset() + buffer.getExtent(); end > bytes.getInt())
      return op->emitOpError("has ") << buffer << ", which ends at byte " << end << " of a segment of "
                                     << bytes.getInt();
    return success();
  }

  /// Reports the segments whose size is not known, so that nothing was checked against it.
  void reportUnbounded(ModuleOp module) const {
    for (step::ArenaSegment segment : unbounded)
      module.emitRemark("does not say how long segment ")
          << step::stringifyArenaSegment(segment) << " is; no address was checked against its end";
  }

private:
  IntegerAttr getBytes(step::ArenaSegment segment) const {
    switch (segment) {
    case step::ArenaSegment::Persistent:
      return persistent;
    case step::ArenaSegment::Argument:
      return argument;
    case step::ArenaSegment::Transient:
      return transient;
    case step::ArenaSegment::Saved:
      break; // nothing is placed there
    }
    return none;
  }

  IntegerAttr persistent, argument, transient, none;
  std::set<step::ArenaSegment> unbounded;
};

class Checker {
public:
  Checker(const SymbolTable &symbols, Segments &segments) : symbols(symbols), segments(segments) {}

  LogicalResult run(func::FuncOp func) {
    segments.enter(func);
    for (BlockArgument argument : func.getBody().getArguments())
      if (failed(write(func, argument, {})))
        return failure();
    for (Operation &op : func.getBody().front()) {
      for (Value operand : op.getOperands())
        if (!intact.contains(operand))
          return report(op, operand);
      if (failed(checkBounds(op)) || failed(writeScratch(op)) || failed(writeResults(op)))
        return failure();
    }
    return success();
  }

private:
  LogicalResult checkBounds(Operation &op) {
    for (Value result : op.getResults())
      if (step::BufferAttr buffer = getBuffer(result)) // write() refuses a result without an address
        if (failed(segments.check(&op, buffer, result.getType())))
          return failure();
    auto scratch = op.getAttrOfType<step::BufferAttr>(kScratchAttr);
    return scratch ? segments.check(&op, scratch, scratch.getType()) : success();
  }

  /// An op with scratch overwrites it: a library may leave anything there.
  LogicalResult writeScratch(Operation &op) {
    auto buffer = op.getAttrOfType<step::BufferAttr>(kScratchAttr);
    if (!buffer)
      return op.hasAttr(kScratchBytesAttr) ? op.emitOpError("has no scratch, of which it needs some") : success();
    auto needed = op.getAttrOfType<IntegerAttr>(kScratchBytesAttr);
    if (needed && buffer.getExtent() < needed.getInt())
      return op.emitOpError("has its scratch ") << buffer << ", of which it needs " << needed.getInt() << " bytes";
    Range range(buffer);
    for (Value result : op.getResults())
      if (getBuffer(result) && range.overlaps(Range(getBuffer(result))))
        return op.emitOpError("has its scratch ") << buffer << " over its result " << getBuffer(result);
    for (auto [other, otherRange] : live.remove(range)) {
      if (llvm::is_contained(op.getOperands(), other))
        return op.emitOpError("has its scratch ") << buffer << " over " << getBuffer(other) << ", which it reads";
      forget(other);
    }
    if (buffer.getSegment() != step::ArenaSegment::Transient) // scratch must not lie where arguments or state lie
      return op.emitOpError("has its scratch ") << buffer << "; scratch is transient";
    return success();
  }

  LogicalResult writeResults(Operation &op) {
    auto view = dyn_cast<ViewOpInterface>(op);
    if (view && failed(checkView(view)))
      return failure();
    if (auto store = dyn_cast<StoreOp>(op))
      return checkStore(store);
    for (OpResult result : op.getResults()) {
      if (view) { // a view writes nothing: its result has the bytes of its operand
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
      // An operand of this op may share bytes with the result only if the op may overwrite it while it reads it.
      SmallVector<Value> replaceable;
      if (Value tied = memory::getTiedOperand(result)) {
        if (getBuffer(result) && !isSamePlace(getBuffer(result), getBuffer(tied)))
          return op.emitOpError("writes ") << getBuffer(result) << ", but continues what lies at " << getBuffer(tied);
        replaceable.push_back(tied);
      } else if (auto buffer = getBuffer(result); buffer && buffer.getSegment() == step::ArenaSegment::Persistent) {
        // State that the function does not load must stay intact too.
        return op.emitOpError("writes ") << buffer << ", where state lies, which it does not continue";
      }
      for (auto [number, operand] : llvm::enumerate(op.getOperands()))
        if (memory::mayReplace(number, result))
          replaceable.push_back(operand);
      if (failed(write(&op, result, replaceable)))
        return failure();
    }
    return success();
  }

  static bool isSamePlace(step::BufferAttr a, step::BufferAttr b) {
    return a.getSegment() == b.getSegment() && a.getOffset() == b.getOffset() && a.getRowStride() == b.getRowStride();
  }

  /// Checks that each part lies in the whole, at its columns or elements, and that only columns of several rows have a
  /// stride.
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
        return op->emitOpError("takes ") << buffer << " for the " << (op.hasRuns() ? "elements" : "columns") << " from "
                                         << column << " on of " << whole;
      if (buffer.getOffset() + buffer.getExtent() > whole.getOffset() + whole.getExtent())
        return op->emitOpError("takes ") << buffer << ", which ends outside of " << whole;
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
    if (isa<BlockArgument>(value) && failed(segments.check(op, buffer, value.getType())))
      return failure();
    Range range(buffer);
    for (Value operand : op->getOperands()) {
      step::BufferAttr other = getBuffer(operand); // the operand may be a view, which is in no span
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
  Segments &segments;
  LiveBytes live;
  llvm::DenseSet<Value> intact;
  DenseMap<Value, SmallVector<Value>> viewers;
};

struct VerifyPlacement : tx::impl::VerifyPlacementPassBase<VerifyPlacement> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    Segments segments(getOperation());
    if (failed(checkState(segments)))
      return signalPassFailure();
    bool checked = false;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      if (func.isDeclaration())
        continue;
      if (failed(verifyFlat(func)) || failed(Checker(symbols, segments).run(func)))
        return signalPassFailure();
      checked = true;
    }
    if (!checked)
      getOperation().emitRemark("has no function whose placement could be checked");
    segments.reportUnbounded(getOperation());
  }

private:
  /// Checks that no two globals share bytes.
  LogicalResult checkState(Segments &segments) {
    SmallVector<GlobalOp> placed;
    for (auto global : getOperation().getOps<GlobalOp>())
      if (auto buffer = global->getAttrOfType<step::BufferAttr>(kBufferAttr)) {
        if (failed(segments.check(global, buffer, global.getType())))
          return failure();
        placed.push_back(global);
      }
    auto bufferOf = [](GlobalOp global) { return global->getAttrOfType<step::BufferAttr>(kBufferAttr); };
    llvm::sort(placed, [&](GlobalOp a, GlobalOp b) {
      return std::pair(bufferOf(a).getOffset(), a.getSymName()) < std::pair(bufferOf(b).getOffset(), b.getSymName());
    });
    for (size_t i = 1; i < placed.size(); ++i) {
      step::BufferAttr before = bufferOf(placed[i - 1]), buffer = bufferOf(placed[i]);
      if (before.getOffset() + before.getExtent() > buffer.getOffset())
        return placed[i].emitOpError("lies at ")
               << buffer << ", over @" << placed[i - 1].getSymName() << " at " << before;
    }
    return success();
  }
};

} // namespace
