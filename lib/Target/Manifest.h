//===- Manifest.h - The JSON part of an artifact --------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_MANIFEST_H
#define TX_LIB_TARGET_MANIFEST_H

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Target/TargetCode.h"

#include "llvm/Support/JSON.h"

namespace tx {

/// Builds the manifest (docs/Artifact.md) of a program and its code; `about` holds the fields that only the driver
/// knows.
llvm::json::Object buildManifest(step::ProgramOp program, const TargetCode &code, llvm::json::Object about);

/// The number that the ABI (txrt/abi.h) gives an element type.
txrt_dtype getDtype(mlir::Type elementType);

} // namespace tx

#endif // TX_LIB_TARGET_MANIFEST_H
