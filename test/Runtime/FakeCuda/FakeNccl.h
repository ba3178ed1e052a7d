//===- FakeNccl.h - A communicator of the fake NCCL -----------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_RUNTIME_FAKECUDA_FAKENCCL_H
#define TX_TEST_RUNTIME_FAKECUDA_FAKENCCL_H

#include "FakeCuda.h"

#include "backends/cuda/NcclApi.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

namespace fake {

inline bool exists(const std::string &path) { return access(path.c_str(), F_OK) == 0; }

/// Whole or not at all.
inline void publish(const std::string &path, const std::string &bytes) {
  std::ofstream(path + ".part", std::ios::binary) << bytes;
  rename((path + ".part").c_str(), path.c_str());
}

} // namespace fake

namespace txrt::cuda::nccl {

struct Registered {
  const char *begin;
  size_t bytes;
};

struct ncclComm {
  int ranks = 1, rank = 0;
  std::string folder;
  bool isJoined = false, isLeaving = false, isAborted = false;
  uint64_t runs = 0;                      // of groups
  uint64_t groups = 0;                    // of those with collectives
  std::map<int, uint64_t> sent, received; // messages, by peer
  Result error = Success;
  std::string lastError;

  std::string file(const std::string &what, int who) const { return folder + "/" + what + "." + std::to_string(who); }
  std::string message(int from, int to, uint64_t number) const {
    return file("message" + std::to_string(number) + "." + std::to_string(from), to);
  }
  /// What of each rank's memory the others reach, and how many windows there were.
  std::vector<Registered> registered;
  int windows = 0;

  /// All ranks have come to the last window.
  bool awaitsWindows() const { return windows && !allHave("window" + std::to_string(windows - 1)); }
  /// Either nothing is registered, or this is.
  bool mayUse(const void *buffer, size_t bytes) const;
  bool allHave(const std::string &what) const {
    for (int r = 0; r < ranks; ++r)
      if (!fake::exists(file(what, r)))
        return false;
    return true;
  }
};

} // namespace txrt::cuda::nccl

#endif // TX_TEST_RUNTIME_FAKECUDA_FAKENCCL_H
