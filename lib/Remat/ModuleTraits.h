//===- ModuleTraits.h - What is known of each recompute module ------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_MODULETRAITS_H
#define TX_LIB_REMAT_MODULETRAITS_H

#include "tx/Dialect/Tx/IR/TxEnums.h"

namespace tx {

/// Whether the module's output is not saved either, but refilled before its consumer's backward.
bool discardsOutput(RecomputeModule module);

/// The part of a model that has the module, for the message that it is missing.
const char *getModelPart(RecomputeModule module);

} // namespace tx

#endif // TX_LIB_REMAT_MODULETRAITS_H
