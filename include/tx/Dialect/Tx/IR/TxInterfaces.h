//===- TxInterfaces.h - What a pass may ask of an op ----------------------------------------------------*- C++ -*-===//

#ifndef TX_DIALECT_TX_IR_TXINTERFACES_H
#define TX_DIALECT_TX_IR_TXINTERFACES_H

#include "tx/Dialect/Tx/IR/TxDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

#include <optional>

namespace tx {

/// What an op's `buildBackward` works with. Gradients of one value from several users are summed with `tx.add`, in the
/// order in which backward meets them.
class BackwardContext {
public:
  virtual ~BackwardContext() = default;

  /// The gradient of a forward result; null if nothing needs it.
  virtual mlir::Value getGradient(mlir::Value forwardResult) = 0;
  /// Whether somebody wants this operand's gradient as a value (false for parameters, inputs and what depends on inputs
  /// alone).
  virtual bool needsGradient(mlir::Value operand) = 0;
  virtual void addGradient(mlir::Value operand, mlir::Value gradient) = 0;

  /// Continues the accumulators of the parameters' gradients. `build` gets the current accumulators and the reset bit,
  /// null after the first time, and returns the new ones. Does nothing if no operand is a parameter. False, and nothing
  /// is built, if several can't be continued at once: only some of them are parameters or have been continued before,
  /// or two are one. Then each goes alone.
  using Accumulate =
      llvm::function_ref<llvm::SmallVector<mlir::Value>(llvm::ArrayRef<mlir::Value> accumulators, mlir::Value reset)>;
  virtual bool accumulate(llvm::ArrayRef<mlir::Value> parameters, Accumulate build) = 0;

  /// The forward op's place, in the backward segment.
  virtual ScopeAttr getScope() = 0;
};

/// One operand of a (batched) matrix product, as rows of a tensor [..., c] with a row stride r that the memory plan
/// decides: entry (i0, i1) of the batch starts at (i0 * rowsPerBatch0 + i1 * rowsPerBatch1) * r + i1 *
/// columnsPerBatch1.
struct GemmOperand {
  mlir::Value value;
  bool transpose = false;
  int64_t rowsPerBatch0 = 0, rowsPerBatch1 = 0, columnsPerBatch1 = 0;
};

/// What an op has done to a product before that is rounded.
enum class ProductFunction {
  None,
  Gelu,         ///< tanh form
  GeluGradient, ///< times its derivative
};

/// C = alpha op(A) op(B), plus C's old content if `accumulate`, plus `bias`; and, if they are wanted, the sums of op(A)
/// or of op(B) over k, or of C's rows. Of a function: C is what it gives, `aux` is what it is applied to, or for a
/// derivative what the function was.
struct GemmForm {
  int64_t m, n, k;
  int64_t batch0 = 1, batch1 = 1;
  GemmOperand a = {}, b = {}, c = {};
  double alpha = 1.0;
  mlir::Value bias = {};
  bool accumulate = false;
  mlir::Value sumsA = {}, sumsB = {}, sumsC = {};
  ProductFunction function = ProductFunction::None;
  mlir::Value aux = {};

  /// Whichever is wanted, or null.
  mlir::Value getSums() const { return sumsA ? sumsA : sumsB ? sumsB : sumsC; }
  int64_t getFlops() const { return 2 * m * n * k * batch0 * batch1; }
};

/// What a collective does, but for its kind.
struct CollectiveForm {
  int64_t outer = 1;  ///< blocks of the operand, each with a part for every rank
  int64_t peer = 0;   ///< the root's place, or the distance to the receiver
  bool wraps = false; ///< whether the last rank stands before the first
};

/// The ids that a reader takes: [0, below), or any if that is not set; and one more that counts as no id at all (a
/// target to be left out of the loss).
struct IdRange {
  std::optional<int64_t> below = {}, ignored = {};
};

/// softmax(scale Q K^T) V by head with its log-sum-exp, or the gradients of it. Values in the order of
/// txrt_attention_operand: Q, K, V, O, the log-sum-exp; and backward also dO, dQ, dK, dV.
struct AttentionForm {
  bool backward, causal;
  double scale, dropout;
  int64_t heads;
  llvm::SmallVector<mlir::Value> values;
};

namespace detail {
/// Elements of all results: an operation each.
int64_t defaultVectorFlops(mlir::Operation *op);
mlir::Type scalarLike(mlir::Type tensor);
mlir::Type stepType(mlir::Type tensor);
/// Two numbers for each element: one more dimension.
mlir::Type pairsOf(mlir::Type tensor);
/// Whether an op's kernel takes or gives the value with rows that lie apart: kernels of rows and columns where it has
/// their shape, libraries and tiles always.
bool mayBeColumns(mlir::Operation *op, mlir::Value value);
/// Room for eight-byte elements and sums of a few tensors in int64_t.
inline constexpr int64_t kMaxElements = int64_t(1) << 56;
/// Elements of a shape; none if a dimension is not known or not positive, or if there are more than kMaxElements.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape);
/// Says why a static shape has no such count.
mlir::LogicalResult verifyBoundedShape(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
                                       mlir::RankedTensorType type);
mlir::LogicalResult verifyBoundedShapes(mlir::Operation *op);
/// Whether the FLOPs of a (batched) product of these sizes have a number: they are counted in int64_t, and even bounded
/// tensors may need more.
bool hasCountedFlops(llvm::ArrayRef<int64_t> sizes);
/// Names go into the manifest, into checkpoints and to people: UTF-8 without NUL.
mlir::LogicalResult verifyName(mlir::Operation *op, llvm::StringRef name);
mlir::LogicalResult verifyFlops(mlir::Operation *op, const GemmForm &form);
} // namespace detail

/// Op trait: no operand or result has more elements than an address reaches.
template <typename ConcreteType> class BoundedShapes : public mlir::OpTrait::TraitBase<ConcreteType, BoundedShapes> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) { return detail::verifyBoundedShapes(op); }
};

/// Elements of a tensor's last dimension (1 for a scalar), and of all others.
int64_t getColumns(mlir::Type tensor);
int64_t getRows(mlir::Type tensor);
/// Bytes of a tensor; i1 takes one byte.
int64_t getByteSize(mlir::Type tensor);
/// A run of elements in a pack of tensors starts at a multiple of so many: of whatever type they are, a buffer may
/// start there.
constexpr int64_t kRunAlignment = 64;
/// What all readers of a value take as ids; none if nobody reads ids there.
std::optional<IdRange> getIdRange(mlir::Value value);

} // namespace tx

#include "tx/Dialect/Tx/IR/TxInterfaces.h.inc"

#endif // TX_DIALECT_TX_IR_TXINTERFACES_H
