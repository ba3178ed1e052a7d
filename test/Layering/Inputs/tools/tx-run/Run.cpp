#include "txrt/runtime.h"
#include "tx/Dialect/Tx/IR/TxEnums.h"
#include "mlir/IR/MLIRContext.h"
#include "core/Session.h"
