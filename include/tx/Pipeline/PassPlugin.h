//===- PassPlugin.h - Shared libraries with passes ------------------------------------------------------*- C++ -*-===//
//
// A plug-in is a shared library with MLIR's entry point (mlir/Tools/Plugins/PassPlugin.h), built against this Tx and
// its MLIR. It shares Tx's own library with the program that loads it, so that there is one TypeID for each op:
// `isa<tx::GeluOp>` means the same on both sides.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PIPELINE_PASSPLUGIN_H
#define TX_PIPELINE_PASSPLUGIN_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tx {

/// Checks that the file can be a plug-in of this process: a shared library that is linked against the versions of Tx,
/// MLIR and LLVM that this process runs with. Two versions in one process would have two registries, and nobody would
/// find the plug-in's passes. Runs no code of the file.
llvm::Error checkPlugin(llvm::StringRef file);

/// Checks the file, loads it, and registers its passes.
llvm::Error loadPassPlugin(llvm::StringRef file);

} // namespace tx

#endif // TX_PIPELINE_PASSPLUGIN_H
