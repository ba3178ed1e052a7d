//===- Tool.h - What the main function of a tool does ---------------------------------------------------*- C++ -*-===//

#ifndef TX_SUPPORT_TOOL_H
#define TX_SUPPORT_TOOL_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace tx {

/// Calls `run` with the arguments, prints its error and returns the exit status. Says so if memory runs out, or if
/// standard output could not be written; a reader of it that has left is no error.
int runTool(int argc, char **argv, llvm::function_ref<llvm::Error(llvm::ArrayRef<llvm::StringRef>)> run);

} // namespace tx

#endif // TX_SUPPORT_TOOL_H
