#include "core/Program.h"

#include <cmath>

using namespace txrt;

using ull = unsigned long long;
using u128 = unsigned __int128;

void Program::checkAttention(uint32_t index, const txrt_attention &a) const {
  const txrt_launch &l = launches[index];
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": attention: " + what); };
  if (a.backward > 1 || a.causal > 1 || a.deterministic > 1 || a.has_scratch > 1)
    bad("a flag is neither 0 nor 1");
  for (uint8_t byte : a.reserved)
    if (byte)
      bad("a reserved field is not zero");
  for (uint64_t extent : {a.batch, a.queries, a.keys, a.width, uint64_t(a.heads), uint64_t(a.key_heads)})
    if (extent == 0 || extent > maxExtent)
      bad(format("batch %llu, queries %llu, keys %llu, %u heads, %u key heads "
                 "of width %llu; all are 1 to 2^48",
                 static_cast<ull>(a.batch), static_cast<ull>(a.queries), static_cast<ull>(a.keys), a.heads, a.key_heads,
                 static_cast<ull>(a.width)));
  if (a.heads % a.key_heads != 0 || !std::isfinite(a.scale))
    bad(format("%u key heads for %u heads, or a scale that is not finite", a.key_heads, a.heads));
  static const char *const names[] = {"Q", "K", "V", "O", "LSE", "dO", "dQ", "dK", "dV"};
  const uint32_t count = a.backward ? TXRT_ATTENTION_OPERANDS : TXRT_ATTENTION_DO;
  for (uint32_t i = 0; i < count; ++i) {
    if (a.buffers[i] >= l.buffer_count - a.has_scratch)
      bad(format("%s is buffer %u of %u", names[i], a.buffers[i], l.buffer_count - a.has_scratch));
    const txrt_buffer &buffer = buffers[l.first_buffer + a.buffers[i]];
    const bool isResult = a.backward ? i >= TXRT_ATTENTION_DQ : i == TXRT_ATTENTION_O || i == TXRT_ATTENTION_LSE;
    const bool isStatistics = i == TXRT_ATTENTION_LSE;
    if (buffer.dtype != (isStatistics ? TXRT_DTYPE_F32 : TXRT_DTYPE_BF16) || buffer.writes != isResult)
      bad(format("%s is %s, or %s", names[i], dtypeName(buffer.dtype),
                 isResult ? "not marked as written" : "marked as written"));
    const bool ofKeys =
        i == TXRT_ATTENTION_K || i == TXRT_ATTENTION_V || i == TXRT_ATTENTION_DK || i == TXRT_ATTENTION_DV;
    const u128 rows = u128(a.batch) * (ofKeys ? a.keys : a.queries);
    const u128 columns = u128(ofKeys ? a.key_heads : a.heads) * a.width;
    const u128 elements = isStatistics ? rows * a.heads : (rows - 1) * a.row_strides[i] + columns;
    if (!isStatistics && (a.row_strides[i] < columns || a.row_strides[i] > maxExtent))
      bad(format("%s: rows at a stride of %llu", names[i], static_cast<ull>(a.row_strides[i])));
    // Each factor is below 2^48 or 2^80, and the first test keeps the sum small.
    if (rows > u128(buffer.bytes) || elements * dtypeBytes(buffer.dtype) > buffer.bytes)
      bad(format("%s reaches beyond its buffer of %llu bytes", names[i], static_cast<ull>(buffer.bytes)));
  }
  if (!a.has_scratch)
    return;
  const txrt_buffer &scratch = buffers[l.first_buffer + l.buffer_count - 1];
  if (scratch.dtype != TXRT_DTYPE_BYTE || !scratch.writes)
    bad("the scratch is not of bytes that are written");
  checkScratch(index, static_cast<int>(l.buffer_count) - 1);
}
