// Every op as a kernel for GPUs, at every row length: what it computes, and that it computes it by the rules of the
// machine (see the emulator).

#include "GpuKernels.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <map>

using namespace txtest;

namespace {

using Parameter = std::tuple<const char *, int64_t>;
std::string nameOf(const testing::TestParamInfo<Parameter> &info) {
  return std::string(std::get<0>(info.param)) + "_" + std::to_string(std::get<1>(info.param));
}

class GpuOps : public testing::TestWithParam<Parameter> {
protected:
  void SetUp() override {
    architecture = std::get<0>(GetParam());
    cases = opCases(std::get<1>(GetParam()));
    // Compiled once for all tests of a parameter.
    static std::map<Parameter, std::shared_ptr<GpuKernels>> compiled;
    std::shared_ptr<GpuKernels> &known = compiled[GetParam()];
    if (!known)
      known = compile({});
    kernels = known;
  }
  std::shared_ptr<GpuKernels> compile(const std::function<std::vector<int64_t>(const OpCase &)> &strides) {
    std::string text;
    for (const OpCase &op : cases)
      text += op.text(strides ? strides(op) : std::vector<int64_t>());
    return std::make_shared<GpuKernels>(text, architecture);
  }
  void expectSame(GpuKernels &others, const std::function<RunOptions(const OpCase &)> &options) {
    for (const OpCase &op : cases) {
      auto expected = run(*kernels, op), found = run(others, op, options(op));
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(found[i].values, expected[i].values) << op.name << ", result " << i;
    }
  }
  std::string architecture;
  std::vector<OpCase> cases;
  std::shared_ptr<GpuKernels> kernels;
};

} // namespace

TEST_P(GpuOps, agreeWithDouble) {
  for (const OpCase &op : cases)
    expectAgrees(op, run(*kernels, op));
}

TEST_P(GpuOps, sameBitsInPlace) {
  for (size_t choice = 0; choice < 2; ++choice)
    expectSame(*kernels, [&](const OpCase &op) { return RunOptions{{}, inPlaceOf(op, choice), {}}; });
}

// A row's reduction has the same order whatever lanes and threads are chosen. That of columns depends on how their rows
// lie, which is the same under all policies.
TEST_P(GpuOps, sameBitsForStridedRows) {
  cases.erase(std::remove_if(cases.begin(), cases.end(), [](const OpCase &op) { return op.kind == "column"; }),
              cases.end());
  expectSame(*compile(stridesOf), [](const OpCase &op) { return RunOptions{stridesOf(op)}; });
}

TEST_P(GpuOps, agreeWithDoubleForStridedRows) {
  std::shared_ptr<GpuKernels> strided = compile(stridesOf);
  for (const OpCase &op : cases)
    expectAgrees(op, run(*strided, op, RunOptions{stridesOf(op)}));
}

INSTANTIATE_TEST_SUITE_P(sm_80, GpuOps, testing::Combine(testing::Values("sm_80"), testing::ValuesIn(oddColumns)),
                         nameOf);
// Schedules differ in how many multiprocessors want work.
INSTANTIATE_TEST_SUITE_P(sm_90, GpuOps, testing::Combine(testing::Values("sm_90"), testing::Values(64, 777)), nameOf);
INSTANTIATE_TEST_SUITE_P(sm_120, GpuOps, testing::Combine(testing::Values("sm_120"), testing::Values(130)), nameOf);

