//===- FlashKernels.cpp - Flash attention as kernels of tiles -----------------------------------------------------===//

#include "FlashAttention.h"
#include "Tiles.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

/// Refuses buffers of bf16 rows that are not aligned to 16 bytes. Whether a kernel uses tensor cores depends on the
/// element type and the width of heads alone. If it depended on addresses too, a recomputation could have other bits
/// than its forward.
static bool checkAlignment(Kernel &kernel, Operation *op, ArrayRef<int64_t> alignments) {
  for (auto [i, type] : llvm::enumerate(kernel.op.getBufferTypes())) {
    auto tensor = cast<RankedTensorType>(type);
    if (!tensor.getElementType().isBF16())
      continue;
    int64_t stride = kernel.op.getRowStrides()[i] * 2;
    int64_t address = i < alignments.size() ? alignments[i] : 0;
    if (stride % kAccessBytes || address % kAccessBytes) {
      kernel.refuse(op, "has rows that do not start at multiples of " + Twine(kAccessBytes) +
                            " bytes, as tensor cores' products take them");
      return false;
    }
  }
  return true;
}

template <typename OpT>
static void lowerFlash(OpT op, TileTask &task, void (*emit)(OpT, Kernel &, const AttentionSchedule &, BlockEmitter &)) {
  Kernel &kernel = task.kernel;
  AttentionShape shape = FlashAttention::describe(op);
  AttentionSchedule schedule = scheduleAttention(shape);
  if (op.getKey() && !op->hasAttr("step.immediate"))
    return kernel.refuse(op, "has no attribute 'step.immediate': the immediate with its site's hash");
  if (schedule.sharedBytes == 0)
    return kernel.refuse(op, "has heads of width " + Twine(shape.width) + "; GPU kernels take at most " +
                                 Twine(kWidestHead));
  if (schedule.hasTensorCores && !checkAlignment(kernel, op, task.alignments))
    return;
  emit(op, kernel, schedule, task.emitter);
  assert(task.emitter.getSharedBytes() <= schedule.sharedBytes && "the schedule knows what kernels take");
  task.units = schedule.units;
  task.threads = schedule.threads;
  task.blocks = schedule.blocks;
}

static void lowerFlashAttention(FlashAttentionOp op, TileTask &task) { lowerFlash(op, task, emitFlashForward); }

static void lowerFlashAttentionGrad(FlashAttentionGradOp op, TileTask &task) {
  lowerFlash(op, task, emitFlashBackward);
}

void tx::simt::addFlashAttention(TileTable &table) {
  table.add(lowerFlashAttention);
  table.add(lowerFlashAttentionGrad);
}
