//===- Help.h - What tx-compile says of itself ----------------------------------------------------------*- C++ -*-===//

#ifndef TX_FRONTEND_HELP_H
#define TX_FRONTEND_HELP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/raw_ostream.h"

namespace tx {

/// A stage of the pipeline, and what the program is after it. The caller takes the list from Pipelines.h.
struct StageHelp {
  llvm::StringRef name, summary;
  bool isPhase; ///< --compile-to can stop there
};

/// Prints what `tx-compile --help` says.
void printHelp(llvm::raw_ostream &os, llvm::ArrayRef<StageHelp> stages);
/// Prints what `--help-megatron` says: how tx-compile treats each flag of Megatron.
void printMegatronHelp(llvm::raw_ostream &os);
/// Prints what `--help-families` says, a page of the docs too: the families of models, with the fields of their
/// config.json and the names of their parameters.
void printFamilies(llvm::raw_ostream &os);
/// Prints what `--help-markdown` says: both texts as a page of the docs.
void printMarkdown(llvm::raw_ostream &os, llvm::ArrayRef<StageHelp> stages);

} // namespace tx

#endif // TX_FRONTEND_HELP_H
