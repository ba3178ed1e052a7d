//===- Dependences.h - What a launch has to wait for ----------------------------------------------------*- C++ -*-===//
//
// The results of a program are those of its launches run in order. A collective may nevertheless run beside later
// launches, as long as none of them touches its bytes. findWaits finds for each collective the first launch that does,
// and that has to wait. Backends read the result in txrt_program and need not look at buffers themselves.
//
// Collectives run one after another, in order: a launch that has waited for one has waited for all collectives before
// it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_DEPENDENCES_H
#define TXRT_CORE_DEPENDENCES_H

#include "txrt/backend.h"

#include <vector>

namespace txrt {

/// Computes txrt_program's `waits` for a checked program.
std::vector<uint32_t> findWaits(const txrt_program &program);

/// The name of the collective that this launch waits for, for messages; null if it waits for none.
inline const char *waitedFor(const txrt_program &program, uint32_t launch) {
  return program.waits[launch] ? program.strings + program.launches[program.waits[launch] - 1].name : nullptr;
}

} // namespace txrt

#endif // TXRT_CORE_DEPENDENCES_H
