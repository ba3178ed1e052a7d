//===- LibraryEpilogues.h - What cuBLASLt does beside a product -----------------------------------------*- C++ -*-===//

#ifndef TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H
#define TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H

#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

/// The operand (a bias, sums) by which the library computes all that the product's form asks for besides the product;
/// nothing if it computes the product alone. It depends on types and shapes alone, so it is the same under every
/// policy.
std::optional<step::GemmRole> findEpilogue(const GemmForm &form);

} // namespace tx

#endif // TX_LIB_SCHEDULE_LIBRARYEPILOGUES_H
