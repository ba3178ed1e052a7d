//===- Parameters.h - The parameters of a model ---------------------------------------------------------*- C++ -*-===//
//
// One list, from which the builder declares them and everybody else counts them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_PARAMETERS_H
#define TX_FRONTEND_PARAMETERS_H

#include "tx/Dialect/Tx/IR/TxDialect.h"
#include "tx/Frontend/ModelConfig.h"

#include "llvm/ADT/SmallVector.h"

namespace tx {

struct Parameter {
  std::string name;
  llvm::SmallVector<int64_t, 2> shape;
  InitKind init;
  double stddev = 0.0; ///< with InitKind::Normal
  bool decay = false;  ///< whether weight decay applies to it
};

/// The parameters of a resolved config, in the order of Hugging Face's state_dict.
std::vector<Parameter> listParameters(const ModelConfig &config);

} // namespace tx

#endif // TX_FRONTEND_PARAMETERS_H
