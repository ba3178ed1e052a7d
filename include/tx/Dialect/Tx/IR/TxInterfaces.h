//===- TxInterfaces.h - What a pass may ask of an op ----------------------------------------------------*- C++ -*-===//

#ifndef TX_DIALECT_TX_IR_TXINTERFACES_H
#define TX_DIALECT_TX_IR_TXINTERFACES_H

#include "tx/Dialect/Tx/IR/TxDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"

#include <optional>

namespace tx {

/// The interface between autodiff and an op's `buildBackward`: the op reads its results' gradients here and adds its
/// operands' gradients. If several users of a value add gradients to it, autodiff sums these with `tx.add`, in the
/// order in which backward meets the users.
class BackwardContext {
public:
  virtual ~BackwardContext() = default;

  /// The gradient of a forward result; null if nothing needs it.
  virtual mlir::Value getGradient(mlir::Value forwardResult) = 0;
  /// Whether backward needs this operand's gradient as a value. False for parameters (their gradients go into
  /// accumulators), for inputs, and for values that depend on inputs alone.
  virtual bool needsGradient(mlir::Value operand) = 0;
  virtual void addGradient(mlir::Value operand, mlir::Value gradient) = 0;

  /// Adds to the accumulators of these parameters' gradients. `build` gets the current accumulators and the reset bit
  /// (null unless this is the accumulators' first use), and returns the new accumulators. If none of these values is a
  /// parameter, nothing is built and the result is true. Returns false, and builds nothing, if one op cannot continue
  /// all accumulators at once: only some values are parameters, only some have been accumulated into before, or two are
  /// the same parameter. The caller then calls this again for each value alone.
  using Accumulate =
      llvm::function_ref<llvm::SmallVector<mlir::Value>(llvm::ArrayRef<mlir::Value> accumulators, mlir::Value reset)>;
  virtual bool accumulate(llvm::ArrayRef<mlir::Value> parameters, Accumulate build) = 0;

  /// A forward op may compute gradients together with its results, if what it needs for that is there. If forward has
  /// all values of `needed` before it uses the results of the op whose backward is built, sets the builder to a place
  /// where they are there, and returns true; then `replaceForward` gives what takes the place of the op's results.
  virtual bool enterForward(mlir::OpBuilder &builder, llvm::ArrayRef<mlir::Value> needed) = 0;
  virtual void replaceForward(mlir::ValueRange results) = 0;

  /// The scope (layer, module path) of the forward op, with the segment changed to backward.
  virtual ScopeAttr getScope() = 0;
};

/// One operand of a (batched) matrix product. Its value is a tensor [..., c] whose rows lie r elements apart in memory;
/// the memory plan decides r. The matrix of batch entry (i0, i1), with j = i1 / repeat rounded down, starts at element
/// (i0
/// * rowsPerBatch0 + j * rowsPerBatch1) * r + j * columnsPerBatch1: `repeat` consecutive entries share a matrix.
struct GemmOperand {
  mlir::Value value;
  bool transpose = false;
  int64_t rowsPerBatch0 = 0, rowsPerBatch1 = 0, columnsPerBatch1 = 0;
  int64_t repeat = 1; ///< divides batch1; 1 for C, and for A or B
};

/// A matrix product in a library's terms: C = alpha op(A) op(B), plus C's old content if `accumulate`, plus `bias` if
/// there is one. At most one of `sumsA` and `sumsB` is set: the product then also writes the sums of op(A) or of op(B)
/// over k.
struct GemmForm {
  int64_t m, n, k;
  int64_t batch0 = 1, batch1 = 1;
  GemmOperand a = {}, b = {}, c = {};
  double alpha = 1.0;
  mlir::Value bias = {};
  bool accumulate = false;
  mlir::Value sumsA = {}, sumsB = {};

