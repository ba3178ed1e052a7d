//===- InputLimits.h - Bounds on what the parsers get to see --------------------------------------------*- C++ -*-===//
//
// llvm::json and MLIR's parser recurse with the nesting of their input, and llvm::json lets the last of two equal keys
// win. So sizes, nesting and keys are checked by loops, before either of them runs.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_INPUTLIMITS_H
#define TX_FRONTEND_INPUTLIMITS_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace tx {

/// `a folder`, `a named pipe`, …
std::string describeFileType(llvm::sys::fs::file_type type);

/// The content of a regular file of at most `maximumBytes`.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readRegularFile(llvm::StringRef path, uint64_t maximumBytes);

/// Whether JSON text has no NUL, nests at most 64 levels and no object has a key twice.
llvm::Error checkJsonLimits(llvm::StringRef text, llvm::StringRef name);

/// Whether MLIR text nests at most 256 levels of brackets, attribute and type aliases counted as what they stand for.
llvm::Error checkMlirLimits(llvm::StringRef text, llvm::StringRef name);

/// The same for IR of all phases: kernels may have affine maps, models not.
llvm::Error checkMlirNesting(llvm::StringRef text, llvm::StringRef name);

} // namespace tx

#endif // TX_FRONTEND_INPUTLIMITS_H
