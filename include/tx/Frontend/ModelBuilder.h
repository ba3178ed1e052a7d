//===- ModelBuilder.h - From a config to the `model` phase ----------------------------------------------*- C++ -*-===//

#ifndef TX_FRONTEND_MODELBUILDER_H
#define TX_FRONTEND_MODELBUILDER_H

#include "tx/Frontend/ModelConfig.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace tx {

/// Loads the dialects that the frontend builds with or parses.
void loadFrontendDialects(mlir::MLIRContext &context);

/// Builds the module of a GPT-2. It has a `tx.global` for each parameter, with the name that Hugging Face's GPT-2 gives
/// it, and `func.func @loss(%tokens, %targets, %key)`, marked `tx.train`, which returns the sum of the losses and the
/// number of valid tokens. The config must be resolved.
mlir::OwningOpRef<mlir::ModuleOp> buildModel(mlir::MLIRContext &context, const ModelConfig &config);

} // namespace tx

#endif // TX_FRONTEND_MODELBUILDER_H
