//===- Help.h - What tx-compile says of itself ------------------*- C++ -*-===//

#ifndef TX_FRONTEND_HELP_H
#define TX_FRONTEND_HELP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

namespace tx {

/// `tx-compile --help`. The phases are those of the pipeline, in order.
void printHelp(llvm::raw_ostream &os, llvm::ArrayRef<llvm::StringRef> phases);
/// `--help-megatron`: what becomes of every Megatron flag.
void printMegatronHelp(llvm::raw_ostream &os);
/// `--help-markdown`: both, as a page of the docs.
void printMarkdown(llvm::raw_ostream &os, llvm::ArrayRef<llvm::StringRef> phases);

} // namespace tx

#endif // TX_FRONTEND_HELP_H
