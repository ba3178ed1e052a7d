//===- Manifest.h - The JSON part of an artifact --------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_MANIFEST_H
#define TX_LIB_TARGET_MANIFEST_H

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Target/TargetCode.h"

#include "llvm/Support/JSON.h"

namespace tx {

/// The manifest of docs/Artifact.md.
llvm::json::Object buildManifest(step::ProgramOp program, const TargetCode &code, llvm::json::Object about);

/// The ABI's number of an element type.
txrt_dtype getDtype(mlir::Type elementType);

} // namespace tx

#endif // TX_LIB_TARGET_MANIFEST_H
