//===- Artifact.h - Writing step.txa --------------------------------------------------------------------*- C++ -*-===//
//
// Writes a step program, its kernels and the manifest (what people and the runtime want to know) into one file
// (docs/Artifact.md, runtime/include/txrt/abi.h).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TARGET_ARTIFACT_H
#define TX_TARGET_ARTIFACT_H

#include "tx/Target/TargetCode.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace tx {
namespace step {
class ProgramOp;
} // namespace step

/// Returns the artifact's bytes. `about` holds the manifest fields that only the driver knows: model, policy, report.
llvm::SmallVector<char, 0> serializeArtifact(step::ProgramOp program, const TargetCode &code, llvm::json::Object about);

/// Writes a file as a whole or not at all: the bytes go to a temporary file, which is synced and then renamed to
/// `path`.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::ArrayRef<char> bytes);

} // namespace tx

#endif // TX_TARGET_ARTIFACT_H
