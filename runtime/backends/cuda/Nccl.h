//===- Nccl.h - The collectives of a program through NCCL -----------------------------------------------*- C++ -*-===//
//
// This rank has one communicator for each group of ranks that it is in. NCCL's calls do not block, so that this rank
// can look for lost ranks while it waits; `settle` waits until a call has queued its work.
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

/// Whether TXRT_NCCL_ALONE=1 is in the environment. A single rank needs no NCCL, but then uses it all the same, so that
/// NCCL can be tried on a machine with one GPU.
bool takesNcclAlone();

/// A kind of group whose collectives NCCL runs: how many ranks it has, and how far apart they are.
using RankGroup = std::pair<uint32_t, uint32_t>;
std::vector<RankGroup> groupsOf(const txrt_program &program, int worldSize);

/// The NCCL library that allocates the arena, so that it can be registered and other GPUs can read and write it in
/// place; memory that the driver allocates cannot be registered. Null (the driver allocates the arena) for one rank,
/// for an older library, and with `no_nccl_buffers`.
const nccl::Library *lenderOfArena(const txrt_program &program, const txrt_options &options);

class Nccl {
public:
  /// Opens the library, and makes the ids of the groups whose first rank this is. Does not talk to other ranks.
  Nccl(const txrt_program &program, const Driver &driver, txrt_world &world);
  Nccl(const Nccl &) = delete;
  ~Nccl();

  /// All ranks call it. Distributes the ids and makes the communicators. If NCCL has allocated the arenas of all ranks,
  /// registers the arena with each communicator.
  void connect(const DeviceArena &arena);
  /// Queues a collective of several ranks, or of one rank if takesNcclAlone().
  void enqueue(const txrt_launch &launch, DevicePointer arena, Stream stream);
  /// Fails if a communicator has failed. `what` names the operation for which the caller waits.
  void watch(const char *what) const;
  /// Ends the collectives that still run on the device: otherwise they would wait for ever for a lost rank.
  void abort();

  std::string description() const;

private:
  struct Communicator {
    uint32_t ranks, stride;
    Group group;
    nccl::UniqueId id = {};
    nccl::Comm comm = nullptr;
    nccl::Window window = nullptr; // the arena's registration as a symmetric window
    void *registered = nullptr;    // the arena's registration with a library without windows
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
  nccl::Result firstOfGroup = nccl::Success; // the first failure between groupStart and groupEnd
  bool hasRegistered = false;
  uint64_t rounding = 0; // bytes that NCCL's allocation of the arena takes beyond the arena's size
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_NCCL_H
