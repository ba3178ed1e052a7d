#include "OpCases.h"

#include "KernelText.h"

#include "tx/Dialect/Tx/IR/TxDialect.h"
#include "tx/Reference/Interpreter.h"

#include "mlir/Parser/Parser.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace txtest;

std::vector<float> txtest::randomFloats(size_t count, unsigned seed, float scale) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> result(count);
  for (float &value : result)
    value = normal(generator);
  return result;
}

int64_t Tensor::elements() const {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

std::string Tensor::type() const {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

static size_t bytesOf(const std::string &element) { return element == "i1" ? 1 : element == "bf16" ? 2 : 4; }

static void put(uint8_t *to, const std::string &element, double value) {
  float f = static_cast<float>(value);
  auto i = static_cast<int32_t>(static_cast<int64_t>(value));
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  auto half = static_cast<uint16_t>(bits >> 16);
  if (element == "i1")
    *to = value != 0;
  else if (element == "i32")
    std::memcpy(to, &i, 4);
  else if (element == "bf16")
    std::memcpy(to, &half, 2);
  else
    std::memcpy(to, &f, 4);
}

static double get(const uint8_t *from, const std::string &element) {
  float f;
  int32_t i;
  uint16_t half;
  if (element == "i1")
    return *from;
  if (element == "i32")
    return std::memcpy(&i, from, 4), i;
  if (element == "bf16") {
    std::memcpy(&half, from, 2);
    uint32_t bits = uint32_t(half) << 16;
    return std::memcpy(&f, &bits, 4), f;
  }
  return std::memcpy(&f, from, 4), f;
}

/// Between and behind rows lies 0xff: NaN to whoever reads it.
Bytes Tensor::pack(int64_t stride) const {
  int64_t width = columns(), rows = elements() / width;
  size_t size = bytesOf(element);
  stride = stride ? stride : width;
  Bytes bytes(((rows - 1) * stride + width) * size + kGuardBytes, 0xff);
  for (int64_t i = 0; i < static_cast<int64_t>(values.size()); ++i)
    put(&bytes[(i / width * stride + i % width) * size], element, values[i]);
  return bytes;
}

void Tensor::unpack(const Bytes &bytes, int64_t stride) {
  int64_t width = columns();
  stride = stride ? stride : width;
  values.resize(elements());
  for (int64_t i = 0; i < elements(); ++i)
    values[i] = get(&bytes[(i / width * stride + i % width) * bytesOf(element)], element);
}

bool Tensor::isAllThatIsWritten(Bytes bytes, int64_t stride) const {
  int64_t width = columns(), size = bytesOf(element);
  stride = stride ? stride : width;
  for (int64_t row = 0; row < elements() / width; ++row)
    std::fill_n(bytes.begin() + row * stride * size, width * size, 0xff);
  return bytes == Bytes(bytes.size(), 0xff);
}

std::string OpCase::text(const std::vector<int64_t> &strides) const {
  std::string text =
      "step.kernel @" + name + " " + kind + " [" + std::to_string(rows) + ", " + std::to_string(columns) + "]";
  auto join = [&](const char *prefix, size_t count, auto print) {
    for (size_t i = 0; i < count; ++i)
      text += (i ? ", " : prefix) + print(i);
  };
  if (!strides.empty()) {
    join(" strides [", strides.size(), [&](size_t i) { return std::to_string(strides[i]); });
    text += "]";
  }
  if (!immediates.empty())
    text += " immediates " + std::to_string(immediates.size());
  text += " (";
  join("", inputs.size(), [&](size_t i) { return "%" + std::to_string(i) + ": " + inputs[i].type(); });
  text += ") {\n  " + op + "\n  step.yield ";
  join("", outputs.size(), [&](size_t i) { return "%r" + std::to_string(i); });
  text += " : ";
  join("", outputs.size(), [&](size_t i) { return outputs[i].type(); });
  return text + "\n}\n";
}

std::vector<Tensor> txtest::run(KernelRunner &kernels, const OpCase &op, const RunOptions &options) {
  std::vector<Bytes> memory;
  auto stride = [&](size_t buffer) { return options.strides.empty() ? 0 : options.strides[buffer]; };
  for (const Tensor &tensor : op.inputs)
    memory.push_back(tensor.pack(stride(memory.size())));
  for (const Tensor &tensor : op.outputs)
    memory.push_back(Tensor{tensor.shape, tensor.element}.pack(stride(memory.size())));
  std::vector<Bytes *> buffers;
  for (Bytes &bytes : memory)
    buffers.push_back(&bytes);
  for (auto [input, output] : options.inPlace)
    buffers[op.inputs.size() + output] = buffers[input];

  std::vector<int64_t> splits = options.splits;
  splits.insert(splits.begin(), 0);
  splits.push_back(op.units());
  for (size_t i = splits.size() - 1; i > 0; --i) // later units first
    kernels.runUnits(op.name, buffers, splits[i - 1], splits[i], op.immediates);

  std::vector<Tensor> results;
  for (size_t i = 0; i < op.outputs.size(); ++i) {
    size_t at = op.inputs.size() + i;
    for (auto [input, output] : options.inPlace)
      if (output == i)
        at = input;
    results.push_back(op.outputs[i]);
    results.back().unpack(memory[at], stride(op.inputs.size() + i));
    if (!results.back().isAllThatIsWritten(memory[at], stride(op.inputs.size() + i)))
      results.back().values.clear(); // written between rows or behind the end
  }
  return results;
}

/// What the reference computes of the op, from its inputs in double.
static std::vector<std::vector<double>> interpreted(const OpCase &op) {
  std::string arguments, results, returned;
  for (size_t i = 0; i < op.inputs.size(); ++i)
    arguments += (i ? ", %" : "%") + std::to_string(i) + ": " + op.inputs[i].type();
  for (size_t i = 0; i < op.outputs.size(); ++i) {
    results += (i ? ", " : "") + op.outputs[i].type();
    returned += (i ? ", %r" : "%r") + std::to_string(i);
  }
  auto module = mlir::parseSourceString<mlir::ModuleOp>("func.func @f(" + arguments + ") -> (" + results + ") {\n  " +
                                                            op.op + "\n  return " + returned + " : " + results + "\n}",
                                                        &sharedContext());
  std::vector<tx::Tensor> inputs;
  for (const Tensor &tensor : op.inputs)
    inputs.push_back({llvm::SmallVector<int64_t, 4>(tensor.shape.begin(), tensor.shape.end()), tensor.values});
  tx::State state;
  std::vector<std::vector<double>> values;
  auto tensors = tx::interpret(module->lookupSymbol<mlir::func::FuncOp>("f"), inputs, state);
  EXPECT_TRUE(mlir::succeeded(tensors)) << op.name;
  if (mlir::succeeded(tensors))
    for (tx::Tensor &tensor : *tensors)
      values.push_back(std::move(tensor.values));
  return values;
}

void txtest::expectAgrees(const OpCase &op, const std::vector<Tensor> &found) {
  auto expected = op.reference ? op.reference(op.inputs) : interpreted(op);
  ASSERT_EQ(found.size(), expected.size()) << op.name;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(found[i].values.size(), expected[i].size()) << op.name << ", result " << i;
    double worst = 0;
    for (size_t k = 0; k < expected[i].size(); ++k) {
      double error = std::abs(found[i].values[k] - expected[i][k]) / (std::abs(expected[i][k]) + 1);
      worst = error >= 0 ? std::max(worst, error) : INFINITY;
    }
    EXPECT_LE(worst, op.tolerance) << op.name << ", result " << i;
  }
}

std::vector<std::pair<unsigned, unsigned>> txtest::inPlaceOf(const OpCase &op, size_t choice) {
  std::vector<std::pair<unsigned, unsigned>> result;
  for (auto pair : op.inPlace) {
    bool taken = false;
    for (auto other : result)
      taken |= other.second == pair.second;
    if (!taken || choice)
      result.push_back(pair);
    if (taken && choice)
      result.erase(result.end() - 2);
  }
  return result;
}

std::vector<int64_t> txtest::stridesOf(const OpCase &op) {
  std::vector<int64_t> strides;
  int64_t gap = 3;
  for (const auto *tensors : {&op.inputs, &op.outputs})
    for (const Tensor &tensor : *tensors)
      strides.push_back(op.kind != "flat" && op.isRows(tensor) ? tensor.columns() + gap++ : 0);
  return strides;
}

std::array<uint32_t, 4> txtest::philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t(0xD2511F53) * c[0], b = uint64_t(0xCD9E8D57) * c[2];
    c = {uint32_t(b >> 32) ^ c[1] ^ key[0], uint32_t(b), uint32_t(a >> 32) ^ c[3] ^ key[1], uint32_t(a)};
    key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
  }
  return c;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The cases
