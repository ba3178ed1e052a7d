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

/// The largest mesh axis: a rank's number fits everywhere.
inline constexpr int64_t kMaxRanks = int64_t(1) << 20;
/// How many ranks run the op together.
int64_t getRanks(CollectiveOpInterface op);
/// How far apart neighbors on the op's axis are numbered: the ranks of the axes that follow it.
int64_t getRankStride(CollectiveOpInterface op);

} // namespace tx

#endif // TX_DIALECT_TX_IR_TXOPS_H
