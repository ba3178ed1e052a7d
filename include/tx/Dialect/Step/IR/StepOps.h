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
// Only ArenaSegment is generated here; the enums of TxAttrEnums.td come with the tx dialect.
#include "tx/Dialect/Step/IR/StepEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "tx/Dialect/Step/IR/StepAttrs.h.inc"

#include "tx/Dialect/Step/IR/StepInterfaces.h.inc"

#define GET_OP_CLASSES
#include "tx/Dialect/Step/IR/StepOps.h.inc"

namespace tx {

/// Attributes that carry addresses and sizes until tx-lower-to-step makes a step.program. A function argument or a
/// global has one `step.buffer`; any other op has `step.buffers`, one for each result. The `..._bytes` attributes below
/// are the sizes of the arena's segments and the peak of live bytes.
inline constexpr llvm::StringLiteral kBuffersAttr = "step.buffers";
inline constexpr llvm::StringLiteral kBufferAttr = "step.buffer";
/// What a target's library gets or does for an op: the bytes of scratch that the library call needs; after
/// tx-place-memory, the buffer with that scratch; and which operand the library computes or adds beside the op's
/// product.
inline constexpr llvm::StringLiteral kScratchBytesAttr = "step.scratch_bytes";
inline constexpr llvm::StringLiteral kScratchAttr = "step.scratch";
inline constexpr llvm::StringLiteral kEpilogueAttr = "step.epilogue";
/// On a step.group that is core attention: a library may compute it in place of the generated kernel. If the attribute
/// is true, only an algorithm that gives the same bits in every run may be used.
inline constexpr llvm::StringLiteral kLibraryAttentionAttr = "step.library_attention";
inline constexpr llvm::StringLiteral kPersistentBytesAttr = "step.persistent_bytes";
inline constexpr llvm::StringLiteral kArgumentBytesAttr = "step.argument_bytes";
inline constexpr llvm::StringLiteral kTransientBytesAttr = "step.transient_bytes";
inline constexpr llvm::StringLiteral kPeakLiveBytesAttr = "step.peak_live_bytes";

/// The buffer in which a function's value lies; null before tx-place-memory has run.
step::BufferAttr getBuffer(mlir::Value value);

namespace step {

/// Whether a product writes its operand of this role.
bool isOutput(GemmRole role);

/// Numbers all launches of the program, before they get their waits.
void numberLaunches(ProgramOp program);

} // namespace step

} // namespace tx

#endif // TX_DIALECT_STEP_IR_STEPOPS_H
