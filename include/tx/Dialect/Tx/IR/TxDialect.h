//===- TxDialect.h - The tx dialect, its enums and attributes -------------------------------------------*- C++ -*-===//
//
// Light: names and places, no ops. Passes that ask ops include TxOps.h.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_DIALECT_TX_IR_TXDIALECT_H
#define TX_DIALECT_TX_IR_TXDIALECT_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"

#include "tx/Dialect/Tx/IR/TxEnums.h"

#include "tx/Dialect/Tx/IR/TxAttrEnums.h.inc"
#include "tx/Dialect/Tx/IR/TxDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "tx/Dialect/Tx/IR/TxAttrs.h.inc"

#endif // TX_DIALECT_TX_IR_TXDIALECT_H
