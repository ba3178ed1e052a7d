//===- Communication.h - Collectives beside the other launches ------------------------------------------*- C++ -*-===//
//
// Collectives have a stream of their own. One begins after all launches before it; a launch that the program says waits
// for one does. Both by events, which a captured graph turns into its edges.
//
// While a step runs it is watched: a rank that is lost, an error of NCCL's, and no progress for too long end it, with
// the name of the collective that had begun last. The device writes that to memory of the host.
//
// Never executed on a device.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_COMMUNICATION_H
#define TXRT_BACKENDS_CUDA_COMMUNICATION_H

#include "backends/cuda/LaunchTimer.h"
#include "backends/cuda/Nccl.h"

#include <map>
#include <memory>
#include <vector>

namespace txrt::cuda {

/// Whether there are any.
bool hasCollectives(const txrt_program &program);

class Communication {
public:
  /// Talks to nobody; `world` may be of one rank, which needs no NCCL.
  Communication(const txrt_program &program, const Driver &driver, txrt_world &world);
  Communication(const Communication &) = delete;
  ~Communication();

  /// All ranks: fails where two have one GPU, and joins them; then the description is whole.
  void connect(const DeviceContext &context, const DeviceArena &arena);

  /// Queues a collective behind what `compute` has.
  void enqueue(uint32_t index, DevicePointer arena, Stream compute, const LaunchTimer &timer);
  /// Before another launch is queued on `compute`: what it waits for.
  void waitBefore(uint32_t index, Stream compute);
  /// The end of an entry: `compute` waits for all of them.
  void join(Stream compute);

  /// Waits on the host until `compute` is empty.
  void synchronize(Stream compute);
  /// Collectives are counted from here on: those before were to warm up.
  void startCounting() { ended = 0; }

  /// ", NCCL 2.28.9, rank 0 of 4 over TCP", or nothing for one rank.
  std::string description() const;

private:
  void copyAlone(const txrt_launch &launch, DevicePointer arena);
  void watch(double secondsWithoutProgress) const;
  /// The collective that the device has begun last, with its number, for messages.
  const char *whatRuns() const;
  /// What fails in the midst of what ranks do together leaves them apart.
  template <typename Work> void guard(Work work);

  const txrt_program &program;
  const Driver &driver;
  txrt_world &world;
  OwnedStream stream;
  OwnedEvent ready, joined;
  std::map<uint32_t, OwnedEvent> done; // of collectives that are waited for
  bool isOpen = false;                 // something is queued and not joined
  volatile uint32_t *begun = nullptr;  // 1 + a launch; the host's memory
  DevicePointer begunOnDevice = 0;
  std::vector<uint32_t> places; // of each launch: collectives up to it in its entry
  uint64_t ended = 0;           // collectives, of the steps before
  mutable OperationName operation;
  const bool isAlone;         // axes of one rank take NCCL, too
  std::unique_ptr<Nccl> nccl; // null: one rank
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_COMMUNICATION_H
