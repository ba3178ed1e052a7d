//===- StepOps.h - The step dialect ---------------------------------------------------------------------*- C++ -*-===//

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

#include "tx/Dialect/Step/IR/StepInterfaces.h.inc"

#define GET_OP_CLASSES
#include "tx/Dialect/Step/IR/StepOps.h.inc"

namespace tx {

/// Names of the attributes that carry addresses and sizes until there is a step.program: a function's arguments and a
/// global have a buffer, other ops one for each result; sizes are those of the segments.
inline constexpr llvm::StringLiteral kBuffersAttr = "step.buffers";
inline constexpr llvm::StringLiteral kBufferAttr = "step.buffer";
/// What a target's libraries do for an op: the bytes of scratch that the call gets, then where they lie; an epilogue of
/// its product.
inline constexpr llvm::StringLiteral kScratchBytesAttr = "step.scratch_bytes";
inline constexpr llvm::StringLiteral kScratchAttr = "step.scratch";
inline constexpr llvm::StringLiteral kEpilogueAttr = "step.epilogue";
/// On a group that is attention: a library may compute it in the kernel's place; true: only such that always gives the
/// same bits.
inline constexpr llvm::StringLiteral kLibraryAttentionAttr = "step.library_attention";
inline constexpr llvm::StringLiteral kPersistentBytesAttr = "step.persistent_bytes";
inline constexpr llvm::StringLiteral kArgumentBytesAttr = "step.argument_bytes";
inline constexpr llvm::StringLiteral kTransientBytesAttr = "step.transient_bytes";
inline constexpr llvm::StringLiteral kPeakLiveBytesAttr = "step.peak_live_bytes";

/// Where a value of a function lies; null before tx-place-memory.
step::BufferAttr getBuffer(mlir::Value value);

namespace step {

/// What an epilogue has beside A, B and C, and whether the product writes it.
bool hasVector(Epilogue epilogue);
bool writesVector(Epilogue epilogue);
bool hasAux(Epilogue epilogue);
bool writesAux(Epilogue epilogue);

/// Gives each launch its number; for who has added or removed some.
void numberLaunches(ProgramOp program);

} // namespace step

} // namespace tx

#endif // TX_DIALECT_STEP_IR_STEPOPS_H
