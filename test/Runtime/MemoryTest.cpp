// What a process may take, from files of systems that this one is not.

#include "core/Memory.h"
#include "core/Failure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>

using namespace txrt;

namespace {

constexpr uint64_t mib = uint64_t(1) << 20;

/// A system of files.
class MemoryTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/memory-XXXXXX";
    ASSERT_NE(::mkdtemp(&pattern[0]), nullptr);
    folder = pattern;
    files = {folder + "/proc", folder + "/groups"};
    write("proc/meminfo", "MemTotal: 4096000 kB\nMemAvailable: 2048000 kB\n"
                          "CommitLimit: 1024000 kB\nCommitted_AS: 24000 kB\n");
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const std::string &name, const std::string &text) const {
    std::filesystem::create_directories(std::filesystem::path(folder + "/" + name).parent_path());
    std::ofstream(folder + "/" + name) << text;
  }
  uint64_t left(const std::string &whose) const {
    for (const MemoryLimit &limit : memoryLimits(files))
      if (limit.whose.find(whose) != std::string::npos)
        return limit.left;
    return UINT64_MAX;
  }

  std::string folder;
  MemoryFiles files;
};

TEST_F(MemoryTest, TheMachine) {
  EXPECT_EQ(left("this machine's memory"), 2048000u * 1024);
  EXPECT_EQ(left("commits"), UINT64_MAX); // as long as it promises more
  write("proc/sys/vm/overcommit_memory", "2\n");
  EXPECT_EQ(left("commits"), 1000000u * 1024);
}

// The group's own limit and those of all above it count; page cache does not.
TEST_F(MemoryTest, GroupsOfVersion2) {
  write("proc/self/cgroup", "0::/a/b\n");
  write("groups/a/b/memory.max", "max\n");
  write("groups/a/b/memory.current", "5000\n");
  write("groups/a/memory.max", "100000\n");
  write("groups/a/memory.current", "70000\n");
  write("groups/a/memory.stat", "anon 40000\ninactive_file 20000\nactive_file 10000\n");
  EXPECT_EQ(left("the control group /a/b"), UINT64_MAX);
  EXPECT_EQ(left("the control group /a"), 60000u);
}

TEST_F(MemoryTest, GroupsOfVersion1) {
  write("proc/self/cgroup", "9:cpu:/x\n4:memory:/job/step\n0::/\n");
  write("groups/memory/job/step/memory.limit_in_bytes", "9000000\n");
  write("groups/memory/job/step/memory.usage_in_bytes", "1000000\n");
  write("groups/memory/job/memory.limit_in_bytes", "5000000\n");
  write("groups/memory/job/memory.usage_in_bytes", "4000000\n");
  write("groups/memory/job/memory.stat", "inactive_file 1\nactive_file 1\ntotal_inactive_file 500000\n"
                                         "total_active_file 0\n");
  EXPECT_EQ(left("the control group /job/step"), 8000000u);
  EXPECT_EQ(left("the control group /job"), 8000000u); // the first found
  write("groups/memory/job/step/memory.limit_in_bytes", "");
  EXPECT_EQ(left("the control group /job"), 1500000u);
}

TEST_F(MemoryTest, LimitsOfTheProcess) {
  write("proc/self/status", "VmSize: 2000 kB\nVmData: 1000 kB\n");
  for (auto [resource, whose, used] :
       {std::tuple(RLIMIT_AS, "address space", 2000), std::tuple(RLIMIT_DATA, "data", 1000)}) {
    rlimit before, limit;
    getrlimit(resource, &before);
    limit = before;
    limit.rlim_cur = uint64_t(1) << 46; // far more than this test takes
    if (setrlimit(resource, &limit) != 0)
      continue; // not ours to set
    EXPECT_EQ(left(whose), (uint64_t(1) << 46) - used * 1024u);
    setrlimit(resource, &before);
  }
}

std::string failure(const MemoryNeed &need, unsigned processes, const std::vector<MemoryLimit> &limits) {
  txrt_error error = {};
  const txrt_status status = guarded(&error, [&] { requireMemory(need, processes, limits); });
  EXPECT_TRUE(status == TXRT_OK || status == TXRT_OUT_OF_MEMORY);
  return error.message;
}

TEST(Memory, NeedAgainstLimits) {
  const std::vector<MemoryLimit> limits = {{MemoryLimit::Mapped, "the space", 200 * mib, 100 * mib, "raise it"},
                                           {MemoryLimit::Touched, "the group", 50 * mib, 20 * mib, "give it more"}};
  MemoryNeed need;
  need.add("arena", 10 * mib, 10 * mib);
  EXPECT_EQ(failure(need, 1, limits), "");
  EXPECT_EQ(failure(need, 2, limits), "");
  EXPECT_EQ(failure(need, 3, limits), "needs 10.0 MiB (arena 10.0 MiB) in each of 3 processes; the group "
                                      "leaves 20.0 MiB of its 50.0 MiB: give it more, or choose a policy "
                                      "with a lower peak, a smaller batch or fewer threads");
  need.add("stacks", 95 * mib, 0);
  EXPECT_EQ(failure(need, 1, limits), "needs 105 MiB (arena 10.0 MiB, stacks 95.0 MiB); the space leaves "
                                      "100 MiB of its 200 MiB: raise it, or choose a policy with a "
                                      "lower peak, a smaller batch or fewer threads");
  // Sums do not wrap around.
  need.add("nonsense", UINT64_MAX - mib, UINT64_MAX - mib);
  EXPECT_NE(failure(need, 4096, limits).find("nonsense"), std::string::npos);
}

// What no file tells is tried.
TEST(Memory, TheSystemMayRefuse) {
  MemoryNeed need;
  need.add("arena", uint64_t(1) << 60, 0);
  EXPECT_NE(failure(need, 1, {}).find("and the system refuses"), std::string::npos);
}

} // namespace
