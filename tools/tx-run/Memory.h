//===- Memory.h - What the system says about our memory -------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_MEMORY_H
#define TXRUN_MEMORY_H

#include <cstdint>

namespace txrun {

/// Resident bytes of this process now, and the most so far; 0 if the system does not tell.
uint64_t residentBytes();
uint64_t peakResidentBytes();

} // namespace txrun

#endif // TXRUN_MEMORY_H
