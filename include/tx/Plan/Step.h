//===- Step.h - One training step as plain data ---------------------------------------------------------*- C++ -*-===//
//
// What a module computes, without MLIR: all entries (microbatch, step, apply, evaluate, predict) and all state.
// Whatever is decided about a step is a function of this data:
//
//   Entry replayed = applyRecomputations(entry, plan);       // Replay.h     what is computed again
//   Schedule schedule = makeSchedule(replayed);              // Schedule.h   order, kernels, lanes
//   Storages storages = computeStorages(step, replayed, ...) // Storage.h    who shares bytes, and for how long
//   Peak peak = computePeak(step, ...);                      // Peak.h       where all of it lies, how much that is
//   Seconds seconds = computeSeconds(...);                   // Seconds.h    how long it takes on a device
//
// Passes read the step from IR (ReadStep.h), call these functions and apply what they say. A planner calls the same
// functions on plans that it only considers. Ops, values and state are numbered by their place in the vectors.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_STEP_H
#define TX_PLAN_STEP_H

#include "tx/Dialect/Tx/IR/TxEnums.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tx::plan {

/// What an op is to a schedule. The first four are kernels that the compiler generates, see KernelOpInterface.
enum class Work {
  Row,        ///< independent rows, which may be reduced
  Column,     ///< independent columns, reduced over rows
  Flat,       ///< elements in chunks
  Tile,       ///< loops of the op's own, as attention's
  Product,    ///< one (batched) matrix product
  View,       ///< no code
  Collective, ///< what ranks do together
  Other,      ///< no launch can do it yet: an op that tx-expand-ops replaces
};

constexpr unsigned kLaneCount = getMaxEnumValForLane() + 1;

/// How an op uses one of its operands.
struct Operand {
  int value = -1;
  bool isRead = true;         ///< else it gives its place in memory alone
  bool mayBeReplaced = false; ///< read element by element, where a result is written: the result may take its place
  bool isOtherRows = false;   ///< a row of the result is made of other rows of it than the kernel's row
};

/// Sizes of C = op(A) op(B), in elements.
struct Product {
  int64_t m = 0, n = 0, k = 0, batch0 = 1, batch1 = 1;
  bool transposeA = false, transposeB = false;
  int64_t repeatA = 1, repeatB = 1; ///< so many inner indices in a row share a matrix
  int a = -1, b = -1, c = -1;       ///< values
  int bias = -1;                    ///< a value; -1: none
  bool libraryAddsBias = false;     ///< else a kernel writes the bias into C first
  bool accumulates = false;         ///< reads C too
};

struct Scatter {
  int ids = -1; ///< the value with the rows' numbers; -1: row r goes to row r modulo `rows`
  int64_t rows = 0;

  bool operator==(const Scatter &other) const { return ids == other.ids && rows == other.rows; }
};

/// A view of several values: parts are columns, or runs of elements, of the whole.
struct View {
  int whole = -1;
  std::vector<std::pair<int, int64_t>> parts; ///< value; its first column in the whole, or its first element
  bool hasRuns = false, packsState = false;
};

struct Op {
  std::string name; ///< `layers.3.mlp.fc1`, see docs/Recompute.md; of a recomputation: its forward op's
  std::string kind; ///< `tx.linear`
  Segment segment = Segment::Forward;
  int layer = -1;                ///< -1: outside of the layers
  std::vector<std::string> path; ///< components of the module path
  int origin = -1;               ///< of a recomputation: the forward op that it computes again

  std::vector<Operand> operands;
  std::vector<int> results;
  std::vector<std::pair<int, int>> ties; ///< (operand, result): the result continues the operand in place

  // What it costs.
  int64_t matrixFlops = 0, vectorFlops = 0;
  int64_t gradientFlops = 0; ///< those of matrixFlops that are work of backward, wherever they run
  int64_t sentBytes = 0;     ///< of a collective: the least that a rank sends to others

  // Whether it may be computed again.
  ReplayKind replay = ReplayKind::Never;
  int replayKey = -1;    ///< for a keyed op: the value that holds its random key
  bool atBorder = false; ///< forward's last kernel computes this op of backward (Border.h)

