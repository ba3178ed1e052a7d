//===- InputLimits.h - Bounds on what the parsers get to see --------------------------------------------*- C++ -*-===//
//
// llvm::json and MLIR's parser recurse as deep as their input nests, and could overflow the stack. Of two equal keys in
// an object llvm::json silently takes the last. So the functions here check size, nesting and keys of a text before it
// is parsed; they use loops and do not recurse.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_SUPPORT_INPUTLIMITS_H
#define TX_SUPPORT_INPUTLIMITS_H

#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <memory>

namespace tx {

/// A file type in words: `a folder`, `a named pipe`, …
std::string describeFileType(llvm::sys::fs::file_type type);

/// Reads a regular file. Any other kind of file, or more than `maximumBytes`, is an error.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> readRegularFile(llvm::StringRef path, uint64_t maximumBytes);

/// An error if JSON text has a NUL, nests more than 64 levels deep, or has a key twice in one object.
llvm::Error checkJsonLimits(llvm::StringRef text, llvm::StringRef name);

/// An error if MLIR text of a model nests more than 256 levels of brackets, or has an affine map. An alias of an
/// attribute or a type counts as deep as what it stands for.
llvm::Error checkMlirLimits(llvm::StringRef text, llvm::StringRef name);

/// Checks the nesting like checkMlirLimits, but allows affine maps: IR of later phases has kernels, which may have
/// them.
llvm::Error checkMlirNesting(llvm::StringRef text, llvm::StringRef name);

} // namespace tx

#endif // TX_SUPPORT_INPUTLIMITS_H
