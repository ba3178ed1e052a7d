#include "backends/cuda/Attention.h"
#include "core/Program.h"

using namespace txrt;
using namespace txrt::cuda;

using ull = unsigned long long;

/// A key for a launch's plan: all fields of the attention but the numbers of its buffers. Launches with one key share a
/// plan.
static std::string keyOf(txrt_attention attention) {
  for (uint32_t &buffer : attention.buffers)
    buffer = buffer != 0;
  return std::string(reinterpret_cast<const char *>(&attention), sizeof attention);
}

static_assert(sizeof(txrt_attention) == 12 * 4 + 8 + 12 * 8 + 8 * 8 + 8,
              "keys are compared as bytes: there is no padding");

Attention::Attention(const txrt_program &program, uint32_t capability, Stream stream)
    : program(program), library(dnn::Library::get()), handle(library), ofLaunch(program.launch_count) {
  library.check(library.setStream(handle, stream), "stream");
  for (uint32_t i = 0; i < program.launch_count; ++i) {
    const txrt_launch &launch = program.launches[i];
    if (launch.kind != TXRT_LAUNCH_KERNEL || !launch.u.kernel.attention)
      continue;
    const txrt_attention &attention = program.attentions[launch.u.kernel.attention - 1];
    AttentionPlan &plan = plans.try_emplace(keyOf(attention), library, handle, attention, capability).first->second;
    const uint32_t scratch = attention.buffers[TXRT_ATTENTION_SCRATCH];
    const uint64_t planned = scratch ? program.buffers[launch.first_buffer + scratch - 1].bytes : 0;
    if (plan.scratchBytes() > planned)
      fail(TXRT_DEVICE, "%s asks for %llu bytes of scratch for %s, planned were %llu", library.version().c_str(),
           static_cast<ull>(plan.scratchBytes()), describeLaunch(program, i).c_str(), static_cast<ull>(planned));
    ofLaunch[i] = &plan;
  }
}

void Attention::launchAll(DevicePointer arena) {
  for (uint32_t i = 0; i < program.launch_count; ++i)
    if (ofLaunch[i])
      launch(i, arena);
}

void Attention::launch(uint32_t index, DevicePointer arena) {
  const txrt_launch &launch = program.launches[index];
  const txrt_attention &attention = program.attentions[launch.u.kernel.attention - 1];
  std::array<void *, TXRT_ATTENTION_OPERANDS> operands = {};
  for (size_t i = 0; i < operands.size(); ++i) {
    if (!attention.buffers[i])
      continue;
    const txrt_buffer &b = program.buffers[launch.first_buffer + attention.buffers[i] - 1];
    operands[i] = reinterpret_cast<void *>(arena + program.segment_base[b.segment] + b.offset);
  }
  ofLaunch[index]->enqueue(handle, operands);
}
