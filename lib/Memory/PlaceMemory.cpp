//===- PlaceMemory.cpp - Give every tensor its address ------------------------------------------------------------===//
//
// Reads the step, lets Plan/Storage.h and Plan/Peak.h decide where everything lies, and writes that down.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Memory/Passes.h"
#include "tx/Plan/Peak.h"
#include "tx/Plan/ReadStep.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_PLACEMEMORYPASS
#include "tx/Memory/Passes.h.inc"
} // namespace tx

static step::ArenaSegment getSegment(plan::MemorySegment segment) {
  switch (segment) {
  case plan::MemorySegment::Persistent:
    return step::ArenaSegment::Persistent;
  case plan::MemorySegment::Argument:
    return step::ArenaSegment::Argument;
  case plan::MemorySegment::Transient:
    return step::ArenaSegment::Transient;
  }
  llvm_unreachable("all segments are listed");
}

/// The entry's launches. All that a group gives lies in memory, and all that an op outside of groups gives, whoever
/// needs it.
static plan::Schedule readLaunches(const plan::Entry &entry, const EntryIR &ir) {
  plan::Schedule schedule = plan::readSchedule(entry);
  for (plan::Launch &launch : schedule.launches) {
    Operation *first = ir.ops[launch.ops.front()];
    auto group = dyn_cast<step::GroupOp>(first->getParentOp());
    launch.outputs.clear();
    for (int op : launch.ops)
      for (int result : entry.ops[op].results)
        if (ir.values[result].getDefiningOp() == (group ? group.getOperation() : first))
          launch.outputs.push_back(result);
  }
  return schedule;
}

namespace {

/// The addresses of an entry's values and scratch.
class AddressWriter {
public:
  AddressWriter(const EntryIR &ir, const plan::Schedule &schedule, const plan::Storages &storages,
                const plan::EntryPeak &peak)
      : ir(ir), schedule(schedule), storages(storages), peak(peak) {
    for (auto [number, value] : llvm::enumerate(ir.values))
      numbers[value] = number;
  }

  void run() {
    func::FuncOp function = ir.function;
    for (BlockArgument argument : function.getArguments())
      function.setArgAttr(argument.getArgNumber(), kBufferAttr, addressOf(argument));
    for (Operation &op : function.front()) {
      SmallVector<Attribute> addresses;
      for (Value result : op.getResults())
        addresses.push_back(addressOf(result));
      if (!addresses.empty())
        op.setAttr(kBuffersAttr, ArrayAttr::get(op.getContext(), addresses));
    }
    for (auto [launch, scratch] : llvm::zip(schedule.launches, storages.scratch))
      if (scratch >= 0)
        writeScratch(ir.ops[launch.ops.front()], scratch);
  }

private:
  step::BufferAttr addressOf(Value value) {
    const plan::Place &place = storages.places[numbers.lookup(value)];
    auto type = cast<RankedTensorType>(value.getType());
    int64_t stride = place.rowStride == getColumns(type) ? 0 : place.rowStride;
    return step::BufferAttr::get(value.getContext(), getSegment(storages.storages[place.storage].segment),
                                 peak.starts[place.storage] + place.byteOffset, type, stride);
  }

  void writeScratch(Operation *op, int storage) {
    auto group = dyn_cast<step::GroupOp>(op->getParentOp());
    auto type = RankedTensorType::get({storages.storages[storage].bytes}, Builder(op->getContext()).getI8Type());
    (group ? group.getOperation() : op)
        ->setAttr(kScratchAttr, step::BufferAttr::get(op->getContext(), step::ArenaSegment::Transient,
                                                      peak.starts[storage], type, /*stride=*/0));
  }

  const EntryIR &ir;
  const plan::Schedule &schedule;
  const plan::Storages &storages;
  const plan::EntryPeak &peak;
  DenseMap<Value, int> numbers;
};

struct PlaceMemory : tx::impl::PlaceMemoryPassBase<PlaceMemory> {
  using PlaceMemoryPassBase::PlaceMemoryPassBase;

  void runOnOperation() override {
    FailureOr<StepIR> read = readStep(getOperation(), ReadNames::No);
    if (failed(read))
      return signalPassFailure();
    plan::StateLayout layout = plan::StateLayout::compute(read->step);
    if (layout.fault) {
      say(*layout.fault, read->entries[layout.fault->entry]);
      return signalPassFailure();
    }
    placeGlobals(read->step, layout);
    for (auto [entry, ir] : llvm::zip(read->step.entries, read->entries))
      if (failed(placeEntry(read->step, entry, ir, layout)))
        return signalPassFailure();
  }

private:
  /// Says the fault where the IR has it.
  static void say(const plan::StorageFault &fault, const EntryIR &ir) {
    func::FuncOp function = ir.function;
    Operation *op = fault.op >= 0      ? ir.ops[fault.op]
                    : fault.store >= 0 ? *std::next(function.getOps<StoreOp>().begin(), fault.store)
                                       : ir.values[fault.value].getDefiningOp();
    op->emitOpError(fault.text);
  }

  void placeGlobals(const plan::Step &step, const plan::StateLayout &layout) {
    Builder builder(&getContext());
    for (auto [global, offset] : llvm::zip(getOperation().getOps<GlobalOp>(), layout.offsets))
      global->setAttr(kBufferAttr, step::BufferAttr::get(&getContext(), step::ArenaSegment::Persistent, offset,
                                                         global.getType(), /*stride=*/0));
    if (int64_t bytes = plan::getPersistentBytes(step, layout))
      getOperation()->setAttr(kPersistentBytesAttr, builder.getI64IntegerAttr(bytes));
  }

  LogicalResult placeEntry(const plan::Step &step, const plan::Entry &entry, const EntryIR &ir,
                           const plan::StateLayout &layout) {
    plan::Schedule schedule = readLaunches(entry, ir);
    plan::Storages storages = plan::computeStorages(step, entry, schedule, layout);
    if (storages.fault) {
      say(*storages.fault, ir);
      return failure();
    }
    plan::EntryPeak peak = plan::placeStorages(storages, plan::getSegmentAlignment(step));
    func::FuncOp func = ir.function;
    if (std::optional<std::string> fault = plan::verifyPlacement(storages, peak))
      return func.emitError("has no valid placement: ") << *fault;
    AddressWriter(ir, schedule, storages, peak).run();
    Builder builder(&getContext());
    func->setAttr(kArgumentBytesAttr, builder.getI64IntegerAttr(peak.argumentBytes));
    func->setAttr(kTransientBytesAttr, builder.getI64IntegerAttr(peak.transientBytes));
    func->setAttr(kPeakLiveBytesAttr, builder.getI64IntegerAttr(peak.liveBytes));
    remark::analysis(func.getLoc(), remark::RemarkOpts::name("Placement").category("memory").function(func.getName()))
        << remark::metric("TransientBytes", peak.transientBytes) << remark::metric("PeakLiveBytes", peak.liveBytes)
        << remark::metric("Buffers", static_cast<int64_t>(plan::getBuffers(storages).size()));
    return success();
  }
};

} // namespace
