//===- CheckOps.h - The check dialect -------------------------------------------------------------------*- C++ -*-===//
//
// The check dialect compares results with expected values. Only tests use its ops: tx-opt registers the dialect,
// tx-compile does not (docs/Reference/check-dialect.md).
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

/// Rounds `value` to what a tensor with this element type can hold. A number for i1 or an integer type is returned as
/// it is.
double roundTo(mlir::Type element, double value);

} // namespace tx::check

#endif // TX_DIALECT_CHECK_IR_CHECKOPS_H
