//===- ModuleTraits.h - What is known of each recompute module ------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_MODULETRAITS_H
#define TX_LIB_REMAT_MODULETRAITS_H

#include "tx/Dialect/Tx/IR/TxEnums.h"

namespace tx {

/// Whether a policy with this module recomputes the module's output too, before the backward of the op that reads it,
/// instead of saving it.
bool discardsOutput(RecomputeModule module);

/// Names the part of a model that contains the module, for the message that the model has no such part.
const char *getModelPart(RecomputeModule module);

} // namespace tx

#endif // TX_LIB_REMAT_MODULETRAITS_H
