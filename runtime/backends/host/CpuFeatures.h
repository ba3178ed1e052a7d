//===- CpuFeatures.h - What this CPU can do -------------------------------------------------------------*- C++ -*-===//
//
// Features by LLVM's names, read from CPUID and, for registers that the system must save, from XCR0. By bits, never by
// model: virtual CPUs hide theirs.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_CPUFEATURES_H
#define TXRT_BACKENDS_HOST_CPUFEATURES_H

#include "txrt/backend.h"

#include <string>

namespace txrt {

enum class Feature { Present, Absent, Unknown };
Feature cpuFeature(const std::string &name);

/// Fails with TXRT_DEVICE if the program was built for another backend, another architecture or features that this CPU
/// has not.
void requireTarget(const txrt_program &program);

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_CPUFEATURES_H
