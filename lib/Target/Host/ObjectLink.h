//===- ObjectLink.h - Objects of the code generator become code at any place ----------------------------*- C++ -*-===//

#ifndef TX_LIB_TARGET_HOST_OBJECTLINK_H
#define TX_LIB_TARGET_HOST_OBJECTLINK_H

#include "tx/Target/TargetCode.h"

#include "llvm/Support/Error.h"

namespace tx::host {

/// An object of the code generator. If `name` is not empty, the object has one function, which gets this name; else its
/// functions keep their names.
struct Piece {
  llvm::ArrayRef<char> object;
  std::string name;
};

struct LinkedCode {
  llvm::SmallVector<char, 0> object;
  std::vector<TargetCode::Function> functions; // `entry` is a byte offset in `object`
};

/// Links the objects into one ELF object whose sections lie in memory as they lie in the file: first all instructions,
/// then all constants (constants with equal bytes once). Relocations are applied, so the file in memory is the code,
/// and the loader links nothing. Returns an error for what this cannot hold: symbols that the object does not define,
/// constructors, writable data, absolute addresses.
llvm::Expected<LinkedCode> linkObjects(llvm::ArrayRef<Piece> pieces);

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_OBJECTLINK_H
