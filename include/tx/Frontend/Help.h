//===- Help.h - What tx-compile says of itself ----------------------------------------------------------*- C++ -*-===//

#ifndef TX_FRONTEND_HELP_H
#define TX_FRONTEND_HELP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

namespace tx {

/// A stage of the way, and what the program is after it. The pipeline has the list.
struct StageHelp {
  llvm::StringRef name, summary;
  bool isPhase; ///< --compile-to can stop there
};

/// `tx-compile --help`.
void printHelp(llvm::raw_ostream &os, llvm::ArrayRef<StageHelp> stages);
/// `--help-megatron`: what becomes of every Megatron flag.
void printMegatronHelp(llvm::raw_ostream &os);
/// `--help-markdown`: both, as a page of the docs.
void printMarkdown(llvm::raw_ostream &os, llvm::ArrayRef<StageHelp> stages);

} // namespace tx

#endif // TX_FRONTEND_HELP_H
