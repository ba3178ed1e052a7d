//===- InPlace.h - Where an op may write over what it reads ---------------------------------------------*- C++ -*-===//
//
// Asks the IR. The verifier uses it beside lib/Plan/Storage.cpp, which decides by the same rules on plain data: neither
// trusts the other.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_MEMORY_INPLACE_H
#define TX_LIB_MEMORY_INPLACE_H

#include "mlir/IR/Value.h"

namespace tx::memory {

/// The operand whose bytes the result overwrites and continues, if any: the tied accumulator of an accumulating op,
/// also if the op is inside of a group.
mlir::Value getTiedOperand(mlir::OpResult result);

/// Whether the kernel may write the result where its operand number `input` lies: every op that reads the operand reads
/// it element by element, and in a pass over the row that is no later than the pass that writes the result.
bool mayReplace(unsigned input, mlir::OpResult result);

} // namespace tx::memory

#endif // TX_LIB_MEMORY_INPLACE_H
