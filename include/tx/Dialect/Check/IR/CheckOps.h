//===- CheckOps.h - The check dialect -------------------------------------------------------------------*- C++ -*-===//
//
// Ops for tests alone: tx-opt knows them, the compiler does not (docs/Reference/check-dialect.md).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_DIALECT_CHECK_IR_CHECKOPS_H
#define TX_DIALECT_CHECK_IR_CHECKOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <string>
#include <vector>

#include "tx/Dialect/Check/IR/CheckDialect.h.inc"
#include "tx/Dialect/Check/IR/CheckInterfaces.h.inc"

#define GET_OP_CLASSES
#include "tx/Dialect/Check/IR/CheckOps.h.inc"

namespace tx::check {

/// A number as a tensor of this element type has it; bits and integers stay as they are.
double roundTo(mlir::Type element, double value);

} // namespace tx::check

#endif // TX_DIALECT_CHECK_IR_CHECKOPS_H
