#include "KernelText.h"

#include "tx/Dialect/Tx/IR/TxDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

using namespace txtest;

mlir::MLIRContext &txtest::sharedContext() {
  static auto *context = [] {
    auto *context = new mlir::MLIRContext(mlir::MLIRContext::Threading::DISABLED);
    context->loadDialect<tx::TxDialect, tx::step::StepDialect, mlir::func::FuncDialect>();
    return context;
  }();
  return *context;
}

DiagnosticsAsText::DiagnosticsAsText(std::string &text)
    : ScopedDiagnosticHandler(&sharedContext(), [&text](mlir::Diagnostic &diagnostic) {
        text += diagnostic.str() + "\n";
        return mlir::success();
      }) {}

tx::step::ProgramOp txtest::parseKernels(const std::string &kernels, mlir::OwningOpRef<mlir::ModuleOp> &module,
                                         std::string &diagnostics) {
  DiagnosticsAsText handler(diagnostics);
  module = mlir::parseSourceString<mlir::ModuleOp>(
      "step.program @p arena(persistent 0, argument 0, saved 0, transient 4096) {\n" + kernels + "\n}\n",
      &sharedContext());
  if (!module)
    return {};
  return *module->getOps<tx::step::ProgramOp>().begin();
}
