//===- Signature.h - What a function of a step takes and gives ------------------------------------------*- C++ -*-===//
//
// A function of a step is called from outside: its arguments and results have names and are tensors of static shape.
// These checks diagnose modules that say something else, before a pass relies on it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_DIALECT_TX_IR_SIGNATURE_H
#define TX_DIALECT_TX_IR_SIGNATURE_H

#include "mlir/Interfaces/FunctionInterfaces.h"

namespace tx {

/// Attribute on a function's argument or result: its name in the artifact. Without it the name is `arg0`, `result0`,
/// ...
constexpr llvm::StringLiteral kNameAttr = "tx.name";

/// The name that callers use for argument or result `number`.
std::string getArgumentName(mlir::FunctionOpInterface function, unsigned number);
std::string getResultName(mlir::FunctionOpInterface function, unsigned number);

/// Checks that the function can be called from outside: all arguments and results have names that callers can type, and
/// are tensors that an artifact can hold. f64 is permitted, since the reference interpreter computes with it. Emits an
/// error otherwise.
mlir::LogicalResult verifySignature(mlir::FunctionOpInterface function);

mlir::LogicalResult verifyOneBlock(mlir::FunctionOpInterface function);

/// Checks that the function has one block and that all its values are tensors of static shape, and emits an error
/// otherwise. Every pass after the model phase relies on this.
mlir::LogicalResult verifyFlat(mlir::FunctionOpInterface function);

} // namespace tx

#endif // TX_DIALECT_TX_IR_SIGNATURE_H