  /// The one of the two sums that the product writes, or null.
  mlir::Value getSums() const { return sumsA ? sumsA : sumsB; }
  int64_t getFlops() const { return 2 * m * n * k * batch0 * batch1; }
};

/// The parameters of a collective, beside its kind.
struct CollectiveForm {
  int64_t outer = 1;  ///< number of blocks in the operand; each block has a part for every rank
  int64_t peer = 0;   ///< the root's number on the axis; for send_recv the distance to the receiver
  bool wraps = false; ///< send_recv: the last rank's neighbor is the first rank
};

/// The ids that an op may read from a tensor: [0, `below`), or all ids if `below` is not set. `ignored` is one more
/// permitted value, which counts as no id (a target that the loss leaves out).
struct IdRange {
  std::optional<int64_t> below = {}, ignored = {};
};

/// Core attention, softmax(scale Q K^T) V for each head, which also gives the log-sum-exp of each row of scores; or, if
/// `backward`, its gradients. heads / keyHeads heads in a row share a head of K and V; a head has `width` columns of Q
/// and K, `valueWidth` of V and O. `values` are in the order of txrt_attention_operand: Q, K, V, O, the log-sum-exp;
/// backward adds dO, dQ, dK, dV.
struct AttentionForm {
  bool backward, causal;
  double scale, dropout;
  int64_t batch, queries, keys, heads, keyHeads, width, valueWidth;
  int64_t window = 0; ///< how many keys a query sees, itself and those before; 0: all
  double softCap = 0; ///< c: a scaled score x becomes c tanh(x / c) before the mask; 0: it stays
  llvm::SmallVector<mlir::Value> values;
};

namespace detail {
/// The default of getVectorFlops: one FLOP for each element of each result.
int64_t defaultVectorFlops(mlir::Operation *op);
mlir::Type scalarLike(mlir::Type tensor);
mlir::Type stepType(mlir::Type tensor);
/// The tensor type that has two numbers for each element of `tensor`: its shape gets a last dimension of 2.
mlir::Type pairsOf(mlir::Type tensor);
/// Whether an op's kernel can read or write `value` as columns of a wider tensor, so that the value's rows lie apart in
/// memory. Row and column kernels can if the value has the kernel's rows and columns; flat kernels cannot; library
/// products, tiles and views always can.
bool mayBeColumns(mlir::Operation *op, mlir::Value value);
/// The most elements that a tensor may have. With 8 bytes an element, the bytes of a few such tensors still add up in
/// int64_t.
inline constexpr int64_t kMaxElements = int64_t(1) << 56;
/// The number of elements of a shape; none if a dimension is dynamic, zero or negative, or if there are more than
/// kMaxElements.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> shape);
/// Emits an error if countElements has no result for the (static) shape of `type`.
mlir::LogicalResult verifyBoundedShape(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
                                       mlir::RankedTensorType type);
mlir::LogicalResult verifyBoundedShapes(mlir::Operation *op);
/// Whether the FLOPs of a (batched) product of these sizes (2 times their product) fit int64_t. Even tensors within
/// kMaxElements may need more.
bool hasCountedFlops(llvm::ArrayRef<int64_t> sizes);
/// Emits an error unless `name` is UTF-8 without NUL: names are written into the manifest and checkpoints, and printed.
mlir::LogicalResult verifyName(mlir::Operation *op, llvm::StringRef name);
mlir::LogicalResult verifyFlops(mlir::Operation *op, const GemmForm &form);
} // namespace detail

/// Op trait: every operand and result of static shape has at least one and at most 2^56 elements.
template <typename ConcreteType> class BoundedShapes : public mlir::OpTrait::TraitBase<ConcreteType, BoundedShapes> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) { return detail::verifyBoundedShapes(op); }
};

/// The number of elements in a tensor's last dimension (1 for a scalar), and the product of all other dimensions.
int64_t getColumns(mlir::Type tensor);
int64_t getRows(mlir::Type tensor);
/// Bytes of a tensor; i1 takes one byte.
int64_t getByteSize(mlir::Type tensor);
/// tx.pack and tx.unpack start each tensor's run of elements at a multiple of this number of elements. For every
/// element type a buffer may start at such a place.
constexpr int64_t kRunAlignment = 64;
/// The ids that all ops which read `value` as ids accept; none if no op reads ids from it.
std::optional<IdRange> getIdRange(mlir::Value value);

} // namespace tx

#include "tx/Dialect/Tx/IR/TxInterfaces.h.inc"

#endif // TX_DIALECT_TX_IR_TXINTERFACES_H