// More tokens than a block lists at once, several rows of the table for a block, words of which a table has many or
// none, and ids that are none of its rows. Whole numbers, so that any order of additions gives the same.
TEST(GpuTable, manyTokens) {
  constexpr int64_t count = 6000, vocabulary = 600, columns = 24;
  Tensor tokens{{2, count / 2}, "i32"}, dy{{2, count / 2, columns}}, table{{vocabulary, columns}};
  for (int64_t i = 0; i < count; ++i)
    tokens.values.push_back(i % 1000 == 7 ? -1 : i % 1000 == 8 ? vocabulary : i * i % vocabulary);
  for (int64_t i = 0; i < count * columns; ++i)
    dy.values.push_back(i * 7 % 31 - 15);
  for (int64_t i = 0; i < vocabulary * columns; ++i)
    table.values.push_back(i % 5);
  for (const char *element : {"f32", "bf16"})
    for (bool reset : {false, true}) {
      dy.element = element;
      OpCase op{"table",
                "column",
                count,
                columns,
                "%r0 = tx.embedding_weight_grad %0, %1 into %2 reset %3 in <backward, \"embedding\"> : " +
                    tokens.type() + ", " + dy.type() + ", " + table.type() + ", tensor<i1>",
                {tokens, dy, table, Tensor{{}, "i1", {reset ? 1.0 : 0.0}}},
                {{{vocabulary, columns}}},
                {{2, 0}},
                0,
                {},
                [reset](const std::vector<Tensor> &v) {
                  std::vector<double> out = v[2].values;
                  if (reset)
                    std::fill(out.begin(), out.end(), 0.0);
                  for (int64_t i = 0; i < count * columns; ++i) {
                    double id = v[0].values[i / columns];
                    int64_t row = id < 0 || id >= vocabulary ? vocabulary - 1 : static_cast<int64_t>(id);
                    out[row * columns + i % columns] += v[1].values[i];
                  }
                  return std::vector<std::vector<double>>{out};
                }};
      GpuKernels kernels(op.text());
      EXPECT_EQ(kernels.code().kernels[0].unitsPerBlock, 4u);
      expectAgrees(op, run(kernels, op));
      expectAgrees(op, run(kernels, op, RunOptions{{}, inPlaceOf(op, 0), {}}));
    }
}

// Rows that no thread holds: loops that read again, and more blocks of columns than a reduction has sums.
TEST(GpuRules, wideRows) {
  std::string text, stridedText;
  std::vector<OpCase> cases;
  for (OpCase &op : opCases(9001)) {
    if (op.kind != "row" || op.rows > 6)
      continue;
    text += op.text();
    stridedText += op.text(stridesOf(op));
    cases.push_back(std::move(op));
  }
  GpuKernels kernels(text, "sm_90"), strided(stridedText, "sm_90");
  for (const OpCase &op : cases) {
    std::vector<Tensor> found = run(kernels, op);
    expectAgrees(op, found);
    std::vector<Tensor> others = run(strided, op, RunOptions{stridesOf(op)});
    for (size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(found[i].values, others[i].values) << op.name << ", result " << i;
  }
  EXPECT_GE(cases.size(), 10u);
}

// What else is in the kernel does not change the order in which columns are added up.
TEST(GpuRules, columnsAddInOneOrder) {
  const char *norm =
      "%n:2 = tx.layer_norm_weight_grad %dy, %x, %mean, %rstd into %w, %b in <\"x\"> : tensor<1x3072x16xf32>, "
      "tensor<1x3072xf32>, tensor<16xf32>, tensor<16xf32>\n";
  const char *bias =
      "%s = tx.bias_grad %dy into %c reset %first in <\"x\"> : tensor<1x3072x16xf32>, tensor<16xf32>, tensor<i1>\n";
  auto kernel = [](const std::string &name, const std::string &inputs, const std::string &body,
                   const std::string &results, const std::string &types) {
    return "step.kernel @" + name + " column [3072, 16] (%dy: tensor<1x3072x16xf32>, " + inputs + ") {\n" + body +
           "step.yield " + results + " : " + types + "\n}\n";
  };
  const std::string ofNorm = "%x: tensor<1x3072x16xf32>, %mean: tensor<1x3072xf32>, %rstd: tensor<1x3072xf32>, "
                             "%w: tensor<16xf32>, %b: tensor<16xf32>",
                    ofBias = "%c: tensor<16xf32>, %first: tensor<i1>", one = "tensor<16xf32>", two = one + ", " + one;
  GpuKernels kernels(
      kernel("norm", ofNorm, norm, "%n#0, %n#1", two) + kernel("bias", ofBias, bias, "%s", one) +
      kernel("both", ofNorm + ", " + ofBias, std::string(norm) + bias, "%n#0, %n#1, %s", two + ", " + one));
  auto bytes = [](std::vector<int64_t> shape, unsigned seed) {
    Tensor tensor{std::move(shape)};
    for (float value : randomFloats(static_cast<size_t>(tensor.elements()), seed))
      tensor.values.push_back(value);
    return tensor.pack(0);
  };
  Bytes dy = bytes({3072, 16}, 1), x = bytes({3072, 16}, 2), mean = bytes({3072}, 3), rstd = bytes({3072}, 4);
  Bytes w = bytes({16}, 5), b = bytes({16}, 6), c = bytes({16}, 7), first = Tensor{{}, "i1", {0}}.pack(0);
  Bytes alone[3] = {w, b, c}, together[3] = {w, b, c};
  kernels.runUnits("norm", {&dy, &x, &mean, &rstd, &w, &b, &alone[0], &alone[1]}, 0, 1, {});
  kernels.runUnits("bias", {&dy, &c, &first, &alone[2]}, 0, 1, {});
  kernels.runUnits("both", {&dy, &x, &mean, &rstd, &w, &b, &c, &first, &together[0], &together[1], &together[2]}, 0, 1,
                   {});
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(alone[i], i == 0 ? w : i == 1 ? b : c);
    EXPECT_EQ(alone[i], together[i]) << i;
  }
}

