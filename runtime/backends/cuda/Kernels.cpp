#include "backends/cuda/Kernels.h"

#include <algorithm>
#include <iterator>

using namespace txrt;
using namespace txrt::cuda;

std::string cuda::compilableFor(uint32_t capability) {
  uint32_t best = 0;
  for (uint32_t known : compilableArchitectures)
    if (known <= capability)
      best = known;
  if (best == 0)
    return format("that is too old, Tx's kernels are for sm_%u and newer", *std::begin(compilableArchitectures));
  return format("compile with --target=cuda:sm_%u", best);
}

const txrt_gpu_image &cuda::chooseImage(const txrt_program &program, uint32_t capability) {
  if (!program.gpu_image_count)
    fail(TXRT_DEVICE, "%s: has no GPU code, this device is sm_%u; %s", program.name, capability,
         compilableFor(capability).c_str());
  const txrt_gpu_image *cubin = nullptr, *ptx = nullptr;
  std::string present;
  for (uint32_t i = 0; i < program.gpu_image_count; ++i) {
    const txrt_gpu_image &image = program.gpu_images[i];
    const bool isPtx = image.kind == TXRT_GPU_PTX;
    present += format("%s%s_%u", i ? ", " : "", isPtx ? "compute" : "sm", image.architecture);
    if (image.architecture > capability || (!isPtx && image.architecture / 10 != capability / 10))
      continue;
    const txrt_gpu_image *&best = isPtx ? ptx : cubin;
    if (!best || best->architecture < image.architecture)
      best = &image;
  }
  if (!cubin && !ptx)
    fail(TXRT_DEVICE, "%s: has GPU code for %s, this device is sm_%u; %s", program.name,
         present.empty() ? "no architecture" : present.c_str(), capability, compilableFor(capability).c_str());
  return cubin ? *cubin : *ptx;
}

Kernels::Kernels(const txrt_program &program, const Driver &driver, const DeviceContext &context, DevicePointer arena)
    : program(program), driver(driver), module(driver) {
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const txrt_buffer &buffer = program.buffers[i];
    addresses.push_back(arena + program.segment_base[buffer.segment] + buffer.offset);
  }
  if (program.kernel_count == 0)
    return;
  load(chooseImage(program, context.capability()));
  uint32_t most = 0;
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    const txrt_kernel &kernel = program.kernels[i];
    const char *name = program.strings + kernel.name;
    Function function = nullptr;
    driver.check(driver.moduleGetFunction(&function, module, name), name);
    driver.check(
        driver.funcSetAttribute(function, MaxDynamicSharedSizeBytes, static_cast<int>(launchOf(i).shared_bytes)), name);
    functions.push_back(function);
    most = std::max(most, kernel.buffer_count);
  }
  parameters.resize(most + TXRT_MAX_IMMEDIATES + 1);
}

/// Loads an image. If the driver refuses it, the error has the driver's log, which says why (above all for PTX).
void Kernels::load(const txrt_gpu_image &image) {
  constexpr size_t logBytes = 4096, shownBytes = 1000;
  std::string log(logBytes, '\0');
  JitOption options[] = {JitErrorLog, JitErrorLogBytes};
  void *values[] = {&log[0], reinterpret_cast<void *>(logBytes)};
  const Result result =
      driver.moduleLoadDataEx(&module, program.code + image.offset, std::size(options), options, values);
  if (result == Success)
    return;
  log.resize(log.find_last_not_of(std::string("\0\r\n ", 4)) + 1);
  std::replace(log.begin(), log.end(), '\n', ' ');
  driver.check(result,
               format("loading the kernels (%s_%u)%s%s", image.kind == TXRT_GPU_PTX ? "PTX of compute" : "cubin of sm",
                      image.architecture, log.empty() ? "" : ": ", printable(log, shownBytes).c_str())
                   .c_str());
}

void Kernels::enqueue(const txrt_launch &launch, Stream stream) {
  const txrt_kernel_launch &k = launch.u.kernel;
  const txrt_gpu_kernel &kernel = launchOf(k.kernel);
  const char *name = program.strings + program.kernels[k.kernel].name;
  size_t count = 0;
  for (uint32_t i = 0; i < program.kernels[k.kernel].buffer_count; ++i)
    parameters[count++] = &addresses[launch.first_buffer + i];
  for (uint32_t i = 0; i < k.immediate_count; ++i)
    parameters[count++] = const_cast<uint32_t *>(&k.immediates[i]);
  uint64_t units = k.units;
  parameters[count] = &units;
  uint64_t blocks = (units - 1) / kernel.units_per_block + 1;
  if (blocks > INT32_MAX)
    fail(TXRT_USAGE, "%s: kernel %s needs %llu blocks, a grid has 2^31 - 1", program.name, name,
         static_cast<unsigned long long>(blocks));
  driver.check(driver.launchKernel(functions[k.kernel], static_cast<unsigned>(blocks), 1, 1, kernel.threads, 1, 1,
                                   kernel.shared_bytes, stream, parameters.data(), nullptr),
               name);
}
