//===- ObjectLink.h - Objects of the code generator become code at any place ----------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_OBJECTLINK_H
#define TX_LIB_TARGET_HOST_OBJECTLINK_H

#include "tx/Target/TargetCode.h"

#include "llvm/Support/Error.h"

namespace tx::host {

/// An object of the code generator. Its one function gets `name`; where that is empty, its functions keep their names.
struct Piece {
  llvm::ArrayRef<char> object;
  std::string name;
};

struct LinkedCode {
  llvm::SmallVector<char, 0> object;
  std::vector<TargetCode::Function> functions; // `entry` is a place in `object`
};

/// One ELF object of them all, whose sections lie in memory as they lie in the file: all instructions first, then all
/// constants, those of equal bytes once. Relocations are applied, so the file in memory is the code, and who loads it
/// links nothing. Refuses what cannot be so: other symbols than an object's own, constructors, writable data, absolute
/// addresses.
llvm::Expected<LinkedCode> linkObjects(llvm::ArrayRef<Piece> pieces);

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_OBJECTLINK_H
