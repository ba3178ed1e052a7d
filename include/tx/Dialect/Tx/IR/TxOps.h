//===- TxOps.h - The ops of the tx dialect ----------------------*- C++ -*-===//

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

#endif // TX_DIALECT_TX_IR_TXOPS_H