//===--------------------------------------------------------------------------------------------------------------===//

static Tensor normal(std::vector<int64_t> shape, unsigned seed, float scale = 1) {
  Tensor tensor{std::move(shape)};
  auto values = randomFloats(tensor.elements(), seed, scale);
  tensor.values.assign(values.begin(), values.end());
  return tensor;
}

static Tensor positive(std::vector<int64_t> shape, unsigned seed) {
  Tensor tensor = normal(std::move(shape), seed);
  for (double &value : tensor.values)
    value = static_cast<float>(0.25 + std::abs(value));
  return tensor;
}

static Tensor integers(std::vector<int64_t> shape, int64_t limit, unsigned seed) {
  Tensor tensor{std::move(shape), "i32"};
  std::mt19937 generator(seed);
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.values.push_back(generator() % limit);
  return tensor;
}

static Tensor scalar(double value, const char *element = "f32") {
  return {{}, element, {element[0] == 'f' ? static_cast<float>(value) : value}};
}

/// What tells the random numbers of a place from those of others.
static uint32_t siteOf(const char *path) {
  return tx::ScopeAttr::get(&sharedContext(), tx::Segment::Forward, -1, path).getSiteHash();
}

static const char *in = " in <\"x\"> : ";

static void addElementwiseCases(std::vector<OpCase> &cases, int64_t c) {
  Tensor x = normal({2, 3, c}, 1, 2), y = normal({2, 3, c}, 2), result{{2, 3, c}};
  std::string t = x.type();
  cases.push_back({"add", "row", 6, c, "%r0 = tx.add %0, %1" + (in + t), {x, y}, {result}, {{0, 0}, {1, 0}}});
  Tensor narrow{{2, 3, c}, "bf16", x.values}, narrowResult{{2, 3, c}, "bf16"};
  narrow.unpack(narrow.pack(0), 0);
  cases.push_back(
      {"cast", "row", 6, c, "%r0 = tx.cast %0" + (in + t) + " to " + narrow.type(), {x}, {narrowResult}, {}, 0});
  cases.push_back({"cast_to_wider",
                   "row",
                   6,
                   c,
                   "%r0 = tx.cast %0" + (in + narrow.type()) + " to " + t,
                   {narrow},
                   {result},
                   {},
                   0});
  cases.push_back({"gelu", "row", 6, c, "%r0 = tx.gelu %0" + (in + t), {x}, {result}, {{0, 0}}, 4e-7});
  cases.push_back(
      {"gelu_grad", "row", 6, c, "%r0 = tx.gelu_grad %1, %0" + (in + t), {x, y}, {result}, {{0, 0}, {1, 0}}, 1e-6});
  cases.push_back({"copy", "row", 6, c, "%r0 = tx.cast %0" + (in + t) + " to " + t, {x}, {result}});
  cases.push_back({"zeros", "row", 6, c, "%r0 = tx.zeros" + (in + t), {}, {result}});
  cases.push_back({"broadcast_rows",
                   "row",
                   6,
                   c,
                   "%r0 = tx.broadcast_rows %0 in <\"x\"> : tensor<" + std::to_string(c) + "xf32> -> " + t,
                   {normal({c}, 3)},
                   {result}});
  for (bool reset : {false, true})
    cases.push_back(
        {reset ? "bias_grad_reset" : "bias_grad",
         "column",
         6,
         c,
         "%r0 = tx.bias_grad %0 into %1 reset %2" + (in + t) + ", tensor<" + std::to_string(c) + "xf32>, tensor<i1>",
         {x, normal({c}, 3), scalar(reset, "i1")},
         {{{c}}},
         {{1, 0}}});
}

