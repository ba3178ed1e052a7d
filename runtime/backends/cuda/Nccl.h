//===- Nccl.h - The collectives of a program through NCCL -----------------------------------------------*- C++ -*-===//
//
// One communicator for each group of ranks that this rank is in. Calls do not block, so that whoever waits can look for
// ranks that are lost; `settle` waits until what was called has been queued.
//
// Never executed on a device.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_NCCL_H
#define TXRT_BACKENDS_CUDA_NCCL_H

#include "backends/cuda/Device.h"
#include "backends/cuda/NcclLibrary.h"
#include "comm/World.h"
#include "txrt/backend.h"

#include <utility>
#include <vector>

namespace txrt::cuda {

/// One rank needs no NCCL. With TXRT_NCCL_ALONE=1 in the environment it takes it all the same: so a machine with one
/// GPU can try it.
bool takesNcclAlone();

/// Groups of ranks whose collectives NCCL does: how many ranks, and how far apart.
using RankGroup = std::pair<uint32_t, uint32_t>;
std::vector<RankGroup> groupsOf(const txrt_program &program, int worldSize);

/// Who lends an arena that NCCL may read and write in place, from other GPUs too:
/// memory of the driver's own can not be registered. Null for one rank, for an older
/// library, and under `no_nccl_buffers`.
const nccl::Library *lenderOfArena(const txrt_program &program, const txrt_options &options);

class Nccl {
public:
  /// Opens the library, and makes the ids of the groups that this rank leads. Talks to nobody.
  Nccl(const txrt_program &program, const Driver &driver, txrt_world &world);
  Nccl(const Nccl &) = delete;
  ~Nccl();

  /// All ranks: spreads the ids, makes the communicators and registers the arena with them, if all ranks' arenas are
  /// lent.
  void connect(const DeviceArena &arena);
  /// Queues a collective of several ranks, or of one that takes it alone.
  void enqueue(const txrt_launch &launch, DevicePointer arena, Stream stream);
  /// Fails when a communicator has failed; `what` is what is waited for.
  void watch(const char *what) const;
  /// Ends what runs, so that nobody waits for it any more.
  void abort();

  std::string description() const;

private:
  struct Communicator {
    uint32_t ranks, stride;
    Group group;
    nccl::UniqueId id = {};
    nccl::Comm comm = nullptr;
    nccl::Window window = nullptr; // the arena, symmetric
    void *registered = nullptr;    // the arena, with an older library
  };
  void registerArena(const DeviceArena &arena);
  void deregister(const Communicator &communicator);
  Communicator &communicatorOf(const txrt_collective_launch &launch);
  void call(const txrt_collective_launch &launch, nccl::DataType type, uint64_t element, DevicePointer from,
            DevicePointer to, Stream stream);
  void settle(const Communicator &communicator, const char *what) const;
  nccl::Result stateOf(const Communicator &communicator, const char *what) const;
  void check(nccl::Result result, nccl::Comm comm, const char *what) const;
  void add(nccl::Result result);

  const txrt_program &program;
  const Driver &driver;
  txrt_world &world;
  const nccl::Library &library;
  std::vector<Communicator> communicators;
  nccl::Result firstOfGroup = nccl::Success; // failure between start and end
  bool hasRegistered = false;
  uint64_t rounding = 0; // of the arena, if it is lent
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_NCCL_H
