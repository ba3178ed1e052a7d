// Products against a reference in double, and their bits against each other.

#include "backends/host/Gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

using namespace txrt;

namespace {

struct Free {
  void operator()(float *p) const { free(p); }
};

/// A 64-byte aligned array with `shift` floats before it.
struct Array {
  Array(uint64_t size, unsigned seed, unsigned shift = 0) : size(size) {
    uint64_t bytes = ((size + shift) * sizeof(float) + 63) / 64 * 64;
    memory.reset(static_cast<float *>(aligned_alloc(64, bytes)));
    data = memory.get() + shift;
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (uint64_t i = 0; i < size; ++i)
      data[i] = uniform(random);
  }
  bool operator==(const Array &other) const { return memcmp(data, other.data, size * sizeof(float)) == 0; }
  std::unique_ptr<float, Free> memory;
  float *data;
  uint64_t size;
};

struct Shape {
  uint64_t m, n, k;
  bool ta, tb;
  uint64_t batch0 = 1, batch1 = 1;
  uint64_t pad = 0; // columns between the rows
  uint64_t repeatA = 1, repeatB = 1;
};

txrt_gemm_launch launchOf(const Shape &s) {
  txrt_gemm_launch g = {};
  g.m = s.m, g.n = s.n, g.k = s.k;
  g.batch0 = s.batch0, g.batch1 = s.batch1;
  g.transpose_a = s.ta, g.transpose_b = s.tb;
  auto matrices = [&](uint64_t rows, uint64_t columns, uint64_t repeat) {
    const uint64_t leading = columns + s.pad;
    return txrt_gemm_matrix{leading, rows * leading * (s.batch1 / repeat), rows * leading, repeat};
  };
  g.a = s.ta ? matrices(s.k, s.m, s.repeatA) : matrices(s.m, s.k, s.repeatA);
  g.b = s.tb ? matrices(s.n, s.k, s.repeatB) : matrices(s.k, s.n, s.repeatB);
  g.c = matrices(s.m, s.n, 1);
  g.alpha = 1, g.beta = 0;
  return g;
}

struct Product {
  explicit Product(const Shape &s, unsigned shift = 0)
      : g(launchOf(s)), a(s.batch0 * g.a.stride0, 1, shift), b(s.batch0 * g.b.stride0, 2, shift),
        c(s.batch0 * g.c.stride0, 3, shift) {}

  void run(unsigned threads) {
    ThreadPool pool(threads);
    runGemm(pool, {&Blas::get(), nullptr, true}, g, a.data, b.data, c.data, g.beta);
  }

  /// Compares with the reference, also that nothing else was written.
  void check(const Product &before) const {
    std::vector<bool> inside(c.size);
    for (uint64_t i0 = 0; i0 < g.batch0; ++i0)
      for (uint64_t i1 = 0; i1 < g.batch1; ++i1)
        for (uint64_t i = 0; i < g.m; ++i)
          for (uint64_t j = 0; j < g.n; ++j) {
            uint64_t at = i0 * g.c.stride0 + i1 * g.c.stride1 + i * g.c.leading + j;
            inside[at] = true;
            checkOne(i0, i1, i, j, c.data[at], before.c.data[at]);
            if (testing::Test::HasFailure())
              return;
          }
    for (uint64_t at = 0; at < c.size; ++at)
      if (!inside[at])
        ASSERT_EQ(c.data[at], before.c.data[at]) << "written between rows";
  }

  void checkOne(uint64_t i0, uint64_t i1, uint64_t i, uint64_t j, float got, float old) const {
    const float *pa = a.data + i0 * g.a.stride0 + i1 / g.a.repeat * g.a.stride1;
    const float *pb = b.data + i0 * g.b.stride0 + i1 / g.b.repeat * g.b.stride1;
    double sum = 0, magnitude = 0;
    for (uint64_t p = 0; p < g.k; ++p) {
      double x = pa[g.transpose_a ? p * g.a.leading + i : i * g.a.leading + p];
      double y = pb[g.transpose_b ? j * g.b.leading + p : p * g.b.leading + j];
      sum += x * y;
      magnitude += std::fabs(x * y);
    }
    double expected = g.alpha * sum + g.beta * old;
    double bound = 1e-6 * (std::fabs(g.alpha) * magnitude + std::fabs(g.beta * old) + 1e-3);
    ASSERT_NEAR(got, expected, bound) << "batch " << i0 << "," << i1 << " row " << i << " column " << j;
  }

  txrt_gemm_launch g;
  Array a, b, c;
};

std::vector<Shape> shapes() {
  std::vector<Shape> all;
  for (bool ta : {false, true})
    for (bool tb : {false, true}) {
      for (uint64_t m : {1, 7, 64, 257})
        for (uint64_t n : {1, 17, 191, 400})
          for (uint64_t k : {1, 33, 129})
            all.push_back({m, n, k, ta, tb, 1, 1, m % 3});
      all.push_back({64, 64, 64, ta, tb, 3, 4});
      all.push_back({31, 45, 19, ta, tb, 2, 5, 3});
      // Heads that share a matrix: of B two and two, of A all six.
      all.push_back({31, 45, 19, ta, tb, 2, 6, 3, 1, 2});
      all.push_back({64, 33, 40, ta, tb, 3, 6, 0, 6, 1});
      all.push_back({300, 250, 40, ta, tb, 1, 4, 0, 1, 2});
      all.push_back({300, 250, 40, ta, tb, 2, 1, 1});
      all.push_back({100, 1000, 500, ta, tb});
    }
  return all;
}

std::string text(const Shape &s) {
  std::string t = std::to_string(s.m) + "x" + std::to_string(s.n) + "x" + std::to_string(s.k) + (s.ta ? " T" : " N") +
                  (s.tb ? "T" : "N");
  return t + " batch " + std::to_string(s.batch0 * s.batch1);
}

} // namespace

