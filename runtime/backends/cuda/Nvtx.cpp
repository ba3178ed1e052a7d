#include "backends/cuda/Nvtx.h"
#include "backends/cuda/Driver.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace txrt;
using namespace txrt::cuda;

Nvtx::Nvtx(const txrt_program &program, void (*warn)(const char *)) : program(program) {
  if (!getenv("NVTX_INJECTION64_PATH"))
    return;
  void *library = nullptr;
  for (const char *name : {"libnvtx3interop.so.1", "libnvToolsExt.so.1"})
    if (!library)
      library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library) {
    push = reinterpret_cast<Push>(dlsym(library, "nvtxRangePushA"));
    pop = reinterpret_cast<Pop>(dlsym(library, "nvtxRangePop"));
  }
  if (push && pop)
    return;
  push = nullptr;
  if (warn)
    warn("a profiler asks for ranges (NVTX_INJECTION64_PATH), and there is no "
         "libnvtx3interop.so.1 of the CUDA toolkit to make them");
}

void Nvtx::beginEntry(uint32_t entry) {
  if (!push)
    return;
  endEntry(); // ends the last entry's range if a failure has left it open
  push(program.strings + program.entries[entry].name);
  inEntry = true;
}

void Nvtx::beginLaunch(uint32_t index) {
  if (!push)
    return;
  const txrt_launch &launch = program.launches[index];
  if (inLayer && (launch.phase != phase || launch.layer != layer)) {
    pop();
    inLayer = false;
  }
  if (!inLayer) {
    phase = launch.phase;
    layer = launch.layer;
    std::string name = txrt_phase_name(phase);
    if (layer >= 0)
      name += " layer " + std::to_string(layer);
    push(name.c_str());
    inLayer = true;
  }
  push(program.strings + launch.name);
}

void Nvtx::endLaunch() {
  if (push)
    pop();
}

void Nvtx::endEntry() {
  if (inLayer)
    pop();
  if (inEntry)
    pop();
  inLayer = inEntry = false;
}
