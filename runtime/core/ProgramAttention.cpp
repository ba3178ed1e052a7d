#include "core/Program.h"

#include <cmath>

using namespace txrt;

using ull = unsigned long long;
using u128 = unsigned __int128;

void Program::checkAttention(uint32_t index, const txrt_attention &a) const {
  const txrt_launch &l = launches[index];
  auto bad = [&](const std::string &what) { refuse(describe(index) + ": attention: " + what); };
  if (a.backward > 1 || a.causal > 1 || a.deterministic > 1)
    bad("a flag is neither 0 nor 1");
  for (uint8_t byte : a.reserved)
    if (byte)
      bad("a reserved field is not zero");
  for (uint64_t extent : {a.batch, a.queries, a.keys, a.heads, a.key_heads, a.width, a.value_width})
    if (extent == 0 || extent > maxExtent)
      bad(format("batch %llu, queries %llu, keys %llu, %llu heads, %llu key heads, widths %llu and %llu; all are 1 to "
                 "2^48",
                 static_cast<ull>(a.batch), static_cast<ull>(a.queries), static_cast<ull>(a.keys),
                 static_cast<ull>(a.heads), static_cast<ull>(a.key_heads), static_cast<ull>(a.width),
                 static_cast<ull>(a.value_width)));
  if (a.heads % a.key_heads != 0 || !std::isfinite(a.scale))
    bad(format("%llu key heads for %llu heads, or a scale that is not finite", static_cast<ull>(a.key_heads),
               static_cast<ull>(a.heads)));
  if (a.window != 0)
    bad(format("a window of %llu keys, which this runtime does not know yet", static_cast<ull>(a.window)));
  if (a.soft_cap != 0)
    bad(format("a soft cap of %g, which this runtime does not know yet", double(a.soft_cap)));
  for (int segments : {TXRT_ATTENTION_QUERY_SEGMENTS, TXRT_ATTENTION_KEY_SEGMENTS})
    if (a.buffers[segments])
      bad("segments of packed sequences, which this runtime does not know yet");
  static const char *const names[] = {"Q", "K", "V", "O", "LSE", "dO", "dQ", "dK", "dV"};
  const uint32_t hasScratch = a.buffers[TXRT_ATTENTION_SCRATCH] != 0;
  const uint32_t count = a.backward ? TXRT_ATTENTION_SCRATCH : TXRT_ATTENTION_DO;
  for (uint32_t i = 0; i < TXRT_ATTENTION_SCRATCH; ++i) {
    if (i >= count) {
      if (a.buffers[i])
        bad(format("%s of a forward", names[i]));
      continue;
    }
    if (a.buffers[i] == 0 || a.buffers[i] > l.buffer_count - hasScratch)
      bad(a.buffers[i] ? format("%s is buffer %u of %u", names[i], a.buffers[i] - 1, l.buffer_count - hasScratch)
                       : format("%s is missing", names[i]));
    const txrt_buffer &buffer = buffers[l.first_buffer + a.buffers[i] - 1];
    const bool isResult = a.backward ? i >= TXRT_ATTENTION_DQ : i == TXRT_ATTENTION_O || i == TXRT_ATTENTION_LSE;
    const bool isStatistics = i == TXRT_ATTENTION_LSE;
    if (buffer.dtype != (isStatistics ? TXRT_DTYPE_F32 : TXRT_DTYPE_BF16) || buffer.writes != isResult)
      bad(format("%s is %s, or %s", names[i], dtypeName(buffer.dtype),
                 isResult ? "not marked as written" : "marked as written"));
    const bool ofKeys =
        i == TXRT_ATTENTION_K || i == TXRT_ATTENTION_V || i == TXRT_ATTENTION_DK || i == TXRT_ATTENTION_DV;
    const bool ofScores =
        i == TXRT_ATTENTION_Q || i == TXRT_ATTENTION_K || i == TXRT_ATTENTION_DQ || i == TXRT_ATTENTION_DK;
    const u128 rows = u128(a.batch) * (ofKeys ? a.keys : a.queries);
    const u128 columns = u128(ofKeys ? a.key_heads : a.heads) * (ofScores ? a.width : a.value_width);
    const u128 elements = isStatistics ? rows * a.heads : (rows - 1) * a.row_strides[i] + columns;
    if (!isStatistics && (a.row_strides[i] < columns || a.row_strides[i] > maxExtent))
      bad(format("%s: rows at a stride of %llu", names[i], static_cast<ull>(a.row_strides[i])));
    // Each factor is below 2^48 or 2^80, and the first test keeps the sum small.
    if (rows > u128(buffer.bytes) || elements * dtypeBytes(buffer.dtype) > buffer.bytes)
      bad(format("%s reaches beyond its buffer of %llu bytes", names[i], static_cast<ull>(buffer.bytes)));
  }
  if (!hasScratch)
    return;
  // The kernel takes all buffers but the scratch, so that has to be the last.
  if (a.buffers[TXRT_ATTENTION_SCRATCH] != l.buffer_count)
    bad(format("the scratch is buffer %u of %u; expected the last", a.buffers[TXRT_ATTENTION_SCRATCH] - 1,
               l.buffer_count));
  const txrt_buffer &scratch = buffers[l.first_buffer + l.buffer_count - 1];
  if (scratch.dtype != TXRT_DTYPE_BYTE || !scratch.writes)
    bad("the scratch is not of bytes that are written");
  checkScratch(index, l.buffer_count - 1);
}
