// Not plain: MLIR is welcome.
#include "mlir/IR/Builders.h"
#include "tx/Remat/Plan.h"