static void addNormCases(std::vector<OpCase> &cases, int64_t c) {
  Tensor x = normal({2, 3, c}, 1, 2), dy = normal({2, 3, c}, 2), w = normal({c}, 3), b = normal({c}, 4);
  Tensor mean = normal({2, 3}, 5, 0.1f), rstd = positive({2, 3}, 6), result{{2, 3, c}};
  std::string t = x.type(), tw = w.type(), ts = mean.type();
  cases.push_back({"layer_norm",
                   "row",
                   6,
                   c,
                   "%r0, %r1, %r2 = tx.layer_norm %0, %1, %2 eps 1.0e-2" + (in + t) + ", " + tw,
                   {x, w, b},
                   {result, {{2, 3}}, {{2, 3}}},
                   {{0, 0}}});
  cases.push_back({"layer_norm_input_grad",
                   "row",
                   6,
                   c,
                   "%r0 = tx.layer_norm_input_grad %0, %1, %2, %3, %4" + (in + t) + ", " + tw + ", " + ts,
                   {dy, x, w, mean, rstd},
                   {result},
                   {{0, 0}, {1, 0}}});
  cases.push_back(
      {"layer_norm_weight_grad",
       "column",
       6,
       c,
       "%r0, %r1 = tx.layer_norm_weight_grad %0, %1, %2, %3 into %4, %5" + (in + t) + ", " + ts + ", " + tw + ", " + tw,
       {dy, x, mean, rstd, w, b},
       {{{c}}, {{c}}},
       {{4, 0}, {5, 1}}});
  Tensor parts = normal({5, c}, 1), others = normal({5, c}, 2);
  cases.push_back({"add_parts",
                   "column",
                   5,
                   c,
                   "%r0, %r1 = tx.add_parts %0, %1 into %2, %3" + (in + parts.type()) + ", " + parts.type() + " into " +
                       tw + ", " + tw,
                   {parts, others, w, b},
                   {{{c}}, {{c}}},
                   {{2, 0}, {3, 1}}});
}

