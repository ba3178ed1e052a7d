//===- Emitter.h - Writes arithmetic, loops and accesses ------------------------------------------------*- C++ -*-===//
//
// Creates the ops of arith, math, vector, memref and scf, for all backends; no other code here does. The functions that
// lower tx ops write formulas instead:
//
//   Number y = quotient(x, 1.0 + exp2(-2.0 / ln2 * u));
//
// A Number is a scalar or a vector; where both meet, the scalar is broadcast. Each operator is one rounded operation;
// fused multiply-adds are written `fma`. The functions whose results are not correctly rounded (exp2, quotient, root)
// state their error. Each backend has its own version of these, which is the same in all its kernels.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_COMMON_EMITTER_H
#define TX_LIB_CONVERSION_COMMON_EMITTER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"

namespace tx::emit {

/// Columns are taken in blocks of four slices of 16 columns. On the host each slice is a vector, which fits one AVX-512
/// register; four of them are enough independent work to hide the latency of an operation. On a GPU some threads share
/// a block: each thread has the same lanes of every slice.
constexpr unsigned kSlice = 16;
constexpr unsigned kVectors = 4;
constexpr int64_t kBlock = kSlice * kVectors;

class Emitter;

struct Number {
  Emitter *emitter = nullptr;
  mlir::Value value;

  bool isVector() const { return llvm::isa<mlir::VectorType>(value.getType()); }
  mlir::Type element() const { return mlir::getElementTypeOrSelf(value.getType()); }
};

using Numbers = llvm::ArrayRef<Number>;
/// The vectors of a block of columns: four, fewer at the end of a row.
using Vectors = llvm::SmallVector<Number, kVectors>;

Number operator+(Number a, Number b);
Number operator-(Number a, Number b);
Number operator*(Number a, Number b);
Number operator/(Number a, Number b);
Number operator+(Number a, double b);
Number operator-(Number a, double b);
Number operator*(Number a, double b);
Number operator/(Number a, double b);
Number operator+(double a, Number b);
Number operator-(double a, Number b);
Number operator*(double a, Number b);
Number operator/(double a, Number b);
/// For integers; `%` and right shifts are unsigned.
Number operator%(Number a, int64_t b);
Number operator^(Number a, Number b);
Number operator&(Number a, Number b);
Number operator|(Number a, Number b);
Number operator<<(Number a, int64_t bits);
Number operator>>(Number a, int64_t bits);
/// Comparisons return conditions (i1). If a float is NaN the result is false, but true for `!=`.
Number operator<(Number a, Number b);
Number operator>(Number a, Number b);
Number operator<=(Number a, Number b);
Number operator==(Number a, Number b);
Number operator!=(Number a, Number b);
Number operator<(Number a, double b);
Number operator>(Number a, double b);
Number operator==(Number a, double b);
Number operator!=(Number a, double b);
/// a < b, for integers taken as unsigned.
Number below(Number a, Number b);

Number select(Number condition, Number a, Number b);
Number select(Number condition, Number a, double b);
Number select(Number condition, double a, Number b);
/// a b + c, rounded once.
Number fma(Number a, Number b, Number c);
Number sqrt(Number a);
/// a > b ? a : b, as one instruction.
Number larger(Number a, Number b);
/// Within 2e-7 relative, 0 below -87.3, not above exp(88); NaN stays NaN.
Number exp(Number x);
/// 2^x within 3e-7 relative, 0 below -126; above 127 a large number or infinity; NaN stays NaN.
Number exp2(Number x);
/// a / b within 3e-7 relative, for 2^-126 < |b| < 2^126.
Number quotient(Number a, Number b);
/// The square root within 3e-7 relative; of what is below 2^-126 perhaps 0.
Number root(Number a);
/// The logarithm of a positive f32 scalar, computed in f64.
Number log(Number x);
/// The cosine and the sine of an f32 number below 2^31, computed in f64 and rounded to f32.
std::pair<Number, Number> cosAndSin(Number x);
/// The same bits as another type of the same width.
Number bitcast(Number a, mlir::Type element);
/// Converts to a wider or narrower type of the same kind (float or integer); f64 to f32 rounds.
Number convert(Number a, mlir::Type element);
/// Rounds an f32 number to a tensor's element type; the result is still an f32.
Number roundTo(Number a, mlir::Type element);
/// The (high, low) 32-bit words of the product of two unsigned 32-bit integers.
std::pair<Number, Number> multiplyWide(Number a, Number b);

/// A tensor in memory: `rows` rows of `columns` elements, which start `stride` elements apart.
struct Buffer {
  mlir::Value memref;
  mlir::RankedTensorType type;
  int64_t rows = 1, columns = 1, stride = 1;