/// A norm's backward as one kernel of 602 rows, in nine parts; without `dx`, the sums alone.
static OpCase normBackward(const char *element, int64_t columns, bool dx) {
  constexpr int64_t rows = 2 * 301, parts = 9; // of 67 rows, the last of 66
  auto random = [&](std::vector<int64_t> shape, unsigned seed, const char *element) {
    Tensor tensor{std::move(shape), element};
    for (float value : randomFloats(static_cast<size_t>(tensor.elements()), seed))
      tensor.values.push_back(static_cast<float>(static_cast<int>(value * 16)) / 16); // exact in bf16
    return tensor;
  };
  Tensor dy = random({2, 301, columns}, 1, element), x = random({2, 301, columns}, 2, element),
         w = random({columns}, 3, element);
  Tensor mean = random({2, 301}, 4, "f32"), rstd = random({2, 301}, 5, "f32"), sums{{parts, columns}}, result = dy;
  result.values.clear();
  OpCase op{dx ? "norm_backward" : "norm_sums",
            "row",
            rows,
            columns,
            "%r0, %r1 = tx.layer_norm_partial_grad %0, %1, %3, %4 in <backward, \"x\"> : " + dy.type() + ", " +
                mean.type() + " -> " + sums.type(),
            {dy, x, w, mean, rstd},
            {sums, sums},
            {},
            std::string(element) == "bf16" ? 8e-3 : 2e-5};
  if (dx) {
    op.op += "\n%r2 = tx.layer_norm_input_grad %0, %1, %2, %3, %4 in <backward, \"x\"> : " + dy.type() + ", " +
             w.type() + ", " + mean.type();
    op.outputs.push_back(result);
    op.inPlace = {{0, 2}};
  }
  return op;
}

// The rows are read once for the gradient of x and for those of weight and bias, also where it takes the place of dy;
// and what else is in the kernel changes no sum.
TEST(GpuRules, normBackwardReadsRowsOnce) {
  for (const char *element : {"f32", "bf16"})
    for (int64_t columns : {1, 17, 130, 768, 777}) {
      SCOPED_TRACE(std::string(element) + " " + std::to_string(columns));
      OpCase both = normBackward(element, columns, true), sums = normBackward(element, columns, false);
      GpuKernels kernels(both.text() + sums.text());
      std::vector<Tensor> found = run(kernels, both);
      expectAgrees(both, found);
      const uint64_t width = element[0] == 'f' ? 4 : 2, row = columns * width, parts = 9;
      const tx::CudaKernel &code = kernels.code().kernels[0];
      EXPECT_EQ(code.units, parts);
      EXPECT_EQ(kernels.bytesWritten, 602 * row + 2 * parts * columns * 4);
      // dy, x and (from the cache) the weight, beside each thread's statistics.
      const uint64_t statistics = 2 * 4 * 67 * uint64_t(code.threads) * ((parts - 1) / code.unitsPerBlock + 1);
      EXPECT_EQ(kernels.bytesRead - statistics, 3 * 602 * row);
      std::vector<Tensor> inPlace = run(kernels, both, RunOptions{{}, inPlaceOf(both, 0), {}}),
                          alone = run(kernels, sums);
      EXPECT_EQ(inPlace[2].values, found[2].values);
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(alone[i].values, found[i].values);
        EXPECT_EQ(inPlace[i].values, found[i].values);
      }
    }
}