/// Over rows, and over the heads of each row, whose halves stand side by side where the width is even.
static void addRmsNormCases(std::vector<OpCase> &cases, int64_t c) {
  for (int64_t heads : {1, 3}) {
    int64_t width = heads > 1 && c % 2 == 0 ? c / 2 : c, rows = 6 * heads;
    std::string ofHeads = heads > 1 ? " heads 3" : "", suffix = heads > 1 ? "_of_heads" : "";
    Tensor x = normal({2, 3, heads * c}, 1, 2), dy = normal({2, 3, heads * c}, 2), w = normal({c}, 3);
    std::vector<int64_t> statistics = heads > 1 ? std::vector<int64_t>{2, 3, 3} : std::vector<int64_t>{2, 3};
    Tensor rstd = positive(statistics, 6), result{x.shape};
    std::string t = x.type(), tw = w.type(), ts = rstd.type();
    for (int64_t offset : {0, 1}) {
      std::string attributes = ofHeads + (offset ? " offset 1" : ""), name = suffix + (offset ? "_offset" : "");
      cases.push_back({"rms_norm" + name,
                       "row",
                       rows,
                       width,
                       "%r0, %r1 = tx.rms_norm %0, %1 eps 1.0e-2" + attributes + in + t + ", " + tw,
                       {x, w},
                       {result, {statistics}},
                       {{0, 0}}});
      cases.push_back({"rms_norm_input_grad" + name,
                       "row",
                       rows,
                       width,
                       "%r0 = tx.rms_norm_input_grad %0, %1, %2, %3" + attributes + in + t + ", " + tw + ", " + ts,
                       {dy, x, w, rstd},
                       {result},
                       {{0, 0}, {1, 0}}});
    }
    for (bool reset : {false, true})
      cases.push_back({"rms_norm_weight_grad" + suffix + (reset ? "_reset" : ""),
                       "column",
                       rows,
                       c,
                       "%r0 = tx.rms_norm_weight_grad %0, %1, %2 into %3 reset %4" + ofHeads + in + t + ", " + ts +
                           ", " + tw + ", tensor<i1>",
                       {dy, x, rstd, w, scalar(reset, "i1")},
                       {{{c}}},
                       {{3, 0}},
                       5e-6});
  }
}

