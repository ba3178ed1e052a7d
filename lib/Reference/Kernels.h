//===- Kernels.h - One small function for each op -------------------------------------------------------*- C++ -*-===//
//
// Each family of ops has a file, which adds the functions of its ops to the table:
//
//   static LogicalResult add(AddOp, Operands in, Results out) { ... }
//   void tx::addElementwiseKernels(KernelTable &table) { table.add<AddOp, add>(); }
//
// A function gets its results with their shapes, filled with zeros.
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
  /// The kernel of an op; null if the table has none.
  Kernel lookup(mlir::OperationName name) const { return kernels.lookup(name.getStringRef()); }

private:
  llvm::StringMap<Kernel> kernels;
};

void addLayerKernels(KernelTable &table);
void addElementwiseKernels(KernelTable &table);
void addCollectiveKernels(KernelTable &table);
void addAttentionKernels(KernelTable &table);
void addTrainingKernels(KernelTable &table);
/// Computes the result of a collective on rank `self`. `all` has the operand of every rank of the mesh, in the order of
/// ranks.
void runCollective(CollectiveOpInterface op, Operands all, int64_t self, Tensor &result);
/// The table with the kernels of all families.
const KernelTable &getKernels();

/// GELU in its tanh form, and its derivative.
double gelu(double x);
double geluDerivative(double x);

/// Sets `result` to what an accumulation starts from: the accumulator's content, or zeros if the reset bit is set.
/// `accumulator` and `reset` are numbers of operands; the op has no reset bit if `reset` is past the last operand.
inline void startAccumulation(Operands operands, unsigned accumulator, unsigned reset, Tensor &result) {
  if (reset >= operands.size() || operands[reset]->values[0] == 0)
    result.values = operands[accumulator]->values;
}

} // namespace tx

#endif // TX_LIB_REFERENCE_KERNELS_H
