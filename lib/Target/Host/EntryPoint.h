//===- EntryPoint.h - The function that the runtime calls -----------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_ENTRYPOINT_H
#define TX_LIB_TARGET_HOST_ENTRYPOINT_H

#include "llvm/IR/Function.h"

namespace tx {
namespace step {
class KernelOp;
} // namespace step

namespace host {

/// Adds a txrt_host_kernel (txrt/abi.h): the function that the runtime calls, which takes the operands out of the
/// launch's array and calls `body`. It takes over the name of `body`, the kernel's function in LLVM IR, whose
/// parameters are a pointer for each buffer, a pointer to the immediates if there are any, and the range of units.
void addEntryPoint(llvm::Function &body, step::KernelOp kernel);

} // namespace host
} // namespace tx

#endif // TX_LIB_TARGET_HOST_ENTRYPOINT_H
