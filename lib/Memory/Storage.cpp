//===- Storage.cpp - Which values share bytes, and for how long ---------------------------------------------------===//

#include "Storage.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

using namespace mlir;
using namespace tx;
using namespace tx::memory;

//===--------------------------------------------------------------------------------------------------------------===//
// What a kernel allows
//===--------------------------------------------------------------------------------------------------------------===//

static Value getTiedOperandOfOp(OpResult result) {
  if (auto accumulating = dyn_cast<AccumulatingOpInterface>(result.getOwner()))
    for (auto [operand, number] : accumulating.getTies())
      if (number == result.getResultNumber())
        return result.getOwner()->getOperand(operand);
  return {};
}

Value memory::getTiedOperand(OpResult result) {
  auto group = dyn_cast<step::GroupOp>(result.getOwner());
  if (!group)
    return getTiedOperandOfOp(result);
  Value yielded = group.getBody().front().back().getOperand(result.getResultNumber());
  while (auto inner = dyn_cast<OpResult>(yielded)) {
    yielded = getTiedOperandOfOp(inner);
    if (!yielded)
      return {};
  }
  return group.getInputs()[cast<BlockArgument>(yielded).getArgNumber()];
}

bool memory::mayReplace(step::GroupOp group, unsigned input, unsigned output) {
  Block &body = group.getBody().front();
  Value yielded = body.back().getOperand(output);
  if (group.getInputs()[input].getType() != yielded.getType())
    return false;
  // For each op: the pass over the row after which its results are complete.
  DenseMap<Operation *, unsigned> ready;
  llvm::SmallPtrSet<Operation *, 8> readers; // ops that read the input, directly or through other ops
  unsigned lastRead = 0;
  for (Operation &op : body.without_terminator()) {
    auto kernel = cast<KernelOpInterface>(op);
    unsigned begin = 0;
    bool reads = false;
    for (OpOperand &operand : op.getOpOperands()) {
      if (Operation *def = operand.get().getDefiningOp()) {
        begin = std::max(begin, ready[def]);
        reads |= readers.contains(def);
      } else if (cast<BlockArgument>(operand.get()).getArgNumber() == input) {
        if (!llvm::is_contained(kernel.getInPlaceOperands(), operand.getOperandNumber()))
          return false;
        reads = true;
      }
    }
    ready[&op] = begin + kernel.getReductionPasses();
    if (reads) {
      readers.insert(&op);
      lastRead = std::max(lastRead, ready[&op]);
    }
  }
  auto *writer = yielded.getDefiningOp();
  return writer && lastRead <= ready[writer];
}

//===--------------------------------------------------------------------------------------------------------------===//
// StorageAnalysis
//===--------------------------------------------------------------------------------------------------------------===//

FailureOr<StorageAnalysis> StorageAnalysis::compute(func::FuncOp func, const StateLayout &layout) {
  StorageAnalysis analysis(layout);
  analysis.storages.push_back({step::ArenaSegment::Persistent, layout.getBytes()});
  Block &block = func.getBody().front();
  analysis.numberUses(block);
  if (failed(analysis.planParts(block)))
    return failure();
  for (BlockArgument argument : block.getArguments()) {
    analysis.places[argument] = {analysis.addStorage(step::ArenaSegment::Argument, argument.getType())};
    analysis.extend(argument);
  }
  for (Operation &op : block)
    if (failed(analysis.visit(&op)))
      return failure();
  return analysis;
}

/// A time is an op's place in the block. A use of a slice counts as a use of its whole, and a use of a concat as a use
/// of its parts: they share bytes.
void StorageAnalysis::numberUses(Block &block) {
  int64_t time = 0;
  for (Operation &op : block)
    times[&op] = time++;
  for (Operation &op : llvm::reverse(block)) {
    int64_t last = times[&op];
    if (isa<ViewOpInterface>(op))
      for (Value result : op.getResults())
        last = std::max(last, lastUses.lookup(result));
    for (Value operand : op.getOperands()) {
      int64_t &known = lastUses[operand];
      known = std::max(known, last);
    }
  }
}

int StorageAnalysis::addStorage(step::ArenaSegment segment, Type type) {
  Storage storage;
  storage.segment = segment;
  storage.bytes = getByteSize(type);
  storages.push_back(storage);
  return storages.size() - 1;
}

void StorageAnalysis::extend(Value value) {
  Storage &storage = storages[places[value].storage];
  storage.upper = std::max(storage.upper, lastUses.lookup(value) + 1);
}

/// Gives the parts of each concat their places in the whole. Goes from the last concat to the first: a whole that is
/// itself a part of a later concat then has its place before its own parts get theirs.
LogicalResult StorageAnalysis::planParts(Block &block) {
  for (Operation &op : llvm::reverse(block)) {
    auto view = dyn_cast<ViewOpInterface>(op);
    if (!view || view.packsState() || view.getViewedWhole().getDefiningOp() != &op)
      continue;
    Value whole = view.getViewedWhole();
    auto wanted = parts.find(whole);
    Place place =
        wanted != parts.end() ? wanted->second : Place{addStorage(step::ArenaSegment::Transient, whole.getType())};
    if (wanted == parts.end())
      storages[place.storage].lower = times[&op];
    parts[whole] = place;
    int64_t stride = place.rowStride ? place.rowStride : getColumns(whole.getType());
    for (auto [part, column] : view.getViewedParts()) {
      Operation *def = part.getDefiningOp();
      if (!def || isa<LoadOp>(def) || (isa<ViewOpInterface>(def) && !parts.count(part)) || parts.count(part) ||
          getTiedOperand(cast<OpResult>(part)))
        return op.emitOpError("cannot put ")
               << part.getType() << " beside the others: it already has a place elsewhere (an argument, state, a view, "
               << "or a part of another tensor); compute it by an op of its own";
      int64_t elementBytes = getByteSize(whole.getType()) / cast<RankedTensorType>(whole.getType()).getNumElements();
      bool rows = getRows(whole.getType()) > 1 && !view.hasRuns();
      parts[part] = {place.storage, place.byteOffset + column * elementBytes, rows ? stride : 0};
    }
  }
  return success();
}

