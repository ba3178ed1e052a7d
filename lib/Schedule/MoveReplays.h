//===- MoveReplays.h - Recompute an activation where backward needs it ---------------------------------*- C++ -*-===//
//
// A replay is an op of the segment `recompute`. An elementwise one, as GELU's, costs next to nothing if the kernel that
// reads its input anyway computes it: the kernel of the activation's gradient. So it moves down to that gradient, and
// tx-fuse-kernels then makes one kernel of both. What stands between the two and reads the replay's result moves too,
// to behind the gradient: the weight's gradient, which is a product, and sums that are made of this product's result.
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

#ifndef TX_LIB_SCHEDULE_MOVEREPLAYS_H
#define TX_LIB_SCHEDULE_MOVEREPLAYS_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"

namespace tx {

/// Moves the block's elementwise replays to the gradients that read what they read. A replay stays where it is if the
/// gradient, or an op before it that does not move, needs what is made of the replay's result.
void moveReplays(mlir::Block &block);

/// Whether the op recomputes row by row and sums nothing.
bool isElementwiseReplay(mlir::Operation *op);

/// Whether the op draws random numbers by this operand, the key. Ops of all layers read it: that is no reason to
/// compute two of them together.
bool isRandomKey(mlir::Value operand, mlir::Operation *op);

} // namespace tx

#endif // TX_LIB_SCHEDULE_MOVEREPLAYS_H
