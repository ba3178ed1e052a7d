//===- StepOps.h - The step dialect -----------------------------*- C++ -*-===//

#ifndef TX_DIALECT_STEP_IR_STEPOPS_H
#define TX_DIALECT_STEP_IR_STEPOPS_H

#include "tx/Dialect/Tx/IR/TxDialect.h"
#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "tx/Dialect/Step/IR/StepDialect.h.inc"
// The enums of TxAttrEnums.td come with the tx dialect; here is only the arena's.
#include "tx/Dialect/Step/IR/StepEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "tx/Dialect/Step/IR/StepAttrs.h.inc"

#define GET_OP_CLASSES
#include "tx/Dialect/Step/IR/StepOps.h.inc"

#endif // TX_DIALECT_STEP_IR_STEPOPS_H
