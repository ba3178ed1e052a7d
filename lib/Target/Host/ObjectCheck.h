//===- ObjectCheck.h - Whether an object can be loaded anywhere -*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_OBJECTCHECK_H
#define TX_LIB_TARGET_HOST_OBJECTCHECK_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace tx::host {

/// The runtime's loader links nothing: an object may need no symbol, have no
/// constructors or writable data, and relocate relative to its own code only.
llvm::Error checkObject(llvm::MemoryBufferRef object);

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_OBJECTCHECK_H
