// Not plain: MLIR is welcome.
#include "tx/Remat/Plan.h"
#include "mlir/IR/Builders.h"
