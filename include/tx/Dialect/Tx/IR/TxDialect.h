//===- TxDialect.h - The tx dialect, its enums and attributes -------------------------------------------*- C++ -*-===//
//
// Declares no ops, so that it is cheap to include. Passes that use op classes include TxOps.h.
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
