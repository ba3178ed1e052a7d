//===- TxEnums.cpp - Every user-visible name, without MLIR --------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxEnums.h"

#include "llvm/ADT/StringSwitch.h"

#include "tx/Dialect/Tx/IR/TxEnums.cpp.inc"
