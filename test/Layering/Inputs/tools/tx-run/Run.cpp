#include "core/Session.h"
#include "mlir/IR/MLIRContext.h"
#include "tx/Dialect/Tx/IR/TxEnums.h"
#include "txrt/runtime.h"