/// Of whole heads, of some of their columns, and of pairs.
static void addRotaryCases(std::vector<OpCase> &cases, int64_t c) {
  Tensor positions{{3}, "i32", {0, 5, 4000}};
  std::string frequencies;
  for (int64_t i = 0; i < c; ++i)
    frequencies += (i ? ", " : "") + std::to_string(1.0 / (1 + 3 * i));
  cases.push_back(
      {"positions", "row", 1, c, "%r0 = tx.positions" + (in + Tensor{{c}, "i32"}.type()), {}, {{{c}, "i32"}}, {}, 0});
  cases.push_back({"rope_table",
                   "row",
                   3,
                   c,
                   "%r0, %r1 = tx.rope_table %0 frequencies [" + frequencies + "] scale 1.5" + in + positions.type(),
                   {positions},
                   {{{3, c}}, {{3, c}}},
                   {},
                   2e-7});
  auto addRope = [&](const std::string &name, int64_t width, int64_t columns, int64_t rows, const char *attributes,
                     std::vector<int64_t> table) {
    Tensor x = normal({2, 3, 4 * width}, 1), cos = normal(table, 2), sin = normal(table, 3);
    cases.push_back({name,
                     "row",
                     rows,
                     columns,
                     "%r0 = tx.rope %0, %1, %2 heads 4" + std::string(attributes) + in + x.type() + ", " + cos.type(),
                     {x, cos, sin},
                     {{x.shape}},
                     {{0, 0}},
                     5e-7});
  };
  addRope("rope", 2 * c, c, 24, "", {3, c});
  addRope("rope_inverse", 2 * c, c, 24, " inverse", {2, 3, c});
  addRope("rope_partial", 3 * c, c, 24, "", {2, 3, c});
  addRope("rope_interleaved", 2 * c, 1, 24 * c, " interleaved", {3, c});
  addRope("rope_interleaved_partial", 2 * c, 1, 24 * c, " interleaved inverse", {2, 3, (c + 1) / 2});
}

/// Of heads as wide as a kernel's row: all in one group, and in groups of three.
static void addHeadSumCases(std::vector<OpCase> &cases, int64_t c) {
  for (int64_t groups : {1, 2}) {
    Tensor x = normal({2, 3, 6 * c}, 1);
    cases.push_back({"sum_head_groups" + std::to_string(groups),
                     "row",
                     6 * groups,
                     c,
                     "%r0 = tx.sum_head_groups %0 heads 6 groups " + std::to_string(groups) + (in + x.type()),
                     {x},
                     {{{2, 3, groups * c}}},
                     {},
                     1e-6});
  }
}

static void addSwigluCases(std::vector<OpCase> &cases, int64_t c) {
  Tensor dy = normal({2, 3, c}, 1), gate = normal({2, 3, c}, 2, 4), up = normal({2, 3, c}, 3), result{{2, 3, c}};
  std::string t = dy.type();
  cases.push_back(
      {"swiglu", "row", 6, c, "%r0 = tx.swiglu %0, %1" + (in + t), {gate, up}, {result}, {{0, 0}, {1, 0}}, 1e-6});
  cases.push_back({"swiglu_grad",
                   "row",
                   6,
                   c,
                   "%r0, %r1 = tx.swiglu_grad %0, %1, %2" + (in + t),
                   {dy, gate, up},
                   {result, result},
                   {{1, 0}, {2, 1}, {0, 0}},
                   1e-6});
}

/// Columns of more rows than threads share.
static void addTallCases(std::vector<OpCase> &cases, int64_t c) {
  constexpr int64_t rows = 2 * 301;
  Tensor dy = normal({2, 301, c}, 1), x = normal({2, 301, c}, 2), w = normal({c}, 3), b = normal({c}, 4);
  Tensor mean = normal({2, 301}, 5, 0.1f), rstd = positive({2, 301}, 6);
  std::string t = dy.type(), tw = w.type(), ts = mean.type();
  cases.push_back({"bias_grad_tall",
                   "column",
                   rows,
                   c,
                   "%r0 = tx.bias_grad %0 into %1 reset %2" + (in + t) + ", " + tw + ", tensor<i1>",
                   {dy, w, scalar(0, "i1")},
                   {{{c}}},
                   {{1, 0}},
                   5e-5});
  cases.push_back(
      {"layer_norm_weight_grad_tall",
       "column",
       rows,
       c,
       "%r0, %r1 = tx.layer_norm_weight_grad %0, %1, %2, %3 into %4, %5" + (in + t) + ", " + ts + ", " + tw + ", " + tw,
       {dy, x, mean, rstd, w, b},
       {{{c}}, {{c}}},
       {{4, 0}, {5, 1}},
       5e-5});
}

