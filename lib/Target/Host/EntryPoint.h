//===- EntryPoint.h - The function that the runtime calls -----------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_ENTRYPOINT_H
#define TX_LIB_TARGET_HOST_ENTRYPOINT_H

#include "llvm/IR/Function.h"

namespace tx {
namespace step {
class KernelOp;
} // namespace step

namespace host {

/// Adds a txrt_host_kernel (txrt/abi.h), which takes the operands out of the launch's array. It gets the name of
/// `body`, the kernel's function as LLVM has it: a pointer for each buffer, one to the immediates if there are any, the
/// range.
void addEntryPoint(llvm::Function &body, step::KernelOp kernel);

} // namespace host
} // namespace tx

#endif // TX_LIB_TARGET_HOST_ENTRYPOINT_H
