// A dialect knows neither the one that follows nor the runtime.
#include "mlir/IR/Builders.h"
#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include <txrt/abi.h>
