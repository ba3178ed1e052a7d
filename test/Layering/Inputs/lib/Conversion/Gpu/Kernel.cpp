// Another backend's loops.
#include "../Host/Loops.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
