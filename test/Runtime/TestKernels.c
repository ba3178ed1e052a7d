/* Kernels of the test artifacts, of the type txrt_host_kernel. Between them they have what the loader must handle:
   constants in read-only data (PC32), calls of local functions (PLT32), and none of what it refuses. */

#include "txrt/abi.h"

static const float weights[8] = {0.5f, 1.5f, 2.5f, 3.5f, 4.5f, 5.5f, 6.5f, 7.5f};

__attribute__((noinline)) static float weightOf(int64_t unit, uint32_t shift) { return weights[(unit + shift) & 7]; }

/* out[u] = in[u] * weights[(u + immediate 0) % 8] */
void weigh(void *const *buffers, const uint32_t *immediates, int64_t begin, int64_t end) {
  const float *in = buffers[0];
  float *out = buffers[1];
  for (int64_t u = begin; u < end; ++u)
    out[u] = in[u] * weightOf(u, immediates[0]);
}

/* inout[u] += immediate 0 + immediate 1 */
void bump(void *const *buffers, const uint32_t *immediates, int64_t begin, int64_t end) {
  float *inout = buffers[0];
  for (int64_t u = begin; u < end; ++u)
    inout[u] += (float)immediates[0] + (float)immediates[1];
}
