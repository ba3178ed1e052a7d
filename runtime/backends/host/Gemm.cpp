#include "backends/host/Gemm.h"
#include "core/Program.h"

#include <algorithm>
#include <climits>

using namespace txrt;

// docs/Rationale/cpu-gemm.md has the measurements. Each call packs the operands of its tile anew, so a large tile costs
// less for an element. Small tiles are for products that large tiles would not cut into enough tasks.
struct TileSize {
  uint64_t m, n;
};
static constexpr TileSize largeTile = {768, 768}, smallTile = {256, 192};
static constexpr TileSize narrowTile = {TXRT_HOST_PRODUCT_M, TXRT_HOST_PRODUCT_N};
// The library's AVX-512 kernels work on 48 columns at once, the artifact's bf16 kernels on 32 rows and columns.
static constexpr uint64_t columnStep = 48, narrowStep = 32;
// Fewer tiles than this leave cores idle.
static constexpr uint64_t fewTiles = 4;
static constexpr uint64_t smallestTileM = 64;
// The least work of a task, about 20 us: for less, the claim of the task costs too much.
static constexpr uint64_t taskFlops = uint64_t(2) << 20;

static uint64_t ceilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/// Cuts `extent` into equal parts of at most `largest`: with a small last part a thread would be idle.
static uint64_t evenTile(uint64_t extent, uint64_t largest, uint64_t step) {
  uint64_t part = ceilDiv(extent, ceilDiv(extent, largest));
  return std::min(largest, ceilDiv(part, step) * step);
}

static GemmGrid cut(const txrt_gemm_launch &g, TileSize largest, TileSize step) {
  GemmGrid grid;
  grid.tileM = evenTile(g.m, largest.m, step.m);
  grid.tileN = evenTile(g.n, largest.n, step.n);
  grid.countM = ceilDiv(g.m, grid.tileM);
  grid.countN = ceilDiv(g.n, grid.tileN);
  return grid;
}

// The grid depends on the product only, never on the number of threads: the bits of the library's results depend on the
// sizes that it is called with.
GemmGrid txrt::gemmGrid(const txrt_gemm_launch &g, bool isNarrow) {
  const uint64_t batch = g.batch0 * g.batch1;
  GemmGrid grid = isNarrow ? cut(g, narrowTile, {narrowStep, narrowStep}) : cut(g, largeTile, {1, columnStep});
  auto enough = [&] { return batch * grid.countM * grid.countN >= fewTiles; };
  if (!enough() && !isNarrow)
    grid = cut(g, smallTile, {1, columnStep});
  while (!enough() && grid.tileM / 2 >= smallestTileM) {
    grid.tileM = ceilDiv(grid.tileM, 2);
    grid.countM = ceilDiv(g.m, grid.tileM);
  }
  grid.matricesPerTask = 1;
  if (grid.countM * grid.countN == 1) {
    double flops = 2.0 * double(g.m) * double(g.n) * double(g.k);
    double wanted = double(taskFlops) / flops;
    grid.matricesPerTask = wanted < 1 ? 1 : wanted > double(batch) ? batch : static_cast<uint64_t>(wanted);
  }
  grid.tasks = ceilDiv(batch, grid.matricesPerTask) * grid.countM * grid.countN;
  return grid;
}

bool txrt::gemmFits(const txrt_gemm_launch &g, bool isNarrow) {
  // Tiles bound m and n; a batch of more than 2^31 tasks is no real product.
  const uint64_t limit = INT_MAX;
  if (g.m > limit || g.n > limit || g.k > limit || g.a.leading > limit || g.b.leading > limit || g.c.leading > limit ||
      g.batch0 > limit || g.batch1 > limit || g.batch0 * g.batch1 > limit)
    return false;
  GemmGrid grid = gemmGrid(g, isNarrow);
  unsigned __int128 tasks = (unsigned __int128)grid.countM * grid.countN * (g.batch0 * g.batch1);
  return tasks <= limit;
}

namespace {
/// A product that runs. Tasks only read it.
struct Work {
  const GemmCode &code;
  const txrt_gemm_launch &gemm;
  const GemmGrid grid;
  const void *a, *b;
  void *c;
  float beta;

  void task(uint64_t index) const {
    const uint64_t tiles = grid.countM * grid.countN;
    if (tiles == 1) {
      const uint64_t batch = gemm.batch0 * gemm.batch1;
      const uint64_t first = index * grid.matricesPerTask;
      const uint64_t end = std::min(first + grid.matricesPerTask, batch);
      for (uint64_t matrix = first; matrix < end; ++matrix)
        tile(matrix, 0, 0);
      return;
    }
    // Consecutive tasks share a panel of the larger operand, while it is in the cache.
    const uint64_t inMatrix = index % tiles;
    if (grid.countM < grid.countN)
      tile(index / tiles, inMatrix % grid.countM, inMatrix / grid.countM);
    else
      tile(index / tiles, inMatrix / grid.countN, inMatrix % grid.countN);
  }

  void tile(uint64_t matrix, uint64_t tileM, uint64_t tileN) const {
    const txrt_gemm_launch &g = gemm;
    const uint64_t i0 = matrix / g.batch1, i1 = matrix % g.batch1;
    const uint64_t m0 = tileM * grid.tileM, n0 = tileN * grid.tileN;
    const uint64_t m = std::min(grid.tileM, g.m - m0);
    const uint64_t n = std::min(grid.tileN, g.n - n0);
    const uint64_t lda = g.a.leading, ldb = g.b.leading, ldc = g.c.leading;
    const uint64_t fromA = matrixBegin(g.a, i0, i1) + (g.transpose_a ? m0 : m0 * lda);
    const uint64_t fromB = matrixBegin(g.b, i0, i1) + (g.transpose_b ? n0 * ldb : n0);
    const uint64_t toC = matrixBegin(g.c, i0, i1) + m0 * ldc + n0;
    if (code.isNarrow())
      return code.narrow(at(a, fromA, 2), at(b, fromB, 2), at(c, toC, code.isWide ? 4 : 2), static_cast<int64_t>(m),
                         static_cast<int64_t>(n), static_cast<int64_t>(g.k), static_cast<int64_t>(lda),
                         static_cast<int64_t>(ldb), static_cast<int64_t>(ldc), g.alpha, beta);
    code.blas->sgemm(Blas::rowMajor, g.transpose_a ? Blas::transposed : Blas::plain,
                     g.transpose_b ? Blas::transposed : Blas::plain, static_cast<int>(m), static_cast<int>(n),
                     static_cast<int>(g.k), g.alpha, static_cast<const float *>(a) + fromA, static_cast<int>(lda),
                     static_cast<const float *>(b) + fromB, static_cast<int>(ldb), beta, static_cast<float *>(c) + toC,
                     static_cast<int>(ldc));
  }

  static const void *at(const void *base, uint64_t element, uint64_t bytes) {
    return static_cast<const char *>(base) + element * bytes;
  }
  static void *at(void *base, uint64_t element, uint64_t bytes) { return static_cast<char *>(base) + element * bytes; }
};
} // namespace

void txrt::runGemm(ThreadPool &pool, const GemmCode &code, const txrt_gemm_launch &gemm, const void *a, const void *b,
                   void *c, float beta) {
  Work work{code, gemm, gemmGrid(gemm, code.isNarrow()), a, b, c, beta};
  pool.run(
      work.grid.tasks, [](void *context, uint64_t index) { static_cast<const Work *>(context)->task(index); }, &work);
}
