#include "core/Program.h"

#include <algorithm>
#include <cmath>
#include <iterator>

using namespace txrt;

using ull = unsigned long long;
using u128 = unsigned __int128;

GemmOperand txrt::gemmOperand(const txrt_gemm_launch &g, int operand) {
  switch (operand) {
  case 0:
    return g.transpose_a ? GemmOperand{g.k, g.m, g.lda, g.stride_a0, g.stride_a1}
                         : GemmOperand{g.m, g.k, g.lda, g.stride_a0, g.stride_a1};
  case 1:
    return g.transpose_b ? GemmOperand{g.n, g.k, g.ldb, g.stride_b0, g.stride_b1}
                         : GemmOperand{g.k, g.n, g.ldb, g.stride_b0, g.stride_b1};
  default:
    return GemmOperand{g.m, g.n, g.ldc, g.stride_c0, g.stride_c1};
  }
}

GemmBuffers txrt::gemmBuffers(const txrt_gemm_launch &g) {
  GemmBuffers at;
  int next = 3;
  at.reset = g.has_reset ? next++ : -1;
  at.vector = g.epilogue ? next++ : -1;
  at.scratch = g.has_scratch ? next++ : -1;
  at.count = static_cast<uint32_t>(next);
  return at;
}

/// Returns false if two matrices of the batch or two rows of a matrix partly overlap. In a tensor, each axis fits into
/// one step of the axis with the next larger stride. Sets `repeats` for each batch axis of stride 0, on which all
/// matrices are the same one.
static bool isTensor(const txrt_gemm_launch &g, const GemmOperand &o, bool (&repeats)[2]) {
  struct Axis {
    uint64_t count, stride;
  };
  Axis axes[] = {{o.columns, 1}, {o.rows, o.leading}, {g.batch0, o.stride0}, {g.batch1, o.stride1}};
  for (int i = 0; i < 2; ++i)
    repeats[i] = axes[2 + i].count > 1 && axes[2 + i].stride == 0;
  std::sort(std::begin(axes), std::end(axes), [](const Axis &a, const Axis &b) { return a.stride < b.stride; });
  u128 extent = 1; // of the axes so far
  for (const Axis &axis : axes) {
    if (axis.count == 1 || axis.stride == 0)
      continue;
    if (axis.stride < extent)
      return false;
    extent += u128(axis.count - 1) * axis.stride;
  }
  return true;
}

