// Plain C++, so its users would not build without MLIR.
#ifndef TX_REMAT_PLAN_H
#define TX_REMAT_PLAN_H

#include "mlir/IR/Value.h"
#include "tx/Autodiff/Passes.h"

#endif // TX_REMAT_PLAN_H
