//===- TileKernel.cpp - Which code a kernel of tiles gets ---------------------------------------------------------===//

#include "FlashAttention.h"
#include "Kernels.h"

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
static void emitFlash(OpT op, void (*emit)(OpT, Kernel &, const AttentionSchedule &, BlockEmitter &), Kernel &kernel,
                      ArrayRef<int64_t> alignments, BlockEmitter &emitter, AttentionSchedule &schedule) {
  AttentionShape shape = FlashAttention::describe(op);
  schedule = scheduleAttention(shape);
  if (op.getKey() && !op->hasAttr("step.immediate"))
    return kernel.refuse(op, "has no attribute 'step.immediate': the immediate with its site's hash");
  if (schedule.sharedBytes == 0)
    return kernel.refuse(op, "has heads of width " + Twine(shape.width) + "; GPU kernels take at most " +
                                 Twine(kWidestHead));
  if (schedule.hasTensorCores && !checkAlignment(kernel, op, alignments))
    return;
  emit(op, kernel, schedule, emitter);
  assert(emitter.getSharedBytes() <= schedule.sharedBytes && "the schedule knows what kernels take");
}

void tx::simt::emitTiles(Kernel &kernel, ArrayRef<int64_t> alignments, BlockEmitter &emitter,
                         AttentionSchedule &schedule) {
  Operation *op = &kernel.op.getBody().front().front();
  if (auto attention = dyn_cast<FlashAttentionOp>(op))
    emitFlash(attention, emitFlashForward, kernel, alignments, emitter, schedule);
  else if (auto grad = dyn_cast<FlashAttentionGradOp>(op))
    emitFlash(grad, emitFlashBackward, kernel, alignments, emitter, schedule);
  else
    kernel.refuse(op, "has no GPU code as a kernel of tiles");
}