static void addEmbeddingCases(std::vector<OpCase> &cases, int64_t c) {
  Tensor tokens = integers({2, 3}, 5, 1), table = normal({5, c}, 2), x = normal({2, 3, c}, 3), result{{2, 3, c}};
  std::string t = x.type(), tt = tokens.type() + ", " + table.type();
  cases.push_back({"embedding", "row", 6, c, "%r0 = tx.embedding %0, %1" + (in + tt), {tokens, table}, {result}});
  cases.push_back({"select_rows",
                   "row",
                   2,
                   c,
                   "%r0 = tx.select_rows %0, %1" + (in + t) + ", tensor<2xi32>",
                   {x, {{2}, "i32", {2, 0}}},
                   {{{2, c}}}});
  cases.push_back({"add_positions",
                   "row",
                   6,
                   c,
                   "%r0 = tx.add_positions %0, %1" + (in + t) + ", " + table.type(),
                   {x, table},
                   {result},
                   {{0, 0}}});
  for (bool reset : {false, true}) {
    std::string suffix = reset ? "_reset" : "";
    std::string tail = ", " + table.type() + ", tensor<i1>";
    cases.push_back({"embedding_weight_grad" + suffix,
                     "column",
                     6,
                     c,
                     "%r0 = tx.embedding_weight_grad %0, %1 into %2 reset %3" + (in + tokens.type()) + ", " + t + tail,
                     {tokens, x, table, scalar(reset, "i1")},
                     {{{5, c}}},
                     {{2, 0}}});
    cases.push_back({"position_weight_grad" + suffix,
                     "column",
                     6,
                     c,
                     "%r0 = tx.position_weight_grad %0 into %1 reset %2" + (in + t) + tail,
                     {x, table, scalar(reset, "i1")},
                     {{{5, c}}},
                     {{1, 0}}});
  }
}

static void addAttentionCases(std::vector<OpCase> &cases, int64_t c) {
  int64_t s = std::min<int64_t>(c, 70), rows = 2 * s; // causal: t >= s
  Tensor x = normal({1, 2, s, c}, 1, 3), dy = normal({1, 2, s, c}, 2), result{{1, 2, s, c}};
  std::string t = x.type();
  for (bool causal : {false, true})
    cases.push_back({causal ? "softmax_causal" : "softmax",
                     "row",
                     rows,
                     c,
                     std::string("%r0 = tx.softmax %0") + (causal ? " causal" : "") + in + t,
                     {x},
                     {result},
                     {{0, 0}},
                     5e-7});
  Tensor y = normal({1, 2, s, c}, 3);
  cases.push_back({"softmax_grad",
                   "row",
                   rows,
                   c,
                   "%r0 = tx.softmax_grad %0, %1" + (in + t),
                   {dy, y},
                   {result},
                   {{0, 0}, {1, 0}},
                   2.5e-5});
  Tensor key{{4}, "i32", {12345, 99, 7, 0}};
  Tensor d = normal({2, 3, c}, 1), dropped{{2, 3, c}};
  cases.push_back(
      {"dropout",
       "row",
       6,
       c,
       "%r0 = tx.dropout %0, %1 p 0.3 in <\"x\"> {step.immediate = 1 : i64} : " + d.type() + ", tensor<4xi32>",
       {d, key},
       {dropped},
       {{0, 0}},
       1.2e-7, // 1 / (1 - p) is rounded, and the product
       {1, siteOf("x")}});
}

