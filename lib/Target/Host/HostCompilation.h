//===- HostCompilation.h - compileHostKernels with a cache of one's own ---------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_HOSTCOMPILATION_H
#define TX_LIB_TARGET_HOST_HOSTCOMPILATION_H

#include "KernelCache.h"

#include "tx/Target/HostKernels.h"

namespace tx::host {

/// As tx::compileHostKernels, which passes the cache of the process.
mlir::FailureOr<HostKernels> compileHostKernels(step::ProgramOp program, const HostTargetOptions &options,
                                                KernelCache &cache);

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_HOSTCOMPILATION_H
