//===- DryRun.cpp - Print launches instead of running them ----------------------------------------------*- C++ -*-===//
//
// One line for each launch, for people and FileCheck:
//
//   entry @step: 412 launches, from 0 on, arena 1073741824 bytes
//   57 gemm self_attention.qkv:gemm forward layer 0: m 256 n 2304 k 768 alpha 1 beta 0;
//     a f32 transient+0x0 (786432) lda 768 b f32 persistent+0x940 (7077888) "transformer.h.0.attn.c_attn.weight" ldb
//     2304
//     -> c f32 transient+0xc0000 (2359296) ldc 2304 flops 905969664 bytes 10223616
//
// (each launch is on one line). A line has the launch's number, which is also that of the step IR, of traces and of
// messages; its kind, name, phase and layer; the buffers that it reads, and after the arrow those that it writes, each
// with dtype, address, bytes and the name of the state or argument that lies there. "; waits for 44 NAME" at the end of
// a line names a launch of another lane that must be done before: for a kernel or a product a collective, for a
// collective what it works on. Later ones of that lane may still run beside the launch. The backend needs neither an
// arena nor code, so a GPU's step can be read on a machine without a GPU.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "core/Failure.h"
#include "core/Lifetimes.h"
#include "core/Manifest.h"
#include "core/Program.h"
#include "txrt/backend.h"

#include <algorithm>
#include <cinttypes>
#include <cstdarg>

using namespace txrt;

namespace {

struct DryRun {
  const txrt_program &program;

  DryRun(const txrt_program &program, const txrt_options &options)
      : program(program), output(options.output ? options.output : stdout) {}

  void begin(const txrt_entry &entry) {
    current = static_cast<uint32_t>(&entry - program.entries);
    print("entry @%s: %u launches, from %u on, arena %" PRIu64 " bytes\n",
          printable(program.strings + entry.name).c_str(), entry.launch_count, entry.first_launch, program.arena_bytes);
  }

  void launch(uint32_t index) {
    const txrt_launch &launch = program.launches[index];
    print("%u %s %s %s", index, txrt_launch_kind_name(launch.kind), printable(program.strings + launch.name).c_str(),
          txrt_phase_name(launch.phase));
    if (launch.layer >= 0)
      print(" layer %d", launch.layer);
    uint64_t bytes = launch.kind == TXRT_LAUNCH_GEMM         ? printGemm(launch)
                     : launch.kind == TXRT_LAUNCH_COLLECTIVE ? printCollective(launch)
                                                             : printKernel(launch);
    print(" flops %" PRIu64 " bytes %" PRIu64, launch.flops, bytes);
    for (uint32_t number : launch.waits)
      if (number)
        print("; waits for %u %s", number - 1, printable(program.strings + program.launches[number - 1].name).c_str());
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

  void printBuffer(const std::string &label, const txrt_buffer &buffer) {
    print(" %s%s%s %s+0x%" PRIx64 " (%" PRIu64 ")", label.c_str(), label.empty() ? "" : " ", dtypeName(buffer.dtype),
          txrt_segment_name(buffer.segment), buffer.offset, buffer.bytes);
    if (const std::string name = nameOfPlace(program, current, buffer); !name.empty())
      print(" \"%s\"", name.c_str());
    if (buffer.unread)
      print(" unread");
  }

  /// Prints the buffers that a launch reads, then after an arrow those that it writes. `label` gives the name of a
  /// buffer by its number, `more` prints further details. Returns the bytes that the launch moves.
  template <typename Label, typename More> uint64_t printBuffers(const txrt_launch &launch, Label label, More more) {
    uint64_t bytes = 0;
    print(";");
    for (const bool writes : {false, true}) {
      if (writes)
        print(" ->");
      for (uint32_t i = 0; i < launch.buffer_count; ++i) {
        const txrt_buffer &buffer = program.buffers[launch.first_buffer + i];
        if (static_cast<bool>(buffer.writes) != writes)
          continue;
        printBuffer(label(i), buffer);
        more(i);
        bytes += movedBytes(buffer);
      }
    }
    return bytes;
  }

  uint64_t printGemm(const txrt_launch &launch) {
    const txrt_gemm_launch &g = launch.u.gemm;
    const bool isBatch = g.batch0 != 1 || g.batch1 != 1;
    print(": m %" PRIu64 " n %" PRIu64 " k %" PRIu64 "%s%s", g.m, g.n, g.k, g.transpose_a ? " transpose_a" : "",
          g.transpose_b ? " transpose_b" : "");
    if (isBatch)
      print(" batch %" PRIu64 " x %" PRIu64, g.batch0, g.batch1);
    print(" alpha %g beta %g", double(g.alpha), double(g.beta));
    auto roleOf = [&](uint32_t buffer) {
      return static_cast<int>(std::find(g.buffers, g.buffers + TXRT_GEMM_OPERANDS, buffer + 1) - g.buffers);
    };
    auto label = [&](uint32_t buffer) -> std::string {
      return txrt_gemm_operand_name(static_cast<uint32_t>(roleOf(buffer)));
    };
    auto more = [&](uint32_t buffer) {
      const int role = roleOf(buffer);
      if (role > TXRT_GEMM_C)
        return;
      const txrt_gemm_matrix layout = gemmOperand(g, role).layout;
      print(" ld%s %" PRIu64, label(buffer).c_str(), layout.leading);
      if (isBatch)
        print(" strides %" PRIu64 ",%" PRIu64, layout.stride0, layout.stride1);
      if (layout.repeat != 1)
        print(" repeat %" PRIu64, layout.repeat);
    };
    return printBuffers(launch, label, more);
  }

  uint64_t printCollective(const txrt_launch &launch) {
    const txrt_collective_launch &c = launch.u.collective;
    print(": %s axis %s ranks %u count %" PRIu64 " sent %" PRIu64, txrt_collective_name(c.collective),
          printable(program.strings + c.axis).c_str(), c.ranks, c.count, c.sent_bytes);
    return printBuffers(launch, [](uint32_t) { return ""; }, [](uint32_t) {});
  }

  void printAttention(const txrt_attention &a) {
    print(" or cudnn attention%s%s%s batch %" PRIu64 " heads %" PRIu64 "/%" PRIu64 " queries %" PRIu64 " keys %" PRIu64
          " width %" PRIu64,
          a.backward ? " backward" : "", a.causal ? " causal" : "", a.deterministic ? " deterministic" : "", a.batch,
          a.heads, a.key_heads, a.queries, a.keys, a.width);
    if (a.value_width != a.width)
      print("/%" PRIu64, a.value_width);
    print(" scale %g", double(a.scale));
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
    auto label = [&](uint32_t i) -> std::string {
      return program.buffers[launch.first_buffer + i].dtype == TXRT_DTYPE_BYTE ? "scratch" : format("%u", i);
    };
    return printBuffers(launch, label, [](uint32_t) {});
  }

  FILE *output;
  uint32_t current = 0; // the current entry
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
