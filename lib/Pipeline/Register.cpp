//===- Register.cpp - Everything that tx-opt and tx-compile know --------------------------------------------------===//

#include "tx/Pipeline/Register.h"

#include "InputPhase.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Conversion/Passes.h"
#include "tx/Conversion/TxToStep/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Memory/Passes.h"
#include "tx/Parallel/Passes.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Remat/Passes.h"
#include "tx/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Transforms/Passes.h"

void tx::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<TxDialect, step::StepDialect, mlir::func::FuncDialect>();
  registerVectorKernelDialects(registry);
  registerGpuKernelDialects(registry);
}

void tx::registerAllPasses() {
  registerParallelPasses();
  registerAutodiffPasses();
  registerRematPasses();
  registerTxSchedulePasses();
  registerTxMemoryPasses();
  registerTxToStepPasses();
  registerConversionPasses();
  registerTxGpuPasses();
  mlir::registerPass(createVerifyInputPass);
  registerPipelines();
  mlir::registerCSEPass();
  mlir::registerCanonicalizerPass();
  mlir::registerSymbolDCEPass();
  mlir::registerRemoveDeadValuesPass();
}
