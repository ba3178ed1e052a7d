//===- PlaceMemory.cpp - Give every tensor its address ------------------------------------------------------------===//

#include "StateLayout.h"
#include "Storage.h"

#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Memory/Passes.h"
#include "tx/Memory/Placement.h"

#include "txrt/abi.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;
using namespace tx;
using namespace tx::memory;

namespace tx {
#define GEN_PASS_DEF_PLACEMEMORYPASS
#include "tx/Memory/Passes.h.inc"
} // namespace tx

static int64_t alignUp(int64_t bytes) { return llvm::alignTo(bytes, TXRT_BUFFER_ALIGNMENT); }

/// Segments lie in the arena one behind another. The sizes of the others are rounded up to the alignment of scratch,
/// which is in the last one.
static int64_t getSegmentAlignment(ModuleOp module) {
  auto result = module.walk(
      [](Operation *op) { return op->hasAttr(kScratchBytesAttr) ? WalkResult::interrupt() : WalkResult::advance(); });
  return result.wasInterrupted() ? TXRT_SCRATCH_ALIGNMENT : TXRT_BUFFER_ALIGNMENT;
}

namespace {

struct PlaceMemory : tx::impl::PlaceMemoryPassBase<PlaceMemory> {
  using PlaceMemoryPassBase::PlaceMemoryPassBase;

  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isDeclaration() && failed(verifyFlat(func)))
        return signalPassFailure();
    segmentAlignment = getSegmentAlignment(getOperation());
    FailureOr<StateLayout> layout = StateLayout::compute(getOperation());
    if (failed(layout))
      return signalPassFailure();
    placeGlobals(*layout);
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isDeclaration() && failed(placeFunction(func, *layout)))
        return signalPassFailure();
  }

private:
  step::BufferAttr bufferOf(step::ArenaSegment segment, int64_t offset, Type type, int64_t stride = 0) {
    return step::BufferAttr::get(&getContext(), segment, offset, cast<RankedTensorType>(type), stride);
  }

  void placeGlobals(const StateLayout &layout) {
    for (auto global : getOperation().getOps<GlobalOp>())
      global->setAttr(kBufferAttr, bufferOf(step::ArenaSegment::Persistent, layout.getOffset(global.getSymName()),
                                            global.getType()));
    if (layout.getBytes())
      getOperation()->setAttr(
          kPersistentBytesAttr,
          Builder(&getContext()).getI64IntegerAttr(llvm::alignTo(layout.getBytes(), segmentAlignment)));
  }

  LogicalResult placeFunction(func::FuncOp func, const StateLayout &layout) {
    FailureOr<StorageAnalysis> analysis = StorageAnalysis::compute(func, layout);
    if (failed(analysis))
      return failure();
    std::vector<Storage> &storages = analysis->storages;

    std::vector<int64_t> starts(storages.size());
    std::vector<Buffer> buffers;
    std::vector<size_t> transient;
    int64_t argumentBytes = 0;
    for (auto [index, storage] : llvm::enumerate(storages)) {
      switch (storage.segment) {
      case step::ArenaSegment::Persistent:
        break; // the storage of all state starts at byte 0 of its segment
      case step::ArenaSegment::Argument:
        starts[index] = argumentBytes;
        argumentBytes += alignUp(storage.bytes);
        break;
      case step::ArenaSegment::Saved:
      case step::ArenaSegment::Transient:
        buffers.push_back({storage.lower, storage.upper, storage.bytes, storage.alignment});
        transient.push_back(index);
        break;
      }
    }
    argumentBytes = llvm::alignTo(argumentBytes, segmentAlignment);
    Placement placement = place(buffers);
    if (std::optional<std::string> fault = memory::verifyPlacement(buffers, placement))
      return func.emitError("has no valid placement: ") << *fault;
    for (auto [index, offset] : llvm::zip(transient, placement.offsets))
      starts[index] = offset;

    annotate(func, *analysis, starts);
    Builder builder(&getContext());
    func->setAttr(kArgumentBytesAttr, builder.getI64IntegerAttr(argumentBytes));
    func->setAttr(kTransientBytesAttr, builder.getI64IntegerAttr(placement.height));
    func->setAttr(kPeakLiveBytesAttr, builder.getI64IntegerAttr(placement.lowerBound));
    remark::analysis(func.getLoc(), remark::RemarkOpts::name("Placement").category("memory").function(func.getName()))
        << remark::metric("TransientBytes", placement.height) << remark::metric("PeakLiveBytes", placement.lowerBound)
        << remark::metric("Buffers", int64_t(buffers.size()));
    return success();
  }

  void annotate(func::FuncOp func, StorageAnalysis &analysis, const std::vector<int64_t> &starts) {
    auto addressOf = [&](Value value) {
      const Place &place = analysis.places[value];
      int64_t stride = place.rowStride == getColumns(value.getType()) ? 0 : place.rowStride;
      return bufferOf(analysis.storages[place.storage].segment, starts[place.storage] + place.byteOffset,
                      value.getType(), stride);
    };
    Block &block = func.getBody().front();
    for (BlockArgument argument : block.getArguments())
      func.setArgAttr(argument.getArgNumber(), kBufferAttr, addressOf(argument));
    for (Operation &op : block) {
      SmallVector<Attribute> addresses;
      for (Value result : op.getResults())
        addresses.push_back(addressOf(result));
      if (!addresses.empty())
        op.setAttr(kBuffersAttr, ArrayAttr::get(&getContext(), addresses));
      if (auto found = analysis.scratch.find(&op); found != analysis.scratch.end()) {
        auto type = RankedTensorType::get({analysis.storages[found->second].bytes}, Builder(&getContext()).getI8Type());
        op.setAttr(kScratchAttr, bufferOf(step::ArenaSegment::Transient, starts[found->second], type));
      }
    }
  }

  int64_t segmentAlignment = TXRT_BUFFER_ALIGNMENT;
};

} // namespace
