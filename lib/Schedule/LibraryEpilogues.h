//===- LibraryEpilogues.h - What cuBLASLt does beside a product -----------------------------------------*- C++ -*-===//

#ifndef TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H
#define TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H

#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

/// Says why the library does not compute the product's function (GELU or its gradient); empty if it does. If the op of
/// `form` is new and not in use yet, `replaced` is the value whose users it will get.
std::string findObstacle(const GemmForm &form, mlir::Value replaced = {});

/// The epilogue that computes all that the product's form asks for besides the product; nothing if the library has
/// none. It depends on types and shapes alone, so it is the same under every policy.
std::optional<step::Epilogue> findEpilogue(const GemmForm &form);

} // namespace tx

#endif // TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H
