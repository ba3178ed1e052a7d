//===- AllocationCounter.h - Is a step free of allocations? ---------------------------------------------*- C++ -*-===//
//
// The runtime promises to allocate nothing while a step runs. A program that links the object library
// txrt-allocation-counter can check this: the library counts every call of the malloc family and of mmap in the
// process, including those that the GEMM library makes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_ALLOCATIONCOUNTER_H
#define TXRT_CORE_ALLOCATIONCOUNTER_H

#include <cstdint>

/// How many allocations the process has made so far. Only txrt-allocation-counter defines it.
extern "C" __attribute__((weak)) int64_t txrt_allocation_counter(void);

namespace txrt {

inline bool allocationsAreCounted() { return txrt_allocation_counter && txrt_allocation_counter() >= 0; }
inline int64_t allocationCount() { return txrt_allocation_counter ? txrt_allocation_counter() : 0; }

} // namespace txrt

#endif // TXRT_CORE_ALLOCATIONCOUNTER_H
