//===- MoveReplays.h - Recompute an activation where backward needs it ----------------------------------*- C++ -*-===//
//
// A replay is an op of the segment `recompute`. An elementwise one, as GELU's, costs next to nothing if the kernel that
// reads its input anyway computes it: the kernel of the activation's gradient. So it moves down to that gradient, and
// makeSchedule then makes one kernel of both. What stands between the two and reads the replay's result moves too, to
// behind the gradient: the weight's gradient, which is a product, and sums that are made of this product's result.
//
//     %act = tx.gelu %x in <recompute, "mlp.mlp_act">                 // the replay
//     %dw = tx.linear_weight_grad %act, %dy in <backward, "mlp.fc2">  // reads its result
//     %dact = tx.linear_input_grad %dy, %w in <backward, "mlp.fc2">
//     %dx = tx.gelu_grad %dact, %x in <backward, "mlp.mlp_act">       // the gradient: it reads %x, too
//
// becomes
//
//     %dact = tx.linear_input_grad %dy, %w in <backward, "mlp.fc2">
//     %act = tx.gelu %x in <recompute, "mlp.mlp_act">
//     %dx = tx.gelu_grad %dact, %x in <backward, "mlp.mlp_act">
//     %dw = tx.linear_weight_grad %act, %dy in <backward, "mlp.fc2">
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PLAN_MOVEREPLAYS_H
#define TX_LIB_PLAN_MOVEREPLAYS_H

#include "Order.h"

#include "tx/Plan/Step.h"

namespace tx::plan {

/// Moves the entry's elementwise replays to the gradients of their layer that read what they read. A replay stays where
/// it is if the gradient, or an op before it that does not move, needs what is made of the replay's result. Counts in
/// `looks` how often a replay was looked at.
void moveReplays(const Entry &entry, Order &order, int64_t &looks);

/// Whether the op recomputes row by row and sums nothing.
inline bool isElementwiseReplay(const Op &op) {
  return op.work == Work::Row && op.reductionPasses == 0 && op.segment == Segment::Recompute;
}

} // namespace tx::plan

#endif // TX_LIB_PLAN_MOVEREPLAYS_H
