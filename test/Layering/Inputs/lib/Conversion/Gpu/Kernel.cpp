// Another backend's loops.
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "../Host/Loops.h"
