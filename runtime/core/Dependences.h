//===- Dependences.h - What a launch has to wait for ----------------------------------------------------*- C++ -*-===//
//
// Launches take effect in order. A collective may still go on while later launches run, as long as none of them touches
// its bytes: here is which one is the first that does. Backends read it from the program and look at no buffers.
//
// Collectives run in their own order, one after another: to have waited for one is to have waited for those before it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_DEPENDENCES_H
#define TXRT_CORE_DEPENDENCES_H

#include "txrt/backend.h"

#include <vector>

namespace txrt {

/// txrt_program's `waits` of a checked program.
std::vector<uint32_t> findWaits(const txrt_program &program);

/// How messages call a launch that others wait for.
inline const char *waitedFor(const txrt_program &program, uint32_t launch) {
  return program.waits[launch] ? program.strings + program.launches[program.waits[launch] - 1].name : nullptr;
}

} // namespace txrt

#endif // TXRT_CORE_DEPENDENCES_H
