//===- Kernels.h - One small function for each op -------------------------------------------------------*- C++ -*-===//
//
// A family of ops has a file, which enters its functions into the table:
//
//   static LogicalResult add(AddOp, Operands in, Results out) { ... }
//   void tx::addElementwiseKernels(KernelTable &table) { table.add<AddOp, add>(); }
//
// Results come with their shape, filled with zeros.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_REFERENCE_KERNELS_H
#define TX_LIB_REFERENCE_KERNELS_H

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Reference/Interpreter.h"

#include "llvm/ADT/StringMap.h"

namespace tx {

using Operands = llvm::ArrayRef<const Tensor *>;
using Results = llvm::MutableArrayRef<Tensor>;
using Kernel = mlir::LogicalResult (*)(mlir::Operation *op, Operands operands, Results results);

class KernelTable {
public:
  template <typename OpT, mlir::LogicalResult (*Function)(OpT, Operands, Results)> void add() {
    kernels[OpT::getOperationName()] = [](mlir::Operation *op, Operands operands, Results results) {
      return Function(mlir::cast<OpT>(op), operands, results);
    };
  }
  /// Null for an op that has none.
  Kernel lookup(mlir::OperationName name) const { return kernels.lookup(name.getStringRef()); }

private:
  llvm::StringMap<Kernel> kernels;
};

void addLayerKernels(KernelTable &table);
void addElementwiseKernels(KernelTable &table);
void addCollectiveKernels(KernelTable &table);
void addAttentionKernels(KernelTable &table);
void addTrainingKernels(KernelTable &table);
/// One rank's result of a collective; `all` are the operands of every rank of the mesh, in their order.
void runCollective(CollectiveOpInterface op, Operands all, int64_t self, Tensor &result);
/// All of them.
const KernelTable &getKernels();

/// Tanh form.
double gelu(double x);
double geluDerivative(double x);

/// What an accumulation starts from: the old content, or zero after a reset. `accumulator` and `reset` are operand
/// numbers; no reset if it is past the end.
inline void startAccumulation(Operands operands, unsigned accumulator, unsigned reset, Tensor &result) {
  if (reset >= operands.size() || operands[reset]->values[0] == 0)
    result.values = operands[accumulator]->values;
}

} // namespace tx

#endif // TX_LIB_REFERENCE_KERNELS_H
