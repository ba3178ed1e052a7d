//===- ModuleInput.cpp - The model phase, built or parsed ---------------------------------------------------------===//

#include "tx/Frontend/CompileOptions.h"
#include "tx/Frontend/ModelBuilder.h"
#include "tx/Support/InputLimits.h"
#include "tx/Support/UserError.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace tx;
using llvm::Expected;

/// Writes a diagnostic as one line: `model.mlir:3:8: message`.
static std::string toLine(Diagnostic &diagnostic) {
  std::string line;
  llvm::raw_string_ostream os(line);
  if (auto loc = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>())
    os << loc.getFilename().getValue() << ':' << loc.getLine() << ':' << loc.getColumn() << ": ";
  os << diagnostic;
  std::replace(line.begin(), line.end(), '\n', ' ');
  // MLIR advises a flag that mlir-opt and tx-opt have but tx-compile does not: cut the advice off.
  if (size_t advice = line.find(". If this is intended, please use -allow-unregistered-dialect"); advice != line.npos)
    line = line.substr(0, advice) + "; a model has ops of the dialects tx and func";
  return line;
}

static Expected<OwningOpRef<ModuleOp>> parseModule(MLIRContext &context, const CompileOptions &options) {
  constexpr uint64_t kMaxBytes = uint64_t(1) << 28;
  auto buffer = readRegularFile(options.input, kMaxBytes);
  if (!buffer)
    return buffer.takeError();
  if (isBytecode(**buffer)) {
    if (!options.allowBytecode)
      return badInput(llvm::Twine(options.input) +
                      ": it is MLIR bytecode, whose reader is not safe against files made to harm; give the text, or "
                      "--allow-bytecode for a file of your own");
  } else if (llvm::Error error = checkMlirLimits((*buffer)->getBuffer(), options.input)) {
    return std::move(error);
  }

  std::string firstError;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && firstError.empty())
      firstError = toLine(diagnostic);
    return success();
  });
  llvm::SourceMgr sources;
  sources.AddNewSourceBuffer(std::move(*buffer), llvm::SMLoc());
  OwningOpRef<ModuleOp> module = parseSourceFile<ModuleOp>(sources, &context);
  if (!module) {
    assert(!firstError.empty() && "the parser says why");
    return badInput(firstError);
  }
  return module;
}

Expected<OwningOpRef<ModuleOp>> tx::loadModel(MLIRContext &context, const CompileOptions &options) {
  loadFrontendDialects(context);
  if (options.inputIsModule)
    return parseModule(context, options);
  return buildModel(context, options.model);
}
