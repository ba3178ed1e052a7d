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
/// Splits each --add-passes-after into its stage and its pipeline, in the order in which they were given.
llvm::SmallVector<AddedPasses> splitAddedPasses(const PluginOptions &options);

/// Loads the plug-ins, and checks that the stages and passes that --add-passes-after names exist. `lastStage` is the
/// last stage that this compilation runs; passes after a later one are an error.
llvm::Error loadPlugins(const PluginOptions &options, llvm::StringRef lastStage);

/// Adds the passes that were given for the stage, and returns whether there were any. loadPlugins has to come before.
bool addPassesAfter(llvm::StringRef stage, const PluginOptions &options, mlir::OpPassManager &manager);

} // namespace tx

#endif // TX_LIB_PIPELINE_ADDEDPASSES_H