LogicalResult StorageAnalysis::visit(Operation *op) {
  if (auto load = dyn_cast<LoadOp>(op)) {
    places[load.getResult()] = {kState, layout.getOffset(load.getGlobal())};
    return success();
  }
  if (auto store = dyn_cast<StoreOp>(op)) {
    if (!(places[store.getValue()] == Place{kState, layout.getOffset(store.getGlobal())}))
      return op->emitOpError("stores a value that was not computed in place of @")
             << store.getGlobal() << "; an accumulator or an optimizer must continue the loaded one";
    return success();
  }
  if (isa<func::ReturnOp>(op))
    return success();
  if (!isa<step::GroupOp, KernelOpInterface, CollectiveOpInterface>(op))
    return op->emitOpError("has no place in a step: it is no tx op");
  if (auto view = dyn_cast<ViewOpInterface>(op)) {
    Value whole = view.getViewedWhole();
    if (whole.getDefiningOp() != op) {
      placeParts(view);
      return success();
    }
    if (view.packsState()) { // the state layout has put the parts side by side in this order
      places[whole] = {kState, layout.getOffset(findState(view.getViewedParts().front().first))};
      return success();
    }
  }
  for (OpResult result : op->getResults())
    placeResult(result);
  placeScratch(op);
  return success();
}

/// Places the parts of a whole that has its place already.
void StorageAnalysis::placeParts(ViewOpInterface op) {
  const Place whole = places[op.getViewedWhole()]; // a copy: the map may grow
  Type type = op.getViewedWhole().getType();
  int64_t elementBytes = getByteSize(type) / cast<RankedTensorType>(type).getNumElements();
  int64_t stride = whole.rowStride ? whole.rowStride : getColumns(type);
  for (auto [part, column] : op.getViewedParts())
    places[part] = {whole.storage, whole.byteOffset + column * elementBytes, op.hasRuns() ? 0 : stride};
}

/// Scratch lives only while its op runs: nobody reads what a library leaves there.
void StorageAnalysis::placeScratch(Operation *op) {
  auto bytes = op->getAttrOfType<IntegerAttr>(kScratchBytesAttr);
  if (!bytes || bytes.getInt() <= 0)
    return;
  scratch[op] = storages.size();
  Storage storage;
  storage.segment = step::ArenaSegment::Transient;
  storage.bytes = llvm::alignTo(bytes.getInt(), TXRT_SCRATCH_ALIGNMENT);
  storage.alignment = TXRT_SCRATCH_ALIGNMENT;
  storage.lower = times[op];
  storage.upper = times[op] + 1;
  storages.push_back(storage);
}

void StorageAnalysis::placeResult(OpResult result) {
  Operation *op = result.getOwner();
  if (auto wanted = parts.find(result); wanted != parts.end()) {
    places[result] = wanted->second;
    Storage &storage = storages[wanted->second.storage];
    storage.lower = std::min(storage.lower, times[op]);
  } else if (Value tied = getTiedOperand(result)) {
    const Place place = places.lookup(tied); // a copy: the map may grow
    places[result] = place;
  } else if (auto group = dyn_cast<step::GroupOp>(op)) {
    if (std::optional<Place> place = findDyingInput(group, result.getResultNumber()))
      places[result] = *place;
  }
  if (!places.count(result)) {
    places[result] = {addStorage(step::ArenaSegment::Transient, result.getType())};
    storages.back().lower = times[op];
    storages.back().upper = times[op] + 1; // the op writes the result even if nobody reads it
  }
  extend(result);
}

std::optional<Place> StorageAnalysis::findDyingInput(step::GroupOp group, unsigned output) {
  for (unsigned number = 0; number < group.getInputs().size(); ++number) {
    Value input = group.getInputs()[number];
    const Place &place = places[input];
    const Storage &storage = storages[place.storage];
    if (storage.segment != step::ArenaSegment::Transient || place.rowStride || place.byteOffset ||
        storage.bytes != getByteSize(group.getOutputs()[output].getType()) || storage.upper > times[group] + 1 ||
        !mayReplace(group, number, output))
      continue;
    // Another output may have taken the place already. Another input may be a view of the same storage, which the
    // kernel reads in another order.
    auto isThere = [&](Value other) {
      auto found = places.find(other);
      return other != input && found != places.end() && found->second.storage == place.storage;
    };
    bool taken = llvm::any_of(group.getOutputs(), isThere) || llvm::any_of(group.getInputs(), isThere);
    if (!taken)
      return place;
  }
  return std::nullopt;
}
