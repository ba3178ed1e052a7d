//===- NearNames.h - Did you mean ...? ------------------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_NEARNAMES_H
#define TX_LIB_REMAT_NEARNAMES_H

#include "tx/Plan/Step.h"

namespace tx {

/// `layers.3.mlp.fc1` -> `mlp.fc1`.
llvm::StringRef withoutLayer(llvm::StringRef valueName);

/// `near: mlp.fc1, mlp.fc2`: the names of values that are most like `name`, which matches none.
std::string suggestNames(const plan::Entry &entry, llvm::StringRef name);

} // namespace tx

#endif // TX_LIB_REMAT_NEARNAMES_H
