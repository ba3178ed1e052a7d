//===- ObjectLink.h - An object becomes code at any place -----------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_OBJECTLINK_H
#define TX_LIB_TARGET_HOST_OBJECTLINK_H

#include "tx/Target/TargetCode.h"

#include "llvm/Support/Error.h"

namespace tx::host {

/// Applies the relocations of an ELF object in the object itself, as if its sections were loaded at the places that
/// they have in the file. So the file in memory is the code, and who loads it links nothing. Refuses what cannot be so:
/// other symbols than its own, constructors, writable data, absolute addresses. Returns its global functions.
llvm::Expected<std::vector<TargetCode::Function>> linkObject(llvm::MutableArrayRef<char> object);

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_OBJECTLINK_H
