//===- tx-opt.cpp - Runs passes on IR, as mlir-opt does -------------------===//

#include "tx/Pipeline/Register.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  tx::registerAllDialects(registry);
  tx::registerAllPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "tx-opt: passes on the IR of training steps\n", registry));
}