static bool overlap(const txrt_buffer &a, const txrt_buffer &b) {
  return a.segment == b.segment && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

void Program::checkGemmLaunch(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_gemm_launch &g = l.u.gemm;
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": " + what); };
  if (g.transpose_a > 1 || g.transpose_b > 1 || g.has_reset > 1 || g.has_scratch > 1)
    bad("a flag is neither 0 nor 1");
  if (g.epilogue >= TXRT_EPILOGUE_COUNT)
    bad(format("unknown epilogue %u", g.epilogue));
  if (g.epilogue && g.batch0 * g.batch1 != 1)
    bad("an epilogue for a batch of products");
  for (uint8_t byte : g.reserved)
    if (byte)
      bad("a reserved field is not zero");
  if (!std::isfinite(g.alpha) || !std::isfinite(g.beta))
    bad("alpha or beta is not finite");
  for (uint64_t extent : {g.m, g.n, g.k, g.batch0, g.batch1})
    if (extent == 0 || extent > maxExtent)
      bad(format("m %llu, n %llu, k %llu, batch %llu x %llu; all are 1 to 2^48", static_cast<ull>(g.m),
                 static_cast<ull>(g.n), static_cast<ull>(g.k), static_cast<ull>(g.batch0), static_cast<ull>(g.batch1)));
  const GemmBuffers at = gemmBuffers(g);
  if (l.buffer_count != at.count)
    bad(format("%u buffers; expected A, B, C%s%s%s", l.buffer_count, g.has_reset ? ", the reset flag" : "",
               at.vector >= 0 ? ", the epilogue's vector" : "", g.has_scratch ? ", scratch" : ""));

  const txrt_buffer *operands = &buffers[l.first_buffer];
  static const char *const names[] = {"A", "B", "C"};
  bool repeats[3][2];
  for (int i = 0; i < 3; ++i) {
    const txrt_buffer &buffer = operands[i];
    GemmOperand o = gemmOperand(g, i);
    if (buffer.dtype != TXRT_DTYPE_F32 && buffer.dtype != TXRT_DTYPE_BF16)
      bad(format("%s is %s; a GEMM takes f32 or bf16", names[i], dtypeName(buffer.dtype)));
    if (o.leading < o.columns || o.leading > maxExtent || o.stride0 > maxExtent || o.stride1 > maxExtent)
      bad(format("%s: leading dimension %llu for rows of %llu, or a stride "
                 "beyond 2^48",
                 names[i], static_cast<ull>(o.leading), static_cast<ull>(o.columns)));
    u128 elements =
        u128(g.batch0 - 1) * o.stride0 + u128(g.batch1 - 1) * o.stride1 + u128(o.rows - 1) * o.leading + o.columns;
    if (elements * dtypeBytes(buffer.dtype) > buffer.bytes)
      bad(format("%s reaches beyond its buffer of %llu bytes", names[i], static_cast<ull>(buffer.bytes)));
    // This bounds the work of a launch by its memory: a damaged file cannot ask for a huge product over few bytes.
    if (!isTensor(g, o, repeats[i]))
      bad(format("the matrices of %s lie on each other", names[i]));
    if (buffer.writes != (i == 2))
      bad(format("%s is marked as %s", names[i], buffer.writes ? "written" : "not written"));
  }
  if (operands[0].dtype != operands[1].dtype)
    bad("A and B differ in dtype");
  for (int axis = 0; axis < 2; ++axis) {
    // Two tasks would write the same matrix, in no fixed order.
    if (repeats[2][axis])
      bad("the matrices of C lie on each other");
    if (repeats[0][axis] && repeats[1][axis])
      bad("one product of A and B many times");
  }
  const txrt_buffer &c = operands[2];
  for (int i = 0; i < 2; ++i)
    if (overlap(operands[i], c))
      bad(format("C overlaps %s", names[i]));
  if (g.has_reset) {
    const txrt_buffer &reset = operands[at.reset];
    if (reset.dtype != TXRT_DTYPE_I1 || reset.bytes != 1 || reset.writes)
      bad("the reset flag is not one i1 that is only read");
  }
  if (at.vector >= 0) {
    const txrt_buffer &vector = operands[at.vector];
    const bool writes = txrt_epilogue_writes_vector(g.epilogue);
    const uint64_t count = g.epilogue == TXRT_EPILOGUE_SUMS_A ? g.m : g.n;
    if (vector.dtype != c.dtype || vector.bytes != count * dtypeBytes(c.dtype) || vector.writes != writes)
      bad(format("the epilogue's vector is not of %llu %s that it %s", static_cast<ull>(count), dtypeName(c.dtype),
                 writes ? "writes" : "reads"));
    for (int i = 0; i < 3; ++i)
      if (overlap(operands[i], vector))
        bad(format("the epilogue's vector overlaps %s", names[i]));
  }
  if (g.has_scratch) {
    const txrt_buffer &scratch = operands[at.scratch];
    if (scratch.dtype != TXRT_DTYPE_BYTE || !scratch.writes)
      bad("the scratch is not of bytes that are written");
    checkScratch(index, at.scratch);
  }
}

void Program::checkScratch(uint32_t index, int which) const {
  const txrt_launch &l = launches[index];
  const txrt_buffer *operands = &buffers[l.first_buffer];
  const txrt_buffer &scratch = operands[which];
  const uint64_t place = data.segment_base[scratch.segment] + scratch.offset;
  if (place % TXRT_SCRATCH_ALIGNMENT != 0)
    refuse(describe(index) + format(": scratch at 0x%llx of the arena, no multiple of %u", static_cast<ull>(place),
                                    TXRT_SCRATCH_ALIGNMENT));
  for (uint32_t i = 0; i < l.buffer_count; ++i) {
    const txrt_buffer &other = operands[i];
    if (&other != &scratch && other.segment == scratch.segment && other.offset < scratch.offset + scratch.bytes &&
        scratch.offset < other.offset + other.bytes)
      refuse(describe(index) + format(": scratch overlaps buffer %u", i));
  }
}