static void addLossCases(std::vector<OpCase> &cases, int64_t c) {
  Tensor logits = normal({2, 3, c}, 1, 3), targets = integers({2, 3}, c, 2), dlosses = normal({2, 3}, 3);
  Tensor statistics = positive({2, 3, 2}, 4), result{{2, 3, c}}, perRow{{2, 3}}, pairs{{2, 3, 2}};
  targets.values[4] = -100;
  for (size_t i = 0; i < statistics.values.size(); i += 2) // maximum, sum
    statistics.values[i] = static_cast<float>(statistics.values[i] + 6);
  std::string t = logits.type(), tt = targets.type();
  cases.push_back({"cross_entropy",
                   "row",
                   6,
                   c,
                   "%r0, %r1 = tx.cross_entropy %0, %1 ignore -100" + (in + t) + ", " + tt,
                   {logits, targets},
                   {perRow, pairs},
                   {},
                   5e-7});
  cases.push_back(
      {"cross_entropy_grad",
       "row",
       6,
       c,
       "%r0 = tx.cross_entropy_grad %0, %1, %2, %3 ignore -100 in <\"x\"> : " + dlosses.type() + ", " + t + ", " + tt,
       {dlosses, logits, targets, statistics},
       {result},
       {{1, 0}},
       1e-6});
  Tensor losses = positive({1, c}, 5), many = integers({1, c}, 9, 6);
  for (int64_t i = 0; i < c; i += 3)
    many.values[i] = -100;
  cases.push_back({"reduce_loss",
                   "row",
                   1,
                   c,
                   "%r0, %r1 = tx.reduce_loss %0, %1 ignore -100" + (in + losses.type()) + ", " + many.type(),
                   {losses, many},
                   {{{}}, {{}}}});
  cases.push_back({"reduce_loss_grad",
                   "row",
                   1,
                   c,
                   "%r0 = tx.reduce_loss_grad %0, %1 ignore -100 in <\"x\"> : tensor<f32>, " + many.type(),
                   {scalar(0.3), many},
                   {losses}});
}

static void addOptimizerCases(std::vector<OpCase> &cases, int64_t c) {
  for (int64_t extra : {int64_t(0), int64_t(1)}) { // one chunk, and one with a shorter last one
    int64_t n = c + extra * 8192, chunk = std::min<int64_t>(n, 4096), chunks = (n + chunk - 1) / chunk;
    std::string suffix = extra ? "_chunks" : "";
    Tensor p = normal({n}, 1), g = normal({n}, 2), m = normal({n}, 3, 0.1f), v = positive({n}, 4), result{{n}};
    std::string t = p.type();
    cases.push_back(
        {"sum_of_squares" + suffix, "flat", chunks, chunk, "%r0 = tx.sum_of_squares %0" + (in + t), {g}, {{{chunks}}}});
    auto adamW = [&](const char *name, double coefficient) {
      cases.push_back(
          {name + suffix,
           "flat",
           chunks,
           chunk,
           "%r0, %r1, %r2 = tx.adamw %0, %1, %2, %3 clip %4 lr %5 step %6 betas 0.9, 0.95 eps 1.0e-8 decay 0.1" +
               (in + t) + ", " + t,
           {p, g, m, v, scalar(coefficient), scalar(0.02), scalar(3, "i32")},
           {result, result, result},
           {{0, 0}, {2, 1}, {3, 2}},
           5e-7});
    };
    adamW("adamw", 0.7);
    adamW("adamw_undone", NAN);
  }
  for (double most : {0.0, 1.0, 1e9})
    cases.push_back(
        {"clip_" + std::to_string(static_cast<int64_t>(most)),
         "row",
         1,
         c,
         "%r0, %r1 = tx.clip_coefficient %0 max " + std::to_string(most) + in + "tensor<" + std::to_string(c) + "xf32>",
         {positive({c}, 1)},
         {{{}}, {{}}}});
}

std::vector<OpCase> txtest::opCases(int64_t columns) {
  std::vector<OpCase> cases;
  for (auto add : {addElementwiseCases, addSwigluCases, addNormCases, addRmsNormCases, addRotaryCases, addHeadSumCases,
                   addTallCases, addEmbeddingCases, addAttentionCases, addLossCases, addOptimizerCases})
    add(cases, columns);
  return cases;
}
