//===- CpuFeatures.h - What this CPU can do -------------------------------------------------------------*- C++ -*-===//
//
// Finds CPU features by LLVM's names. It reads feature bits from CPUID and, for registers that the operating system
// must save, from XCR0. It never looks at the CPU's model, since virtual CPUs hide theirs.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_CPUFEATURES_H
#define TXRT_BACKENDS_HOST_CPUFEATURES_H

#include "txrt/backend.h"

#include <string>

namespace txrt {

enum class Feature { Present, Absent, Unknown };
Feature cpuFeature(const std::string &name);

/// Fails with TXRT_DEVICE if the artifact was compiled for another backend, another architecture or for features that
/// this CPU does not have.
void requireTarget(const txrt_program &program);

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_CPUFEATURES_H
