#include "core/Program.h"

#include <algorithm>
#include <cmath>
#include <iterator>

using namespace txrt;

using ull = unsigned long long;
using u128 = unsigned __int128;

GemmOperand txrt::gemmOperand(const txrt_gemm_launch &g, int operand) {
  switch (operand) {
  case TXRT_GEMM_A:
    return g.transpose_a ? GemmOperand{g.k, g.m, g.a} : GemmOperand{g.m, g.k, g.a};
  case TXRT_GEMM_B:
    return g.transpose_b ? GemmOperand{g.n, g.k, g.b} : GemmOperand{g.k, g.n, g.b};
  default:
    return GemmOperand{g.m, g.n, g.c};
  }
}

txrt_gemm_operand txrt::gemmVector(const txrt_gemm_launch &g) {
  for (txrt_gemm_operand role : {TXRT_GEMM_BIAS, TXRT_GEMM_SUMS_A, TXRT_GEMM_SUMS_B})
    if (g.buffers[role])
      return role;
  return TXRT_GEMM_OPERANDS;
}

const txrt_buffer *txrt::gemmBuffer(const txrt_program &program, const txrt_launch &launch, int operand) {
  if (operand == TXRT_GEMM_OPERANDS || !launch.u.gemm.buffers[operand])
    return nullptr;
  return &program.buffers[launch.first_buffer + launch.u.gemm.buffers[operand] - 1];
}

/// Returns false if two matrices of the batch or two rows of a matrix partly overlap. In a tensor, each axis fits into
/// one step of the axis with the next larger stride. Sets `repeats` for each batch axis on which neighbors may be the
/// same matrix: that is stride 0, or the layout's repeat.
static bool isTensor(const txrt_gemm_launch &g, const GemmOperand &o, bool (&repeats)[2]) {
  struct Axis {
    uint64_t count, stride;
  };
  Axis axes[] = {{o.columns, 1},
                 {o.rows, o.layout.leading},
                 {g.batch0, o.layout.stride0},
                 {g.batch1 / o.layout.repeat, o.layout.stride1}};
  repeats[0] = g.batch0 > 1 && o.layout.stride0 == 0;
  repeats[1] = o.layout.repeat > 1 || (g.batch1 > 1 && o.layout.stride1 == 0);
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

/// Whether the rows of two matrices are different columns of the same wider rows, so that no byte is in both: a product
/// may read one part of a concatenation and write another. Not for batches.
static bool standSideBySide(const txrt_gemm_launch &g, const txrt_buffer &a, const GemmOperand &ofA,
                            const txrt_buffer &c, const GemmOperand &ofC) {
  const uint64_t row = ofA.layout.leading * dtypeBytes(a.dtype);
  if (g.batch0 * g.batch1 != 1 || row != ofC.layout.leading * dtypeBytes(c.dtype))
    return false;
  const uint64_t from = (c.offset % row + row - a.offset % row) % row;
  return from >= ofA.columns * dtypeBytes(a.dtype) && from + ofC.columns * dtypeBytes(c.dtype) <= row;
}

void Program::checkGemmLaunch(uint32_t index) const {
  const txrt_gemm_launch &g = launches[index].u.gemm;
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": " + what); };
  if (g.transpose_a > 1 || g.transpose_b > 1)
    bad("a flag is neither 0 nor 1");
  for (uint8_t byte : g.reserved)
    if (byte)
      bad("a reserved field is not zero");
  if (!std::isfinite(g.alpha) || !std::isfinite(g.beta))
    bad("alpha or beta is not finite");
  for (uint64_t extent : {g.m, g.n, g.k, g.batch0, g.batch1})
    if (extent == 0 || extent > maxExtent)
      bad(format("m %llu, n %llu, k %llu, batch %llu x %llu; all are 1 to 2^48", static_cast<ull>(g.m),
                 static_cast<ull>(g.n), static_cast<ull>(g.k), static_cast<ull>(g.batch0), static_cast<ull>(g.batch1)));
  checkGemmBuffers(index);
  checkGemmMatrices(index);
}

