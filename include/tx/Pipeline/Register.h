//===- Register.h - Everything that tx-opt and tx-compile know ------------------------------------------*- C++ -*-===//

#ifndef TX_PIPELINE_REGISTER_H
#define TX_PIPELINE_REGISTER_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace tx {

/// Tx's dialects and the upstream ones that its phases use, with their translations to LLVM IR.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Tx's passes and named pipelines, and upstream's general passes (CSE, DCE, canonicalization).
void registerAllPasses();

} // namespace tx

#endif // TX_PIPELINE_REGISTER_H
