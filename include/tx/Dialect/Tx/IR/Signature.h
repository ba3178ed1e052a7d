//===- Signature.h - What a function of a step takes and gives ------------------------------------------*- C++ -*-===//
//
// A function is called from outside: with tensors of static shape, by name. What else a stranger's module may say is
// found here, before a pass relies on it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_DIALECT_TX_IR_SIGNATURE_H
#define TX_DIALECT_TX_IR_SIGNATURE_H

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace tx {

/// The name of an argument or a result in the artifact; `arg0`, `result0`, ... without.
constexpr llvm::StringLiteral kNameAttr = "tx.name";

/// The name that callers use.
std::string getArgumentName(mlir::FunctionOpInterface function, unsigned number);
std::string getResultName(mlir::FunctionOpInterface function, unsigned number);

/// Whether the function can be called from outside: names that callers can give, and tensors that an artifact can hold.
/// f64 passes: the reference computes with it.
mlir::LogicalResult verifySignature(mlir::FunctionOpInterface function);

mlir::LogicalResult verifyOneBlock(mlir::FunctionOpInterface function);

/// Whether the function has one block, and all its values are tensors of static shape:
/// what every pass behind the model phase takes for granted.
mlir::LogicalResult verifyFlat(mlir::FunctionOpInterface function);

} // namespace tx

#endif // TX_DIALECT_TX_IR_SIGNATURE_H
