//===- DryRun.cpp - Print launches instead of running them ----------------------------------------------*- C++ -*-===//
//
// One line for each launch, for people and FileCheck:
//
//   entry @step: 412 launches, arena 1073741824 bytes
//   gemm h.0.attn.c_attn forward layer 0: m 256 n 2304 k 768 NN alpha 1 beta 0
//     lda 768 ldb 2304 ldc 2304; a f32 transient+0x0 (786432) b f32 ...
//     c f32 transient+0xc0000 (2359296) out flops 905969664 bytes 10223616
//
// (a launch on one line). "; waits for NAME" at its end names a collective that must be done before; otherwise
// collectives go on while others run. Needs no arena and no code: a GPU's step can be read where no GPU is.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "core/Dependences.h"
#include "core/Failure.h"
#include "core/Manifest.h"
#include "core/Program.h"
#include "txrt/backend.h"

#include <cinttypes>
#include <cstdarg>

using namespace txrt;

namespace {

struct DryRun {
  const txrt_program &program;

  DryRun(const txrt_program &program, const txrt_options &options)
      : program(program), output(options.output ? options.output : stdout) {}

  void begin(const txrt_entry &entry) {
    print("entry @%s: %u launches, arena %" PRIu64 " bytes\n", printable(program.strings + entry.name).c_str(),
          entry.launch_count, program.arena_bytes);
  }

  void launch(uint32_t index) {
    const txrt_launch &launch = program.launches[index];
    static const char *const kinds[] = {"kernel", "gemm", "collective"};
    print("%s %s %s", kinds[launch.kind], printable(program.strings + launch.name).c_str(),
          txrt_phase_name(static_cast<txrt_phase>(launch.phase)));
    if (launch.layer >= 0)
      print(" layer %d", launch.layer);
    uint64_t bytes = launch.kind == TXRT_LAUNCH_GEMM         ? printGemm(launch)
                     : launch.kind == TXRT_LAUNCH_COLLECTIVE ? printCollective(launch)
                                                             : printKernel(launch);
    print(" flops %" PRIu64 " bytes %" PRIu64, launch.flops, bytes);
    if (const char *collective = waitedFor(program, index))
      print("; waits for %s", printable(collective).c_str());
    print("\n");
  }

  void finish() {
    if (fflush(output) != 0)
      fail(TXRT_IO, "dryrun: the output can not be written");
  }

private:
  __attribute__((format(printf, 2, 3))) void print(const char *format, ...) {
    va_list list;
    va_start(list, format);
    int written = vfprintf(output, format, list);
    va_end(list);
    if (written < 0)
      fail(TXRT_IO, "dryrun: the output can not be written");
  }

  uint64_t printBuffer(const char *label, const txrt_buffer &buffer) {
    print(" %s %s %s+0x%" PRIx64 " (%" PRIu64 ")%s", label, dtypeName(buffer.dtype), segmentName(buffer.segment),
          buffer.offset, buffer.bytes,
          buffer.writes   ? " out"
          : buffer.unread ? " unread"
                          : "");
    return movedBytes(buffer);
  }

  uint64_t printGemm(const txrt_launch &launch) {
    const txrt_gemm_launch &g = launch.u.gemm;
    print(": m %" PRIu64 " n %" PRIu64 " k %" PRIu64 " %c%c", g.m, g.n, g.k, g.transpose_a ? 'T' : 'N',
          g.transpose_b ? 'T' : 'N');
    if (g.batch0 != 1 || g.batch1 != 1)
      print(" batch %" PRIu64 "x%" PRIu64, g.batch0, g.batch1);
    print(" alpha %g beta %g lda %" PRIu64 " ldb %" PRIu64 " ldc %" PRIu64, double(g.alpha), double(g.beta), g.lda,
          g.ldb, g.ldc);
    if (g.ldaux)
      print(" ldaux %" PRIu64 " epilogue %s", g.ldaux, epilogueName(g.epilogue));
    print(";");
    const char *vector = g.epilogue == TXRT_EPILOGUE_GELU_BIAS        ? "bias"
                         : g.epilogue == TXRT_EPILOGUE_GELU_GRAD_SUMS ? "sums_c"
                                                                      : epilogueName(g.epilogue);
    const GemmBuffers at = gemmBuffers(g);
    uint64_t bytes = 0;
    for (int i = 0; i < static_cast<int>(launch.buffer_count); ++i) {
      const char *label = i == 0           ? "a"
                          : i == 1         ? "b"
                          : i == 2         ? "c"
                          : i == at.reset  ? "reset"
                          : i == at.vector ? vector
                          : i == at.aux    ? "aux"
                                           : "scratch";
      bytes += printBuffer(label, program.buffers[launch.first_buffer + static_cast<uint32_t>(i)]);
    }
    return bytes;
  }