  mlir::Type element() const { return type.getElementType(); }
  bool isContiguous() const { return rows <= 1 || stride == columns; }
};

/// How many columns of a block exist. This is known when the code is written, so masks are constants. If threads of a
/// GPU share a block, it is known only at run time: `left` is then the number of columns from the thread's first column
/// on.
struct BlockShape {
  unsigned vectors = kVectors;
  unsigned lastLanes = kSlice; // columns that the last vector has
  Number left = {};

  static BlockShape of(int64_t columns) {
    unsigned vectors = (columns + kSlice - 1) / kSlice;
    return {vectors, static_cast<unsigned>(columns - (vectors - 1) * kSlice)};
  }
  bool isMasked(unsigned vector) const { return vector + 1 == vectors && lastLanes != kSlice; }
};

class Emitter {
public:
  /// Writes ops at the builder's insertion point; constants go to the start of `entry`.
  Emitter(mlir::OpBuilder &builder, mlir::Location loc, mlir::Block *entry, unsigned laneCount = kSlice)
      : laneCount(laneCount), builder(builder), loc(loc), entry(entry) {}
  virtual ~Emitter() = default;

  const unsigned laneCount; // lanes of all vectors

  mlir::Type f32() { return builder.getF32Type(); }
  mlir::Type f64() { return builder.getF64Type(); }
  mlir::Type i32() { return builder.getI32Type(); }
  mlir::Type index() { return builder.getIndexType(); }

  Number wrap(mlir::Value value) { return {this, value}; }
  /// A constant of `type`, a scalar or a vector type.
  Number constant(double value, mlir::Type type);
  Number integer(int64_t value, mlir::Type type);
  Number index(int64_t value) { return integer(value, index()); }
  /// A vector with its lanes' numbers: 0, 1, 2, ... as i32.
  Number lanes();
  /// A vector with these f32 numbers.
  Number vectorOf(llvm::ArrayRef<double> values);
  Number broadcast(Number scalar);
  Number smallerIndex(Number a, Number b);

  Number load(const Buffer &buffer, Number element);
  void store(Number value, const Buffer &buffer, Number element);
  /// Loads or stores the block of columns whose first element in the buffer is `start`. bf16 is converted from and to
  /// f32.
  virtual Vectors loadBlock(const Buffer &buffer, Number start, BlockShape shape) = 0;
  virtual void storeBlock(const Vectors &block, const Buffer &buffer, Number start, BlockShape shape) = 0;
  /// Whether two buffers begin at different addresses.
  Number areApart(const Buffer &a, const Buffer &b);
  /// Selects `value` in the lanes of the block's vector `vector` that are columns, else `other`.
  virtual Number selectColumns(Number value, Number other, unsigned vector, BlockShape shape) = 0;

  using LoopBody = llvm::function_ref<llvm::SmallVector<Number>(Number index, Numbers carried)>;
  llvm::SmallVector<Number> loop(Number begin, Number end, int64_t step, Numbers carried, LoopBody body);
  void loop(Number begin, Number end, int64_t step, llvm::function_ref<void(Number)> body);
  void onlyIf(Number condition, llvm::function_ref<void()> body);
  /// Combines all lanes of a vector into a scalar (a sum or a maximum), halving the vector each time.
  Number reduceLanes(Number vector, llvm::function_ref<Number(Number, Number)> combine);

  enum class Op { Add, Sub, Mul, Div, Rem, Xor, And, Or, Shl, Shr };
  enum class Compare { Less, Greater, LessEqual, Equal, NotEqual, Below };
  Number binary(Op op, Number a, Number b);
  Number compare(Compare predicate, Number a, Number b);
  /// The constant `value` in the type of `a`.
  Number like(Number a, double value);
  virtual Number exp2(Number x);
  virtual Number quotient(Number a, Number b) { return a / b; }
  virtual Number root(Number a) { return sqrt(a); }
  /// Rounds to the nearest bf16; the result is an f32. NaN stays NaN.
  virtual Number roundToBf16(Number a);

protected:
  Number constant(mlir::TypedAttr value);
  /// Convert between what memory holds and f32, for bf16; other types stay as they are.
  virtual Number widen(Number stored, const Buffer &buffer);
  virtual Number narrow(Number rounded, const Buffer &buffer);
  mlir::VectorType vectorOf(mlir::Type element) { return mlir::VectorType::get({laneCount}, element); }

  mlir::OpBuilder &builder;
  mlir::Location loc;

private:
  friend Number tx::emit::select(Number, Number, Number);
  friend Number tx::emit::fma(Number, Number, Number);
  friend Number tx::emit::sqrt(Number);
  friend Number tx::emit::bitcast(Number, mlir::Type);
  friend Number tx::emit::convert(Number, mlir::Type);
  friend std::pair<Number, Number> tx::emit::multiplyWide(Number, Number);

  /// Broadcasts the scalars among the numbers if one of them is a vector.
  void unify(llvm::MutableArrayRef<Number> numbers);
  mlir::Block *entry;
  llvm::DenseMap<mlir::Attribute, mlir::Value> constants;
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_EMITTER_H