// The update reads gradient, moments and weight once and writes what changes once: in f32 28 bytes a parameter. A bf16
// weight is written and not read, its f32 master is both: 30.
TEST(GpuRules, adamwMovesEachByteOnce) {
  constexpr int64_t count = 3 * 4096 + 1000; // the last chunk is shorter
  const std::string n = std::to_string(count), f32 = "tensor<" + n + "xf32>", bf16 = "tensor<" + n + "xbf16>";
  auto kernel = [&](const std::string &name, const std::string &param, const std::string &master) {
    return "step.kernel @" + name + " flat [4, 4096] (%p: " + param + ", %g: " + f32 + ", %m: " + f32 + ", %v: " + f32 +
           (master.empty() ? "" : ", %w: " + f32) + ", %c: tensor<f32>, %lr: tensor<f32>, %t: tensor<i32>) {\n%r" +
           (master.empty() ? ":3" : ":4") + " = tx.adamw %p, %g, %m, %v" + (master.empty() ? "" : " master %w") +
           " clip %c lr %lr step %t betas 0.9, 0.95 eps 1.0e-8 decay 0.1 in <optimizer, \"adamw\"> : " + param + ", " +
           f32 + master + "\nstep.yield %r#0, %r#1, %r#2" + (master.empty() ? "" : ", %r#3") + " : " + param + ", " +
           f32 + ", " + f32 + master + "\n}\n";
  };
  GpuKernels kernels(kernel("wide", f32, "") + kernel("narrow", bf16, ", " + f32));
  auto bytes = [](const char *element) { return Tensor{{count}, element, std::vector<double>(count, 0.5)}.pack(0); };
  Bytes p = bytes("f32"), narrow = bytes("bf16"), g = bytes("f32"), m = bytes("f32"), v = bytes("f32"),
        w = bytes("f32");
  Bytes c = Tensor{{}, "f32", {1}}.pack(0), lr = c, t = Tensor{{}, "i32", {3}}.pack(0);
  const auto threads = [&](size_t kernel) {
    const tx::CudaKernel &code = kernels.code().kernels[kernel];
    return (code.units + code.unitsPerBlock - 1) / code.unitsPerBlock * code.threads;
  };
  kernels.runUnits("wide", {&p, &g, &m, &v, &c, &lr, &t, &p, &m, &v}, 0, 4, {});
  EXPECT_EQ(kernels.bytesWritten, 12u * count);
  EXPECT_EQ(kernels.bytesRead - 3 * 4 * threads(0), 16u * count); // beside the three scalars
  kernels.runUnits("narrow", {&narrow, &g, &m, &v, &w, &c, &lr, &t, &narrow, &m, &v, &w}, 0, 4, {});
  EXPECT_EQ(kernels.bytesWritten, 14u * count);
  EXPECT_EQ(kernels.bytesRead - 3 * 4 * threads(1), 16u * count);
}

