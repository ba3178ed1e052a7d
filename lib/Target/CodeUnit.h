//===- CodeUnit.h - Code with what every launch is held to ----------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_CODEUNIT_H
#define TX_LIB_TARGET_CODEUNIT_H

#include "tx/Target/TargetCode.h"

namespace tx {
namespace step {
class KernelOp;
class ProgramOp;
} // namespace step

/// How a launch of a kernel is divided into tasks; `index` is the kernel's number in the program.
TargetCode::Division divisionOf(const TargetCode &code, step::KernelOp kernel, size_t index);

/// Builds the artifact's code section (see txrt_code_end). For each function it says which operands and how many units
/// the function takes. These come from the step.kernel, not from a launch, so that the runtime can check launches
/// against them.
llvm::SmallVector<char, 0> buildCodeUnit(step::ProgramOp program, const TargetCode &code);

} // namespace tx

#endif // TX_LIB_TARGET_CODEUNIT_H
