//===- Communication.h - Collectives beside the other launches ------------------------------------------*- C++ -*-===//
//
// Collectives have a stream of their own. A collective begins after all launches before it; another launch waits for
// the collective that the launch table names. Events order the two streams; in a captured graph they become edges.
//
// While a step runs, the host watches it: if a rank is lost, NCCL reports an error, or nothing has progressed for too
// long, the step fails with the name of the collective that began last. The device writes the number of that collective
// to host memory.
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

/// Whether the program has collectives.
bool hasCollectives(const txrt_program &program);

class Communication {
public:
  /// Does not talk to other ranks. `world` may have one rank, which needs no NCCL.
  Communication(const txrt_program &program, const Driver &driver, txrt_world &world);
  Communication(const Communication &) = delete;
  ~Communication();

  /// All ranks call it. Fails if two ranks have the same GPU; otherwise joins the ranks. After it the description is
  /// complete.
  void connect(const DeviceContext &context, const DeviceArena &arena);

  /// Queues a collective; it begins after all that is queued on `compute` so far.
  void enqueue(uint32_t index, DevicePointer arena, Stream compute, const LaunchTimer &timer);
  /// Makes `compute` wait for the collective that launch `index` waits for. Call it before the launch is queued.
  void waitBefore(uint32_t index, Stream compute);
  /// At the end of an entry, makes `compute` wait for all collectives.
  void join(Stream compute);

  /// Blocks the host until all that is queued on `compute` is done. Fails, while it waits, as described above.
  void synchronize(Stream compute);
  /// Counts collectives from here on: those before were only run to warm up.
  void startCounting() { ended = 0; }

  /// A part of the session's description: ", NCCL 2.28.9, rank 0 of 4 over TCP"; empty for one rank.
  std::string description() const;

private:
  void copyAlone(const txrt_launch &launch, DevicePointer arena);
  void watch(double secondsWithoutProgress) const;
  /// The name, with its number, of the collective that the device has begun last, for messages.
  const char *whatRuns() const;
  /// Does `work`. If it throws, the ranks are at different points: aborts NCCL and marks the world as broken.
  template <typename Work> void guard(Work work);

  const txrt_program &program;
  const Driver &driver;
  txrt_world &world;
  OwnedStream stream;
  OwnedEvent ready, joined;
  std::map<uint32_t, OwnedEvent> done; // the end of each collective that a launch waits for
  bool isOpen = false;                 // whether `compute` has yet to wait for a queued collective
  volatile uint32_t *begun = nullptr;  // in host memory: 1 + the collective launch that began last; 0: none
  DevicePointer begunOnDevice = 0;
  std::vector<uint32_t> places; // for each launch, the number of collectives up to it in its entry
  uint64_t ended = 0;           // how many collectives the earlier steps ran
  mutable OperationName operation;
  const bool isAlone;         // whether NCCL runs the collectives of one rank too (TXRT_NCCL_ALONE)
  std::unique_ptr<Nccl> nccl; // null: there is one rank
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_COMMUNICATION_H
