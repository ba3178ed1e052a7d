//===- AddedPasses.h - Passes that a person puts between the stages -------------------------------------*- C++ -*-===//
//
//   --load-pass-plugin=./libmine.so --add-passes-after='remat:my-pass{option=1}'
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_ADDEDPASSES_H
#define TX_LIB_PIPELINE_ADDEDPASSES_H

#include "tx/Frontend/CompileOptions.h"

#include "mlir/Support/LLVM.h"

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tx {

/// One --add-passes-after.
struct AddedPasses {
  llvm::StringRef stage, pipeline;
};
/// In the order in which they were given.
llvm::SmallVector<AddedPasses> splitAddedPasses(const PluginOptions &options);

/// Loads the plug-ins, and checks that stages and passes which are named are there. `lastStage` is where the way ends.
llvm::Error loadPlugins(const PluginOptions &options, llvm::StringRef lastStage);

/// Adds what was given for the stage; gives whether there was something. What is named has been checked.
bool addPassesAfter(llvm::StringRef stage, const PluginOptions &options, mlir::OpPassManager &manager);

} // namespace tx

#endif // TX_LIB_PIPELINE_ADDEDPASSES_H
