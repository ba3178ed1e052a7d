//===- OpCases.h - Each op as a kernel, and what a backend makes of it ----------------------------------*- C++ -*-===//
//
// A kernel's numbers are compared with those of the reference interpreter; these are written down, op by op, in
// test/Numerics/Ops.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_CONVERSION_COMMON_OPCASES_H
#define TX_TEST_CONVERSION_COMMON_OPCASES_H

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace txtest {

/// Reproducible normal numbers.
std::vector<float> randomFloats(size_t count, unsigned seed, float scale = 1.0f);

/// Units of a column kernel on the host.
inline int64_t columnUnits(int64_t columns) { return (columns + 63) / 64; }

/// Column counts around each size that code has a case for.
inline const std::vector<int64_t> oddColumns = {1, 15, 16, 17, 63, 64, 65, 130, 777};

using Bytes = std::vector<uint8_t>;

/// Kernels that a backend has compiled.
class KernelRunner {
public:
  virtual ~KernelRunner() = default;
  /// Runs the units [begin, end) of a kernel, or all if the backend does not split them. `buffers` are as Tensor::pack
  /// has them; one twice where a result lies on an input.
  virtual void runUnits(const std::string &name, const std::vector<Bytes *> &buffers, int64_t begin, int64_t end,
                        const std::vector<uint32_t> &immediates) = 0;
};

/// What lies behind a buffer, to see who writes there.
constexpr size_t kGuardBytes = 64;

/// A tensor's values, whatever its element type; all are exact in double.
struct Tensor {
  std::vector<int64_t> shape;
  const char *element = "f32"; // f32, bf16, i32, i1
  std::vector<double> values = {};

  int64_t elements() const;
  int64_t columns() const { return shape.empty() ? 1 : shape.back(); }
  std::string type() const;
  /// The bytes in memory with rows `stride` elements apart (0: contiguous), then kGuardBytes more; and back.
  Bytes pack(int64_t stride) const;
  void unpack(const Bytes &bytes, int64_t stride);
  /// Whether what lies between and behind the rows is as packed.
  bool isAllThatIsWritten(Bytes bytes, int64_t stride) const;
};

/// A kernel of one op. In `op`, %0 %1 ... are inputs, %r0 %r1 ... results.
struct OpCase {
  std::string name, kind;
  int64_t rows, columns;
  std::string op;
  std::vector<Tensor> inputs, outputs; // outputs without values
  /// (input, output) that may be one piece of memory.
  std::vector<std::pair<unsigned, unsigned>> inPlace = {};
  double tolerance = 2e-6;
  std::vector<uint32_t> immediates = {};
  /// What the op gives, in double, where the reference interpreter does not say it.
  std::function<std::vector<std::vector<double>>(const std::vector<Tensor> &)> reference = nullptr;

  int64_t units() const { return kind == "column" ? columnUnits(columns) : rows; }
  /// The kernel's text; strides of inputs, then outputs.
  std::string text(const std::vector<int64_t> &strides = {}) const;
  /// Which inputs and outputs have the kernel's rows, or rows of heads that are the kernel's rows; a kernel's row may
  /// be some of its widths.
  bool isRows(const Tensor &tensor) const {
    int64_t width = tensor.elements() / rows;
    return tensor.elements() > tensor.columns() && tensor.elements() % rows == 0 && width % columns == 0 && width > 1 &&
           tensor.columns() % width == 0 && (tensor.columns() > 2 || tensor.columns() == columns);
  }
};

/// How to run a case.
struct RunOptions {
  std::vector<int64_t> strides = {};
  std::vector<std::pair<unsigned, unsigned>> inPlace = {};
  std::vector<int64_t> splits = {}; // of the units
};

/// The outputs, unpacked.
std::vector<Tensor> run(KernelRunner &kernels, const OpCase &op, const RunOptions &options = {});

/// Records test failures where results are further from the reference than the case allows.
void expectAgrees(const OpCase &op, const std::vector<Tensor> &found);
/// Results on inputs, one for each; `choice` 0 or 1: of two inputs for a result.
std::vector<std::pair<unsigned, unsigned>> inPlaceOf(const OpCase &op, size_t choice);
/// Strides of rows that are further apart than they are long.
std::vector<int64_t> stridesOf(const OpCase &op);

/// All ops at a row length.
std::vector<OpCase> opCases(int64_t columns);

/// Philox4x32-10, one counter at a time.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Random kernels of rows in an element type, with results laid over inputs wherever the planner may: the same bits as
/// their ops one by one. `compile` takes the inside of a step.program.
void checkFusion(const std::string &element, int64_t columns,
                 const std::function<std::unique_ptr<KernelRunner>(const std::string &)> &compile);

/// Cross entropy and its gradient, apart and in one kernel, at logits of -100000 to 32768.
void checkLargeLogits(const std::function<std::unique_ptr<KernelRunner>(const std::string &)> &compile);

} // namespace txtest

#endif // TX_TEST_CONVERSION_COMMON_OPCASES_H
