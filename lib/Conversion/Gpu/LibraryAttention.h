//===- LibraryAttention.h - What cuDNN can compute, and needs -------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_GPU_LIBRARYATTENTION_H
#define TX_LIB_CONVERSION_GPU_LIBRARYATTENTION_H

#include "tx/Dialect/Step/IR/StepOps.h"

#include <string>

namespace tx {

/// The attention op that is all of a group; null if the group is something else.
AttentionOpInterface getAttention(step::GroupOp group);

/// Why cuDNN cannot compute this attention in place of a generated kernel, and what would help, as text for people;
/// empty if it can.
std::string findObstacle(const AttentionForm &form);

/// Rewrites the group so that it returns every result of its attention op, and returns the new group. A library writes
/// all results. If the group returned only those that somebody reads, a recomputation might not be the same call as its
/// forward.
step::GroupOp giveAllResults(step::GroupOp group);

/// Bytes of scratch that the runtime's cuDNN plan for this form needs on a device of this compute capability.
int64_t getAttentionScratchBytes(const AttentionForm &form, bool deterministic, int capability);

} // namespace tx

#endif // TX_LIB_CONVERSION_GPU_LIBRARYATTENTION_H
