//===- FakeNcclMemory.cpp - Memory that ranks register --------------------------------------------------*- C++ -*-===//
//
// What NCCL asks of whoever registers: memory of its own, a communicator that is ready, in a window all ranks with as
// many bytes, and everything taken back before a communicator ends well. What is given to collectives must lie in it
// then.
//
//   FAKE_NCCL_LENDS=0         it has no memory to lend
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "FakeNccl.h"

#include <algorithm>
#include <set>

using namespace txrt::cuda::nccl;

namespace {

constexpr size_t granularity = size_t(2) << 20;
std::set<const void *> lent;

bool isNewEnough(int version) { return fake::setting("FAKE_NCCL_VERSION", 22809) >= version; }

Result refuse(Comm comm, const char *why) {
  comm->lastError = why;
  return 5; // ncclInvalidUsage
}

Result add(Comm comm, void *buffer, size_t bytes, int version) {
  if (!isNewEnough(version))
    return refuse(comm, "this version has no such function");
  if (!comm->isJoined)
    return refuse(comm, "the communicator is not ready");
  if (!lent.count(buffer))
    return refuse(comm, "memory that is not NCCL's own");
  comm->registered.push_back({static_cast<const char *>(buffer), bytes});
  return Success;
}

Result remove(Comm comm, const void *handle) {
  auto &all = comm->registered;
  const auto found = std::find_if(all.begin(), all.end(), [&](const Registered &r) { return r.begin == handle; });
  if (found == all.end() || comm->isLeaving || comm->isAborted)
    return refuse(comm, "nothing of this communicator's is registered so");
  all.erase(found);
  return Success;
}

} // namespace

bool ncclComm::mayUse(const void *buffer, size_t bytes) const {
  const auto *begin = static_cast<const char *>(buffer);
  return registered.empty() || !buffer || bytes == 0 ||
         std::any_of(registered.begin(), registered.end(),
                     [&](const Registered &r) { return r.begin <= begin && begin + bytes <= r.begin + r.bytes; });
}

extern "C" {

Result ncclMemAlloc(void **memory, size_t bytes) {
  if (!isNewEnough(21900) || !fake::hasContext() || !fake::setting("FAKE_NCCL_LENDS", 1))
    return UnhandledCudaError;
  *memory = reinterpret_cast<void *>(fake::allocate((bytes + granularity - 1) / granularity * granularity));
  if (!*memory)
    return UnhandledCudaError;
  lent.insert(*memory);
  return Success;
}
Result ncclMemFree(void *memory) {
  return lent.erase(memory) ? fake::release(reinterpret_cast<txrt::cuda::DevicePointer>(memory)) : 5;
}

Result ncclCommRegister(Comm comm, void *buffer, size_t bytes, void **handle) {
  *handle = buffer;
  return add(comm, buffer, bytes, 21900);
}
Result ncclCommDeregister(Comm comm, void *handle) { return remove(comm, handle); }

/// Of all ranks together, so it is not done when it returns.
Result ncclCommWindowRegister(Comm comm, void *buffer, size_t bytes, Window *window, int flags) {
  if (flags != WindowCollSymmetric)
    return refuse(comm, "a window that is not symmetric");
  if (Result result = add(comm, buffer, bytes, 22700))
    return result;
  *window = reinterpret_cast<Window>(buffer);
  fake::publish(comm->file("window" + std::to_string(comm->windows++), comm->rank), "");
  return InProgress;
}
Result ncclCommWindowDeregister(Comm comm, Window window) { return remove(comm, reinterpret_cast<void *>(window)); }

} // extern "C"