/// Checks the table of operands: each buffer has one role, which this runtime knows; and all operands but A, B and C.
void Program::checkGemmBuffers(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_gemm_launch &g = l.u.gemm;
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": " + what); };
  std::vector<bool> hasRole(l.buffer_count);
  uint32_t count = 0;
  for (uint32_t role = 0; role < TXRT_GEMM_OPERANDS; ++role) {
    const char *name = txrt_gemm_operand_name(role);
    if (!g.buffers[role]) {
      if (role <= TXRT_GEMM_C)
        bad(format("a product without '%s'", name));
      continue;
    }
    if (role > TXRT_GEMM_SCRATCH)
      bad(format("a product with '%s', which this runtime does not know yet", name));
    if (g.buffers[role] > l.buffer_count)
      bad(format("'%s' is buffer %u of %u", name, g.buffers[role] - 1, l.buffer_count));
    if (hasRole[g.buffers[role] - 1])
      bad(format("'%s' is buffer %u, which has another role, too", name, g.buffers[role] - 1));
    hasRole[g.buffers[role] - 1] = true;
    ++count;
  }
  if (count != l.buffer_count)
    bad(format("%u buffers, of which %u have a role", l.buffer_count, count));
  auto buffer = [&](int role) -> const txrt_buffer & { return buffers[l.first_buffer + g.buffers[role] - 1]; };
  if (g.buffers[TXRT_GEMM_RESET]) {
    const txrt_buffer &reset = buffer(TXRT_GEMM_RESET);
    if (reset.dtype != TXRT_DTYPE_I1 || reset.bytes != 1 || reset.writes)
      bad("the reset flag is not one i1 that is only read");
  }
  if (const txrt_gemm_operand role = gemmVector(g); role != TXRT_GEMM_OPERANDS) {
    const char *name = txrt_gemm_operand_name(role);
    for (int other = role + 1; other <= TXRT_GEMM_SUMS_B; ++other)
      if (g.buffers[other])
        bad(format("'%s' and '%s'; a product has one of them", name, txrt_gemm_operand_name(other)));
    if (g.batch0 * g.batch1 != 1)
      bad(format("'%s' of a batch of products", name));
    const txrt_buffer &vector = buffer(role), &c = buffer(TXRT_GEMM_C);
    const bool writes = role != TXRT_GEMM_BIAS;
    const uint64_t count = role == TXRT_GEMM_SUMS_A ? g.m : g.n;
    if (vector.dtype != c.dtype || vector.bytes != count * dtypeBytes(c.dtype) || vector.writes != writes)
      bad(format("'%s' is not of %llu %s that the product %s", name, static_cast<ull>(count), dtypeName(c.dtype),
                 writes ? "writes" : "reads"));
    for (int i = TXRT_GEMM_A; i <= TXRT_GEMM_C; ++i)
      if (overlap(buffer(i), vector))
        bad(format("'%s' overlaps '%s'", name, txrt_gemm_operand_name(i)));
  }
  if (g.buffers[TXRT_GEMM_SCRATCH]) {
    const txrt_buffer &scratch = buffer(TXRT_GEMM_SCRATCH);
    if (scratch.dtype != TXRT_DTYPE_BYTE || !scratch.writes)
      bad("the scratch is not of bytes that are written");
    checkScratch(index, g.buffers[TXRT_GEMM_SCRATCH] - 1);
  }
}

void Program::checkGemmMatrices(uint32_t index) const {
  const txrt_launch &l = launches[index];
  const txrt_gemm_launch &g = l.u.gemm;
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": " + what); };
  auto buffer = [&](int role) -> const txrt_buffer & { return buffers[l.first_buffer + g.buffers[role] - 1]; };
  static const char *const names[] = {"A", "B", "C"};
  bool repeats[3][2];
  for (int i = TXRT_GEMM_A; i <= TXRT_GEMM_C; ++i) {
    const txrt_buffer &operand = buffer(i);
    const GemmOperand o = gemmOperand(g, i);
    const txrt_gemm_matrix &m = o.layout;
    if (operand.dtype != TXRT_DTYPE_F32 && operand.dtype != TXRT_DTYPE_BF16)
      bad(format("%s is %s; a GEMM takes f32 or bf16", names[i], dtypeName(operand.dtype)));
    if (m.leading < o.columns || m.leading > maxExtent || m.stride0 > maxExtent || m.stride1 > maxExtent)
      bad(format("%s: leading dimension %llu for rows of %llu, or a stride "
                 "beyond 2^48",
                 names[i], static_cast<ull>(m.leading), static_cast<ull>(o.columns)));
    if (m.repeat == 0 || g.batch1 % m.repeat != 0 || (i == TXRT_GEMM_C && m.repeat != 1))
      bad(format("%s: %llu heads in a row share a matrix, of %llu; expected %s", names[i], static_cast<ull>(m.repeat),
                 static_cast<ull>(g.batch1), i == TXRT_GEMM_C ? "1" : "a divisor"));
    const u128 elements = u128(g.batch0 - 1) * m.stride0 + u128(g.batch1 / m.repeat - 1) * m.stride1 +
                          u128(o.rows - 1) * m.leading + o.columns;
    if (elements * dtypeBytes(operand.dtype) > operand.bytes)
      bad(format("%s reaches beyond its buffer of %llu bytes", names[i], static_cast<ull>(operand.bytes)));
    // This bounds the work of a launch by its memory: a damaged file cannot ask for a huge product over few bytes.
    if (!isTensor(g, o, repeats[i]))
      bad(format("the matrices of %s lie on each other", names[i]));
    if (operand.writes != (i == TXRT_GEMM_C))
      bad(format("%s is marked as %s", names[i], operand.writes ? "written" : "not written"));
  }
  if (buffer(TXRT_GEMM_A).dtype != buffer(TXRT_GEMM_B).dtype)
    bad("A and B differ in dtype");
  for (int axis = 0; axis < 2; ++axis) {
    // Two tasks would write the same matrix, in no fixed order.
    if (repeats[TXRT_GEMM_C][axis])
      bad("the matrices of C lie on each other");
    if (repeats[TXRT_GEMM_A][axis] && repeats[TXRT_GEMM_B][axis])
      bad("one product of A and B many times");
  }
  const txrt_buffer &c = buffer(TXRT_GEMM_C);
  for (int i = TXRT_GEMM_A; i <= TXRT_GEMM_B; ++i)
    if (overlap(buffer(i), c) && !standSideBySide(g, buffer(i), gemmOperand(g, i), c, gemmOperand(g, TXRT_GEMM_C)))
      bad(format("C overlaps %s", names[i]));
}

void Program::checkScratch(uint32_t index, uint32_t which) const {
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
