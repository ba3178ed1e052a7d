//===- KernelText.h - Kernels from text -----------------------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_CONVERSION_COMMON_KERNELTEXT_H
#define TX_TEST_CONVERSION_COMMON_KERNELTEXT_H

#include "tx/Dialect/Step/IR/StepOps.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"

namespace txtest {

/// One context for all tests: loading dialects takes longer than most kernels.
mlir::MLIRContext &sharedContext();

/// While it lives, what is diagnosed is appended to a text, a line each.
struct DiagnosticsAsText : mlir::ScopedDiagnosticHandler {
  explicit DiagnosticsAsText(std::string &text);
};

/// The program with these kernels, in `module`. Null, with diagnostics, if the text is none.
tx::step::ProgramOp parseKernels(const std::string &kernels, mlir::OwningOpRef<mlir::ModuleOp> &module,
                                 std::string &diagnostics);

} // namespace txtest

#endif // TX_TEST_CONVERSION_COMMON_KERNELTEXT_H