// A multiprocessor of an H100 gets 13 bytes in a clock and issues four instructions of 32 threads: 40 for an element
// that is read and written in bf16, before they and not the memory settle how long it takes. What ptxas makes of these
// is counted by test/Bench/predict_gpu.py; here the bounds are what was measured, and some.
TEST(GpuRules, instructionsOfAnElement) {
  struct Case {
    const char *name, *parameters, *op, *results;
    int64_t columns;
    double most;
  };
  const Case cases[] = {
      {"gelu", "%x: tensor<1x32x3072xbf16>", "%y = tx.gelu %x in <\"x\"> : tensor<1x32x3072xbf16>",
       "%y : tensor<1x32x3072xbf16>", 3072, 13},
      {"gelu_grad", "%d: tensor<1x32x3072xbf16>, %x: tensor<1x32x3072xbf16>",
       "%y = tx.gelu_grad %d, %x in <backward, \"x\"> : tensor<1x32x3072xbf16>", "%y : tensor<1x32x3072xbf16>", 3072,
       20},
      {"dropout", "%x: tensor<1x32x1024xbf16>, %k: tensor<4xi32>",
       "%y = tx.dropout %x, %k p 0.1 in <\"x\"> {step.immediate = 0 : i64} : tensor<1x32x1024xbf16>, tensor<4xi32>",
       "%y : tensor<1x32x1024xbf16>", 1024, 42},
      {"norm", "%x: tensor<1x32x1024xbf16>, %w: tensor<1024xbf16>, %b: tensor<1024xbf16>",
       "%y, %m, %r = tx.layer_norm %x, %w, %b eps 1.0e-5 in <\"x\"> : tensor<1x32x1024xbf16>, tensor<1024xbf16>",
       "%y, %m, %r : tensor<1x32x1024xbf16>, tensor<1x32xf32>, tensor<1x32xf32>", 1024, 40},
      {"classifier", "%x: tensor<1x32x50257xf32>, %t: tensor<1x32xi32>, %d: tensor<1x32xf32>",
       "%l, %e = tx.cross_entropy %x, %t ignore -100 in <\"x\"> : tensor<1x32x50257xf32>, tensor<1x32xi32>\n"
       "%y = tx.cross_entropy_grad %d, %x, %t, %e ignore -100 in <backward, \"x\"> : tensor<1x32xf32>, "
       "tensor<1x32x50257xf32>, "
       "tensor<1x32xi32>",
       "%l, %y : tensor<1x32xf32>, tensor<1x32x50257xf32>", 50257, 40},
  };
  for (const Case &one : cases) {
    const bool isRandom = std::string(one.name) == "dropout";
    GpuKernels kernels(std::string("step.kernel @k row [32, ") + std::to_string(one.columns) + "] " +
                           (isRandom ? "immediates 1 " : "") + "(" + one.parameters + ") {\n" + one.op +
                           "\nstep.yield " + one.results + "\n}\n",
                       "sm_90");
    Bytes wide = Tensor{{32, one.columns}, "f32", std::vector<double>(32 * one.columns, 0)}.pack(0);
    std::vector<Bytes> buffers(std::count(one.parameters, one.parameters + strlen(one.parameters), '%') +
                                   std::count(one.results, one.results + strlen(one.results), '%'),
                               wide);
    std::vector<Bytes *> pointers;
    for (Bytes &buffer : buffers)
      pointers.push_back(&buffer);
    kernels.runUnits("k", pointers, 0, 32, isRandom ? std::vector<uint32_t>{1} : std::vector<uint32_t>());
    const double ofElement = 32.0 * kernels.instructions / (32 * one.columns);
    EXPECT_GT(ofElement, 0) << one.name;
    EXPECT_LE(ofElement, one.most) << one.name;
  }
}

// These tests can fail: kernels of rows and of columns without their barriers.
TEST(GpuRules, barriersAreNeeded) {
  unsigned checked = 0;
  for (const OpCase &op : opCases(777)) {
    GpuKernels kernels(op.text(), "sm_90");
    if (kernels.replace("bar.sync", "// bar.sync") == 0)
      continue;
    // Nobody wrote it yet, or another thread writes it at some other time.
    EXPECT_NONFATAL_FAILURE(run(kernels, op), "shared memory");
    ++checked;
  }
  EXPECT_GE(checked, 4u);
}

namespace {
class GpuFusion : public testing::TestWithParam<Parameter> {};
} // namespace

TEST(GpuCrossEntropy, keepsItsDigitsAtLargeLogits) {
  checkLargeLogits([](const std::string &text) { return std::make_unique<GpuKernels>(text); });
}

TEST_P(GpuFusion, randomKernels) {
  auto [element, columns] = GetParam();
  checkFusion(element, columns, [](const std::string &text) { return std::make_unique<GpuKernels>(text); });
}

INSTANTIATE_TEST_SUITE_P(Kernels, GpuFusion,
                         testing::Combine(testing::Values("f32", "bf16"), testing::Values(5, 64, 211)), nameOf);
