//===- TxOps.h - The ops of the tx dialect --------------------------------------------------------------*- C++ -*-===//

#ifndef TX_DIALECT_TX_IR_TXOPS_H
#define TX_DIALECT_TX_IR_TXOPS_H

#include "tx/Dialect/Tx/IR/TxDialect.h"
#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "tx/Dialect/Tx/IR/TxOps.h.inc"

namespace tx {

/// The most ranks that a mesh may have, so that a rank's number fits every field that holds one.
inline constexpr int64_t kMaxRanks = int64_t(1) << 20;
/// How many ranks run the collective together: the size of its mesh axis.
int64_t getRanks(CollectiveOpInterface op);
/// The difference between the numbers of two neighbors on the op's axis: the product of the sizes of the axes that
/// follow it.
int64_t getRankStride(CollectiveOpInterface op);

} // namespace tx

#endif // TX_DIALECT_TX_IR_TXOPS_H