  // How it runs.
  Work work = Work::Other;
  std::pair<int64_t, int64_t> space = {}; ///< of a kernel: (rows, columns) of the loop nest
  unsigned reductionPasses = 0;           ///< passes over a row that must end before results can be written
  int sharedOperand = -1;                 ///< a value whose readers are best in one kernel; -1: none
  bool isRowSum = false;                  ///< adds the sum of all rows of a tensor into an accumulator
  std::optional<Scatter> scatter;         ///< of a column op that adds rows to several rows
  std::optional<Product> product;         ///< of Work::Product
  std::optional<View> view;               ///< of Work::View
  std::string collective;                 ///< of Work::Collective: `all_reduce`
  int64_t ranks = 1;                      ///< of Work::Collective
  bool givesAllResults = false;           ///< a library computes it, and writes results that nobody reads, too
  int64_t scratchBytes = 0;               ///< what a library wants beside operands and results
  int group = -1;                         ///< the kernel that computes it, once that is decided; -1: not yet

  /// Whether it runs before the gradient of the loss goes backward: ops at the border count as forward.
  bool isForward() const { return segment == Segment::Forward || atBorder; }
  bool isKernel() const { return work <= Work::Tile; }
  bool isInside(RecomputeModule module) const;
  bool reads(int value) const;
};

enum class ElementType { F32, BF16, F16, F64, I32, I1, I8 };

struct Value {
  std::string name;
  int64_t bytes = 0;
  int type = -1;                 ///< equal numbers: equal shapes and element types, see Step::types
  int rank = 0;                  ///< how many dimensions
  int64_t rows = 1, columns = 1; ///< of the shape: the last dimension, and the product of the others
  int64_t elementBytes = 4;
  int producer = -1; ///< op; -1: an argument, or loaded state
  int state = -1;    ///< the state that it was loaded from; -1: none
  int storage = -1;  ///< for a view, or what continues state: the value whose memory it shows; else itself
};

struct TensorType {
  std::vector<int64_t> shape;
  ElementType element = ElementType::F32;

  bool operator==(const TensorType &other) const { return shape == other.shape && element == other.element; }
};

/// As IR has it: `tensor<4x768xf32>`.
std::string toString(const TensorType &type);

/// A global of the module.
struct State {
  std::string name;
  unsigned role = 0; ///< the number of a GlobalRole
  int64_t bytes = 0;
};

/// A function: ops in program order, forward before backward.
struct Entry {
  std::string name;
  std::vector<Op> ops;
  std::vector<Value> values;
  std::vector<int> arguments;              ///< values
  std::vector<int> results;                ///< values that it returns
  std::vector<std::pair<int, int>> stores; ///< (value, state): what state is after the entry
  std::vector<int> layers;                 ///< the layer numbers of forward ops, ascending; there may be gaps

  int getLayerCount() const { return static_cast<int>(layers.size()); }
  /// The index of layer `number` in `layers`; nothing if no forward op has that layer.
  std::optional<int> findLayer(int number) const;
  void addLayer(int number);

  bool hasBackward() const;
  /// Whether a forward op computes the value: only such values are saved or recomputed.
  bool isForwardResult(int value) const {
    int producer = values[value].producer;
    return producer >= 0 && ops[producer].isForward();
  }
  bool isArgument(int value) const { return values[value].producer < 0 && values[value].state < 0; }
  bool isView(int value) const { return values[value].storage != value; }
  /// For each value: the ops that use it, in program order, each op once. Stores and the return are no ops.
  std::vector<std::vector<int>> computeUsers() const;
  /// The recompute modules that have an op in some layer.
  std::vector<RecomputeModule> getModulesPresent() const;
};

struct Step {
  std::vector<Entry> entries;
  std::vector<State> states;
  std::vector<TensorType> types;

  const Entry *findEntry(const std::string &name) const;
};

} // namespace tx::plan

#endif // TX_PLAN_STEP_H