  uint64_t printCollective(const txrt_launch &launch) {
    const txrt_collective_launch &c = launch.u.collective;
    print(": %s axis %s ranks %u count %" PRIu64 " sent %" PRIu64 ";", collectiveName(c.collective),
          printable(program.strings + c.axis).c_str(), c.ranks, c.count, c.sent_bytes);
    return printBuffer("from", program.buffers[launch.first_buffer]) +
           printBuffer("to", program.buffers[launch.first_buffer + 1]);
  }

  void printAttention(const txrt_attention &a) {
    print(" or cudnn attention%s%s%s batch %" PRIu64 " heads %u/%u queries %" PRIu64 " keys %" PRIu64 " width %" PRIu64
          " scale %g",
          a.backward ? " backward" : "", a.causal ? " causal" : "", a.deterministic ? " deterministic" : "", a.batch,
          a.heads, a.key_heads, a.queries, a.keys, a.width, double(a.scale));
  }

  uint64_t printKernel(const txrt_launch &launch) {
    const txrt_kernel_launch &k = launch.u.kernel;
    print(": @%s units %" PRIu64 " grain %" PRIu64, printable(program.strings + program.kernels[k.kernel].name).c_str(),
          k.units, k.grain);
    if (program.gpu_image_count) {
      const txrt_gpu_kernel &kernel = program.functions[program.kernel_functions[k.kernel]].gpu;
      print(" blocks %" PRIu64 " threads %u", (k.units - 1) / kernel.units_per_block + 1, kernel.threads);
    }
    for (uint32_t i = 0; i < k.immediate_count; ++i)
      print("%s0x%08x", i ? "," : " immediates ", k.immediates[i]);
    if (k.attention)
      printAttention(program.attentions[k.attention - 1]);
    print(";");
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < launch.buffer_count; ++i) {
      const txrt_buffer &buffer = program.buffers[launch.first_buffer + i];
      const bool isScratch = buffer.dtype == TXRT_DTYPE_BYTE;
      bytes += printBuffer(isScratch ? "scratch" : format("%u", i).c_str(), buffer);
    }
    return bytes;
  }

  FILE *output;
};

DryRun &self(void *state) { return *static_cast<DryRun *>(state); }

} // namespace

extern "C" {
extern const txrt_backend txrt_dryrun_backend;
const txrt_backend txrt_dryrun_backend = {
    "dryrun",
    [](const txrt_program *program, const txrt_options *options, void **state, txrt_error *error) {
      return guarded(error, [&] { *state = new DryRun(*program, *options); });
    },
    [](void *state) { delete &self(state); },
    [](void *state, uint32_t entry, int, txrt_error *error) {
      return guarded(error, [&] { self(state).begin(self(state).program.entries[entry]); });
    },
    [](void *state, uint32_t launch, txrt_error *error) { return guarded(error, [&] { self(state).launch(launch); }); },
    [](void *state, txrt_error *error) { return guarded(error, [&] { self(state).finish(); }); },
    nullptr, // no clock
    nullptr, // keeps no memory
    nullptr,
    [](void *) -> uint64_t { return 0; },
    nullptr,
    [](void *) { return 0; },
    [](void *) { return "dryrun, prints launches"; },
};
}
