//===- LibraryAttention.h - What cuDNN can compute, and needs -------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_GPU_LIBRARYATTENTION_H
#define TX_LIB_CONVERSION_GPU_LIBRARYATTENTION_H

#include "tx/Dialect/Step/IR/StepOps.h"

#include <string>

namespace tx {

/// The attention that a group is; null: it is something else.
AttentionOpInterface getAttention(step::GroupOp group);

/// Why cuDNN can not compute this attention in a kernel's place, and what would help, for people; empty: it can.
std::string findObstacle(const AttentionForm &form);

/// A library writes every result. So that no recomputation takes another way than its forward, nobody's need of a
/// result decides: the group gives all of them.
step::GroupOp giveAllResults(step::GroupOp group);

/// Bytes that the runtime's plan for the form asks for on such a device.
int64_t getAttentionScratchBytes(const AttentionForm &form, bool deterministic, int capability);

} // namespace tx

#endif // TX_LIB_CONVERSION_GPU_LIBRARYATTENTION_H
