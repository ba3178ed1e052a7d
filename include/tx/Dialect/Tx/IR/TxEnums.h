//===- TxEnums.h - Every user-visible name, without MLIR ------------------------------------------------*- C++ -*-===//
//
// Planning code that includes no MLIR uses this header; the dialect includes it too.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_DIALECT_TX_IR_TXENUMS_H
#define TX_DIALECT_TX_IR_TXENUMS_H

#include "llvm/ADT/DenseMapInfo.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"
#include "llvm/Support/raw_ostream.h"

#include <optional>
#include <string>

// The generated header has templates for attribute parsers, which plain C++ never instantiates. They name mlir::failed
// and mlir::FailureOr, so these are declared here as in MLIR's own headers.
namespace mlir {
using llvm::failed;
using llvm::FailureOr;
} // namespace mlir

#include "tx/Dialect/Tx/IR/TxEnums.h.inc"

namespace tx {

/// The names of an enumeration's values from `first` to `last`, for messages: "forward, backward, recompute".
template <typename Enum> std::string listNames(unsigned first, unsigned last) {
  std::string list;
  for (unsigned value = first; value <= last; ++value)
    list += (value > first ? ", " : "") + stringifyEnum(static_cast<Enum>(value)).str();
  return list;
}

} // namespace tx

#endif // TX_DIALECT_TX_IR_TXENUMS_H
