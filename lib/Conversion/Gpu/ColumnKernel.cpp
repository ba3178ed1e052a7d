//===- ColumnKernel.cpp - What a thread does for some columns -----------------------------------------------------===//
//
// A block of threads has a stripe of columns, and each thread one vector of these columns. Groups of threads share the
// rows. The groups' sums are added in a fixed order: by a butterfly within a warp, then warp after warp. There are no
// atomics.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Kernels.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

namespace {

class ThreadColumns : public ColumnUnit {
public:
  ThreadColumns(Kernel &kernel, const KernelSchedule &schedule, ThreadEmitter &emitter, Number first, BlockShape shape)
      : ColumnUnit(kernel, first, shape), schedule(schedule), emitter(emitter) {
    groups = schedule.rowGroups();
    rowsAtOnce = schedule.rowsAtOnce;
    group = emitter.thread() / static_cast<double>(schedule.threadsPerStripe);
  }

private:
  void combineGroups(MutableArrayRef<Number> sums) override;

  const KernelSchedule &schedule;
  ThreadEmitter &emitter;
};

} // namespace

void ThreadColumns::combineGroups(MutableArrayRef<Number> sums) {
  auto add = [](Number a, Number b) { return a + b; };
  for (Number &sum : sums)
    sum = emitter.combineVectors(sum, schedule.threadsPerStripe, kWarp, add);

  // In shared memory the sums of the warps lie one after another; those of one warp are a stripe of columns.
  int64_t warps = schedule.threads / kWarp, stripe = schedule.stripe();
  Number inStripe = emitter.thread() % schedule.threadsPerStripe * static_cast<double>(schedule.lanes);
  Number warp = emitter.thread() / static_cast<double>(kWarp);
  Number isFirst = emitter.thread() % kWarp < emitter.index(schedule.threadsPerStripe);
  BlockShape one;
  one.vectors = 1;
  SmallVector<Buffer> memories;
  for (Number sum : sums) {
    memories.push_back(emitter.shared(warps * stripe));
    emitter.onlyIf(isFirst, [&] {
      emitter.storeBlock({sum}, memories.back(), warp * static_cast<double>(stripe) + inStripe, one);
    });
  }
  emitter.barrier();
  for (auto [sum, memory] : llvm::zip(sums, memories)) {
    sum = emitter.loadBlock(memory, inStripe, one)[0];
    for (int64_t other = 1; other < warps; ++other)
      sum = sum + emitter.loadBlock(memory, inStripe + emitter.index(other * stripe), one)[0];
  }
}

void tx::simt::emitColumns(Kernel &kernel, const KernelSchedule &schedule, ThreadEmitter &emitter,
                           function_ref<void(ColumnUnit &)> body) {
  int64_t stripe = schedule.stripe();
  Number first = emitter.block() * static_cast<double>(stripe) +
                 emitter.thread() % schedule.threadsPerStripe * static_cast<double>(schedule.lanes);
  BlockShape shape;
  shape.vectors = 1;
  if (kernel.columns % stripe)
    shape.left = emitter.index(kernel.columns) - first;
  ThreadColumns unit(kernel, schedule, emitter, first, shape);
  body(unit);
}
