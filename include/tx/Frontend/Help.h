//===- Help.h - What tx-compile says of itself ----------------------------------------------------------*- C++ -*-===//

#ifndef TX_FRONTEND_HELP_H
#define TX_FRONTEND_HELP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

#include <utility>

namespace tx {

/// A phase's name, and what the program is after it. The pipeline has the list.
using PhaseHelp = std::pair<llvm::StringRef, llvm::StringRef>;

/// `tx-compile --help`.
void printHelp(llvm::raw_ostream &os, llvm::ArrayRef<PhaseHelp> phases);
/// `--help-megatron`: what becomes of every Megatron flag.
void printMegatronHelp(llvm::raw_ostream &os);
/// `--help-markdown`: both, as a page of the docs.
void printMarkdown(llvm::raw_ostream &os, llvm::ArrayRef<PhaseHelp> phases);

} // namespace tx

#endif // TX_FRONTEND_HELP_H
