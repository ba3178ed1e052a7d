//===- InputPhase.h - Where on its way a module is ------------------------------------------------------*- C++ -*-===//
//
// What --compile-to prints can be edited and compiled on. Each phase is known by the functions that it leaves behind.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_INPUTPHASE_H
#define TX_LIB_PIPELINE_INPUTPHASE_H

#include "tx/Frontend/CompileOptions.h"

#include "mlir/Pass/Pass.h"

namespace tx {

/// The name of a phase. `model` may be `parallel` too: nothing is differentiated.
llvm::StringRef findReachedPhase(mlir::ModuleOp module);

/// Whether there is something to compile.
llvm::Error checkFunctions(const CompileOptions &options, mlir::ModuleOp module);

/// Whether the module holds what a step is made of and nothing else: state, axes, and flat functions of tx ops that
/// callers can call. Says in diagnostics what does not.
mlir::LogicalResult verifyInput(mlir::ModuleOp module);
/// The same as a pass, tx-verify-input.
std::unique_ptr<mlir::Pass> createVerifyInputPass();

/// Whether the way leads from there to `phase`, and no flag asks for what lies behind already.
llvm::Error checkReachedPhase(const CompileOptions &options, llvm::StringRef reached, llvm::StringRef phase);

} // namespace tx

#endif // TX_LIB_PIPELINE_INPUTPHASE_H
