//===- Passes.h - Where every tensor lies -----------------------*- C++ -*-===//

#ifndef TX_MEMORY_PASSES_H
#define TX_MEMORY_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tx/Memory/Passes.h.inc"

/// Names of the attributes that carry addresses and sizes.
inline constexpr llvm::StringLiteral kBuffersAttr = "step.buffers";
inline constexpr llvm::StringLiteral kBufferAttr = "step.buffer";
inline constexpr llvm::StringLiteral kPersistentBytesAttr = "step.persistent_bytes";
inline constexpr llvm::StringLiteral kArgumentBytesAttr = "step.argument_bytes";
inline constexpr llvm::StringLiteral kTransientBytesAttr = "step.transient_bytes";
inline constexpr llvm::StringLiteral kPeakLiveBytesAttr = "step.peak_live_bytes";

/// Where a value lies; null before tx-place-memory.
step::BufferAttr getBuffer(mlir::Value value);

} // namespace tx

#endif // TX_MEMORY_PASSES_H
