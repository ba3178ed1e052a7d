//===- AllocationCounter.h - Is a step free of allocations? ---------------------------------------------*- C++ -*-===//
//
// "Nothing is allocated while a step runs" is a promise that can be counted. A program that links the object library
// txrt-allocation-counter has its malloc family and mmap counted, including those that the GEMM library calls.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_ALLOCATIONCOUNTER_H
#define TXRT_CORE_ALLOCATIONCOUNTER_H

#include <cstdint>

/// Allocations of the process so far. Defined by txrt-allocation-counter only.
extern "C" __attribute__((weak)) int64_t txrt_allocation_counter(void);

namespace txrt {

inline bool allocationsAreCounted() { return txrt_allocation_counter && txrt_allocation_counter() >= 0; }
inline int64_t allocationCount() { return txrt_allocation_counter ? txrt_allocation_counter() : 0; }

} // namespace txrt

#endif // TXRT_CORE_ALLOCATIONCOUNTER_H
