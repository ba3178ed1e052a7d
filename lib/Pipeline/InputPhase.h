//===- InputPhase.h - Where on its way a module is ------------------------------------------------------*- C++ -*-===//
//
// A person can edit the IR that --compile-to prints, and compile it further. The functions in a module tell which phase
// it has reached.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_INPUTPHASE_H
#define TX_LIB_PIPELINE_INPUTPHASE_H

#include "tx/Frontend/CompileOptions.h"

#include "mlir/Pass/Pass.h"

namespace tx {

/// The name of the phase that the module has reached. A module of phase `parallel` counts as `model`: neither has
/// backward ops.
llvm::StringRef findReachedPhase(mlir::ModuleOp module);

/// An error if the module has no function to compile.
llvm::Error checkFunctions(const CompileOptions &options, mlir::ModuleOp module);

/// Checks that the module has nothing but globals, mesh axes, and flat functions of tx ops whose arguments and results
/// callers can pass. Diagnostics say what else it has.
mlir::LogicalResult verifyInput(mlir::ModuleOp module);
/// The same as a pass, tx-verify-input.
std::unique_ptr<mlir::Pass> createVerifyInputPass();

/// An error if a module in phase `reached` cannot be compiled to `phase`, or if a flag has an effect only on stages
/// that the module has behind it.
llvm::Error checkReachedPhase(const CompileOptions &options, llvm::StringRef reached, llvm::StringRef phase);

} // namespace tx

#endif // TX_LIB_PIPELINE_INPUTPHASE_H
