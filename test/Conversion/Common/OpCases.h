//===- OpCases.h - Each op as a kernel, with what it should give -*- C++ -*-===//

#ifndef TX_TEST_CONVERSION_COMMON_OPCASES_H
#define TX_TEST_CONVERSION_COMMON_OPCASES_H

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace txtest {

/// Reproducible normal numbers.
std::vector<float> randomFloats(size_t count, unsigned seed, float scale = 1.0f);

/// Units of a column kernel on the host.
inline int64_t columnUnits(int64_t columns) { return (columns + 63) / 64; }

/// Column counts around each size that code has a case for.
inline const std::vector<int64_t> oddColumns = {1, 15, 16, 17, 63, 64, 65, 130, 777};

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
  /// The bytes in memory with rows `stride` elements apart (0: contiguous), then
  /// kGuardBytes more; and back.
  std::vector<uint8_t> pack(int64_t stride) const;
  void unpack(const std::vector<uint8_t> &bytes, int64_t stride);
};

/// A kernel of one op. In `op`, %0 %1 ... are inputs, %r0 %r1 ... results.
struct OpCase {
  std::string name, kind;
  int64_t rows, columns;
  std::string op;
  std::vector<Tensor> inputs, outputs; // outputs without values
  /// From the inputs in double.
  std::function<std::vector<std::vector<double>>(const std::vector<Tensor> &)> reference;
  /// (input, output) that may be one piece of memory.
  std::vector<std::pair<unsigned, unsigned>> inPlace = {};
  double tolerance = 2e-6;
  std::vector<uint32_t> immediates = {};

  int64_t units() const { return kind == "column" ? columnUnits(columns) : rows; }
  /// The kernel's text; strides of inputs, then outputs.
  std::string text(const std::vector<int64_t> &strides = {}) const;
  /// Which inputs and outputs are rows of the kernel's width.
  bool isRows(const Tensor &tensor) const { return tensor.columns() == columns && tensor.elements() > columns; }
};

/// A backend that has compiled cases.
class CaseRunner {
public:
  virtual ~CaseRunner() = default;
  /// Runs the units [begin, end) of a case's kernel. `buffers` are its inputs, then
  /// its outputs, as Tensor::pack has them; one twice where a result lies on an input.
  virtual void runCase(const OpCase &op, const std::vector<std::vector<uint8_t> *> &buffers, int64_t begin,
                       int64_t end) = 0;
};

/// How to run a case.
struct RunOptions {
  std::vector<int64_t> strides = {};
  std::vector<std::pair<unsigned, unsigned>> inPlace = {};
  std::vector<int64_t> splits = {}; // of the units
};

/// The outputs, unpacked.
std::vector<Tensor> run(CaseRunner &kernels, const OpCase &op, const RunOptions &options = {});

/// All ops at a row length.
std::vector<OpCase> opCases(int64_t columns);

/// Philox4x32-10, one counter at a time.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

} // namespace txtest

#endif // TX_TEST_CONVERSION_COMMON_OPCASES_H