// Right by the reference, and the same bits with 1, 2, 3 and 4 threads.
TEST(Gemm, ReferenceAndThreads) {
  for (const Shape &s : shapes()) {
    SCOPED_TRACE(text(s));
    Product before(s), one(s);
    one.run(1);
    one.check(before);
    if (HasFailure())
      return;
    for (unsigned threads : {2, 3, 4}) {
      Product more(s);
      more.run(threads);
      ASSERT_TRUE(more.c == one.c) << threads << " threads";
    }
  }
}

TEST(Gemm, AlphaAndBeta) {
  for (float alpha : {1.0f, 0.125f, -0.7f})
    for (float beta : {0.0f, 1.0f, 0.3f}) {
      Shape s = {130, 200, 70, false, true, 1, 2, 1};
      Product before(s), after(s);
      after.g.alpha = alpha, after.g.beta = beta;
      after.run(2);
      after.check(before);
    }
}

// A gradient's first microbatch overwrites, later ones add. If overwriting were not the same as adding to zeros,
// accumulation would depend on who comes first.
TEST(Gemm, BetaZeroIsAddingToZeros) {
  for (const Shape &s : shapes()) {
    SCOPED_TRACE(text(s));
    Product overwrite(s), add(s);
    for (float alpha : {1.0f, 0.125f}) {
      overwrite.g.alpha = add.g.alpha = alpha;
      overwrite.g.beta = 0, add.g.beta = 1;
      for (uint64_t i = 0; i < add.c.size; ++i)
        add.c.data[i] = overwrite.c.data[i] = 0;
      overwrite.run(2);
      add.run(2);
      ASSERT_TRUE(overwrite.c == add.c);
    }
  }
}

// With beta = 0 old content must not matter, not even a NaN.
TEST(Gemm, BetaZeroIgnoresNaN) {
  for (const Shape &s : shapes()) {
    SCOPED_TRACE(text(s));
    Product before(s), after(s);
    for (uint64_t i = 0; i < after.c.size; ++i)
      after.c.data[i] = before.c.data[i] = 7;
    for (uint64_t b = 0; b < s.batch0 * s.batch1; ++b)
      for (uint64_t i = 0; i < s.m; ++i)
        for (uint64_t j = 0; j < s.n; ++j)
          after.c.data[b * after.g.c.stride1 + i * after.g.c.leading + j] = NAN;
    after.run(2);
    after.check(before);
    if (HasFailure())
      return;
  }
}

// Policies place a value at different addresses; bits must not follow.
TEST(Gemm, AlignmentDoesNotMatter) {
  for (const Shape &s : shapes()) {
    SCOPED_TRACE(text(s));
    Product aligned(s);
    aligned.run(2);
    for (unsigned shift : {1, 8, 13}) {
      Product shifted(s, shift);
      shifted.run(2);
      ASSERT_TRUE(shifted.c == aligned.c) << "shifted by " << shift;
    }
  }
}

// Many threads in the library at once, coming and going: its scratch must not be shared. Debian's serial variant failed
// this in one run of three.
TEST(Gemm, LibraryIsSafeForConcurrentCallers) {
  for (Shape s : {Shape{96, 112, 300, true, false, 8, 8}, Shape{24, 40, 32, false, true, 32, 32},
                  Shape{70, 65, 17, false, false, 16, 16}}) {
    Product reference(s);
    reference.run(1);
    ThreadPool pool(16);
    Product product(s);
    for (int i = 0; i < 60; ++i) {
      for (uint64_t j = 0; j < product.c.size; ++j)
        product.c.data[j] = NAN;
      runGemm(pool, {&Blas::get(), nullptr, true}, product.g, product.a.data, product.b.data, product.c.data, 0.0f);
      ASSERT_TRUE(product.c == reference.c) << text(s) << " run " << i;
    }
  }
}

// The grid covers C exactly, whatever the shape.
TEST(Gemm, GridCovers) {
  for (uint64_t m : {1, 5, 63, 64, 255, 256, 257, 513, 50257})
    for (uint64_t n : {1, 15, 16, 191, 192, 193, 768, 1000, 50257}) {
      GemmGrid grid = gemmGrid(launchOf({m, n, 64, false, false}), false);
      EXPECT_GE(grid.tileM * grid.countM, m);
      EXPECT_LT(grid.tileM * (grid.countM - 1), m);
      EXPECT_GE(grid.tileN * grid.countN, n);
      EXPECT_LT(grid.tileN * (grid.countN - 1), n);
      EXPECT_EQ(grid.tasks, grid.countM * grid.countN);
    }
}
