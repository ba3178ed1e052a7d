//===- tx-lsp-server.cpp - Tells an editor what is in a .mlir file ------------------------------------------------===//
//
// MLIR's language server with the dialects of tx-opt: errors while one types, the place where a value or a symbol is
// defined, the types under the cursor, completion of op names. It speaks the Language Server Protocol on stdin and
// stdout; docs/Editor.md says how an editor starts it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Dialect/Check/IR/CheckOps.h"
#include "tx/Pipeline/Register.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tx::registerAllDialects(registry);
  registry.insert<tx::check::CheckDialect>();
  return failed(mlir::MlirLspServerMain(argc, argv, registry));
}
