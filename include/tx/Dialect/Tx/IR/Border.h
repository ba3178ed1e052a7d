//===- Border.h - What of backward forward's last kernel computes ---------------------------------------*- C++ -*-===//
//
// The gradient of the loss needs nothing of backward: the kernel that has the loss computes it while it has the logits.
// So values between the two never reach memory, and what lives across the border is that kernel's last result. Planner
// and fusion ask here.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_DIALECT_TX_IR_BORDER_H
#define TX_DIALECT_TX_IR_BORDER_H

#include "mlir/IR/Region.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace tx {

using BorderOps = llvm::SmallPtrSet<mlir::Operation *, 4>;

/// The first ops of backward, as far as they are of the loss's kind and space, take a value of it or of each other, and
/// need no other value that comes after it; with those that they need and that need arguments alone. Of the first
/// block.
BorderOps findBorderOps(mlir::Region &body);

} // namespace tx

#endif // TX_DIALECT_TX_IR_BORDER_H
