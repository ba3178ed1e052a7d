//===- LibraryEpilogues.h - What cuBLASLt does beside a product -----------------------------------------*- C++ -*-===//

#ifndef TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H
#define TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H

#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

/// Why the library does not apply a product's function; empty: it does. `replaced` is the value whose users the form's
/// are going to have, if the op is a new one.
std::string findObstacle(const GemmForm &form, mlir::Value replaced = {});

/// The epilogue that does all that a product asks for besides; nothing if there is none. Depends on types and shapes
/// alone, so on no policy.
std::optional<step::Epilogue> findEpilogue(const GemmForm &form);

} // namespace tx

#endif // TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H
