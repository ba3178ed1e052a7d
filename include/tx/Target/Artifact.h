//===- Artifact.h - Writing step.txa --------------------------------------------------------------------*- C++ -*-===//
//
// The step program, its kernels and what people and the runtime want to know become one file (docs/Artifact.md,
// runtime/include/txrt/abi.h).
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

/// The artifact's bytes. `about` are the manifest's fields that the compiler's front knows: model, policy, report.
llvm::SmallVector<char, 0> serializeArtifact(step::ProgramOp program, const TargetCode &code, llvm::json::Object about);

/// Writes a file whole or not at all: under a temporary name, synced, renamed.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::ArrayRef<char> bytes);

} // namespace tx

#endif // TX_TARGET_ARTIFACT_H
