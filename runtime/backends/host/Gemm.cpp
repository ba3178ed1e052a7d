#include "backends/host/Gemm.h"

#include <algorithm>
#include <climits>

using namespace txrt;

// Measured in docs/Rationale/cpu-gemm.md: the largest tile that still leaves
// several to each thread, wide enough to pay for the packing of its operands.
static constexpr uint64_t largestTileM = 256, largestTileN = 192;
// The library's AVX-512 kernels work on 48 columns at once.
static constexpr uint64_t columnStep = 48;
// Fewer tiles than this leave cores idle; a smaller tile costs some 7 %.
static constexpr uint64_t fewTiles = 4;
static constexpr uint64_t smallestTileM = 64;
// About 20 us of work: what a task must have to be worth claiming.
static constexpr uint64_t taskFlops = uint64_t(2) << 20;

static uint64_t ceilDiv(uint64_t a, uint64_t b) { return (a + b - 1) / b; }

/// Equal parts of at most `largest`: a narrow rest would leave a thread idle.
static uint64_t evenTile(uint64_t extent, uint64_t largest, uint64_t step) {
  uint64_t part = ceilDiv(extent, ceilDiv(extent, largest));
  return std::min(largest, ceilDiv(part, step) * step);
}

GemmGrid txrt::gemmGrid(const txrt_gemm_launch &g) {
  const uint64_t batch = g.batch0 * g.batch1;
  GemmGrid grid;
  grid.tileM = evenTile(g.m, largestTileM, 1);
  grid.tileN = evenTile(g.n, largestTileN, columnStep);
  grid.countN = ceilDiv(g.n, grid.tileN);
  for (;;) {
    grid.countM = ceilDiv(g.m, grid.tileM);
    if (batch * grid.countM * grid.countN >= fewTiles ||
        grid.tileM / 2 < smallestTileM)
      break;
    grid.tileM = ceilDiv(grid.tileM, 2);
  }
  grid.matricesPerTask = 1;
  if (grid.countM * grid.countN == 1) {
    double flops = 2.0 * double(g.m) * double(g.n) * double(g.k);
    double wanted = double(taskFlops) / flops;
    grid.matricesPerTask = wanted < 1 ? 1
                           : wanted > double(batch)
                               ? batch
                               : static_cast<uint64_t>(wanted);
  }
  grid.tasks =
      ceilDiv(batch, grid.matricesPerTask) * grid.countM * grid.countN;
  return grid;
}

bool txrt::gemmFits(const txrt_gemm_launch &g) {
  // Tiles bound m and n; a batch of more than 2^31 tasks is no real product.
  const uint64_t limit = INT_MAX;
  if (g.m > limit || g.n > limit || g.k > limit || g.lda > limit ||
      g.ldb > limit || g.ldc > limit || g.batch0 > limit || g.batch1 > limit ||
      g.batch0 * g.batch1 > limit)
    return false;
  GemmGrid grid = gemmGrid(g);
  unsigned __int128 tasks = (unsigned __int128)grid.countM * grid.countN *
                            (g.batch0 * g.batch1);
  return tasks <= limit;
}

namespace {
/// One product under way; tasks read it only.
struct Work {
  const Blas &blas;
  const txrt_gemm_launch &gemm;
  const GemmGrid grid;
  const float *a, *b;
  float *c;
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
    // Neighbouring tasks share the larger operand's panel while it is in cache.
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
    const float *tileA = a + i0 * g.stride_a0 + i1 * g.stride_a1 +
                         (g.transpose_a ? m0 : m0 * g.lda);
    const float *tileB = b + i0 * g.stride_b0 + i1 * g.stride_b1 +
                         (g.transpose_b ? n0 * g.ldb : n0);
    float *tileC =
        c + i0 * g.stride_c0 + i1 * g.stride_c1 + m0 * g.ldc + n0;
    blas.sgemm(Blas::rowMajor, g.transpose_a ? Blas::transposed : Blas::plain,
               g.transpose_b ? Blas::transposed : Blas::plain,
               static_cast<int>(m), static_cast<int>(n),
               static_cast<int>(g.k), g.alpha, tileA, static_cast<int>(g.lda),
               tileB, static_cast<int>(g.ldb), beta, tileC,
               static_cast<int>(g.ldc));
  }
};
} // namespace

void txrt::runGemm(ThreadPool &pool, const Blas &blas,
                   const txrt_gemm_launch &gemm, const float *a,
                   const float *b, float *c, float beta) {
  Work work{blas, gemm, gemmGrid(gemm), a, b, c, beta};
  pool.run(
      work.grid.tasks,
      [](void *context, uint64_t index) {
        static_cast<const Work *>(context)->task(index);
      },
      &work);
}
