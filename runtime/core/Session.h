//===- Session.h - The one loop that runs launches ------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_SESSION_H
#define TXRT_CORE_SESSION_H

#include "core/Artifact.h"
#include "txrt/backend.h"

#include <vector>

struct txrt_session {
  txrt_session(const txrt_artifact &artifact, const txrt_options &options);
  ~txrt_session();
  txrt_session(const txrt_session &) = delete;
  txrt_session &operator=(const txrt_session &) = delete;

  txrt_status run(uint32_t entry, txrt_error *error);
  txrt_status write(uint32_t segment, uint64_t offset, uint64_t bytes, const void *from, txrt_error *error);
  txrt_status read(uint32_t segment, uint64_t offset, uint64_t bytes, void *to, txrt_error *error) const;
  void profile(bool enabled);
  txrt_launch_info info(uint32_t entry, uint32_t launch) const;
  int64_t stepAllocations() const;
  txrt_device_memory deviceMemory() const;

  const txrt_artifact &artifact;
  const txrt_program &program;
  const txrt_backend &backend;
  void *state = nullptr;

private:
  uint64_t arenaOffset(uint32_t segment, uint64_t offset, uint64_t bytes) const;
  txrt_status runLaunches(const txrt_entry &entry, txrt_error *error);
  txrt_status readTimes(const txrt_entry &entry, txrt_error *error);

  struct Clock {
    double seconds = 0, lastStart = 0, last = 0;
    uint64_t runs = 0;

    void add(double start, double taken);
  };
  bool profiling = false;
  std::vector<Clock> clocks; // one for each launch
  int64_t allocations = 0;
};

#endif // TXRT_CORE_SESSION_H
