//===- CodeUnit.h - Code with what every launch is held to ----------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_CODEUNIT_H
#define TX_LIB_TARGET_CODEUNIT_H

#include "tx/Target/TargetCode.h"

namespace tx {
namespace step {
class KernelOp;
class ProgramOp;
} // namespace step

/// How launches of the program's kernel `index` are divided.
TargetCode::Division divisionOf(const TargetCode &code, step::KernelOp kernel, size_t index);

/// The artifact's code section: see txrt_code_end. What a function takes is what its kernel says, not what a launch
/// gives, so that one can be held to the other.
llvm::SmallVector<char, 0> buildCodeUnit(step::ProgramOp program, const TargetCode &code);

} // namespace tx

#endif // TX_LIB_TARGET_CODEUNIT_H
