//===- Border.h - The ops of backward that forward's last kernel computes -------------------------------*- C++ -*-===//
//
// Forward ends at the loss. Backward begins with the gradient of the loss, and this needs nothing that backward has
// computed: the kernel that computes the loss has the logits in its hands and computes the gradient too. The ops of
// backward that it computes are the border ops. They are the first row ops of backward, one after another, as long as
// each of them reads only
//
//   - values that are there before the loss,
//   - results of the loss itself,
//   - results of other border ops.
//
// Here they are the two ops that are marked; the product that follows is no row op and ends them.
//
//     %losses, %lse = tx.cross_entropy %logits, %targets in <"loss">
//     %sum, %count = tx.reduce_loss %losses, %targets in <"loss">
//   * %dlosses = tx.reduce_loss_grad %scale, %targets in <backward, "loss">
//   * %dlogits = tx.cross_entropy_grad %dlosses, %logits, %targets, %lse in <backward, "loss">
//     %dw = tx.linear_weight_grad %x, %dlogits in <backward, "output_layer">
//
// After tx-fuse-kernels one kernel has the loss and its gradient, and %lse never reaches memory:
//
//     %dlosses = step.group row [1, 8] in <backward, "loss"> ... { tx.reduce_loss_grad }
//     %losses, %dlogits = step.group row [8, 16] in <"loss"> ... { tx.cross_entropy; tx.cross_entropy_grad }
//
// What lives across the border of forward and backward is then %dlogits, not %logits and %lse: so the planner, which
// counts saved values, and the fusion, which makes the kernel, both ask here which ops they are.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_DIALECT_TX_IR_BORDER_H
#define TX_DIALECT_TX_IR_BORDER_H

#include "mlir/IR/Region.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace tx {

using BorderOps = llvm::SmallPtrSet<mlir::Operation *, 4>;

/// The border ops of the region's first block; none where backward does not begin with the gradient of a loss.
BorderOps findBorderOps(mlir::Region &body);

} // namespace tx

#endif // TX_DIALECT_TX_IR_BORDER_H
