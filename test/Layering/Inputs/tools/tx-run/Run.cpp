// clang-format off
#include "tx/Dialect/Tx/IR/TxEnums.h"
#include "mlir/IR/MLIRContext.h"
#include "backends/host/Gemm.h"
#include "txrt/runtime.h"
