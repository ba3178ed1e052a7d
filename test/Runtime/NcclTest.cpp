// Collectives of the cuda backend: each against its definition, in what order they and other launches run, and what is
// said when something is wrong. Ranks are processes with a fake GPU and a fake NCCL each.

#include "CudaSession.h"
#include "Overlap.h"
#include "RankProcesses.h"

#include <cmath>
#include <functional>
#include <thread>

using namespace txrt;

namespace {

class Nccl : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/nccl-XXXXXX";
    ASSERT_NE(mkdtemp(&pattern[0]), nullptr);
    folder = pattern;
    setenv("FAKE_NCCL_DIR", folder.c_str(), 1);
    setenv("FAKE_CUDA_DEVICES", "8", 1);
  }
  void TearDown() override {
    unsetenv("FAKE_NCCL_DIR");
    unsetenv("FAKE_CUDA_DEVICES");
    // Who has come to its end has left nothing there.
    EXPECT_EQ(rmdir(folder.c_str()) == 0, isEmptyAtEnd);
  }
  std::string folder;
  bool isEmptyAtEnd = true;
};

/// One entry for each collective: operand at 0, result behind it.
TestArtifact artifactOf(const std::vector<txrt_collective_launch> &launches, txrt_dtype dtype, uint64_t element) {
  TestArtifact a;
  a.segments[TXRT_SEGMENT_PERSISTENT] = 4096;
  for (const txrt_collective_launch &c : launches) {
    const auto first = static_cast<uint32_t>(a.launches.size());
    a.buffer(TXRT_SEGMENT_PERSISTENT, dtype, 0, c.count * element, false);
    a.buffer(TXRT_SEGMENT_PERSISTENT, dtype, 2048, resultCount(c) * element, true);
    a.collectiveLaunch("collective " + std::to_string(first), c);
    a.entry("entry " + std::to_string(first), first);
  }
  a.addGpuCode();
  return a;
}

std::string checkAll(txrt_world &world, const std::vector<txrt_collective_launch> &launches) {
  txrt_options options = {};
  options.world = &world;
  options.no_graph = launches.size() % 2;
  Session s(artifactOf(launches, TXRT_DTYPE_F32, 4), options);
  if (!s.session)
    fail(TXRT_PEER, "%s", s.error.message);
  for (size_t l = 0; l < launches.size(); ++l) {
    const txrt_collective_launch &c = launches[l];
    s.set(TXRT_SEGMENT_PERSISTENT, 0, operandOf(world.rank(), c.count));
    if (s.run(static_cast<int>(l)))
      fail(TXRT_PEER, "%s", s.error.message);
    const std::vector<float> to = s.get(TXRT_SEGMENT_PERSISTENT, 2048, resultCount(c));
    for (uint64_t i = 0; i < to.size(); ++i)
      if (to[i] != expected(c, world.rank(), i))
        return format("collective %u of %u ranks %u apart, element %d: %g", c.collective, c.ranks, c.stride, int(i),
                      double(to[i]));
  }
  return "";
}

std::string mix(
    txrt_world &world, bool graphed, bool timed = false, txrt_options options = {},
    const std::function<void(int)> &before = [](int) {}) {
  TestArtifact a = overlapArtifact(world.size());
  a.addGpuCode();
  options.world = &world;
  options.no_graph = !graphed;
  Session s(a, options);
  if (!s.session)
    fail(static_cast<txrt_status>(s.error.code), "%s", s.error.message);
  txrt_session_profile(s.session, timed);
  for (int round = 0; round < 3; ++round) {
    std::vector<float> start(128);
    for (int i = 0; i < 60; ++i)
      start[i] = start[64 + i] = float(world.rank() + i);
    s.set(TXRT_SEGMENT_PERSISTENT, 0, start);
    before(round);
    if (s.run(0))
      fail(static_cast<txrt_status>(s.error.code), "%s", s.error.message);
    std::vector<float> found = s.get(TXRT_SEGMENT_PERSISTENT, 0, 60);
    for (float v : s.get(TXRT_SEGMENT_PERSISTENT, 256, 60))
      found.push_back(v);
    for (float v : s.get(TXRT_SEGMENT_TRANSIENT, 0, 60))
      found.push_back(v);
    const std::vector<float> wanted = overlapResult(world.size(), world.rank());
    for (size_t i = 0; i < found.size(); ++i)
      if (found[i] != wanted[i])
        return format("round %d element %d is %g, not %g", round, int(i), double(found[i]), double(wanted[i]));
  }
  return "";
}

using Texts = std::vector<std::string>;

} // namespace

TEST_F(Nccl, EveryKind) {
  std::vector<txrt_collective_launch> launches;
  for (auto [ranks, stride] : {std::pair(2, 1), {3, 2}, {2, 3}, {3, 1}, {1, 1}})
    for (int kind = 0; kind < TXRT_COLLECTIVE_COUNT; ++kind)
      launches.push_back(launchOf(static_cast<txrt_collective>(kind), ranks, stride, 12, 2, ranks > 1));
  for (bool wraps : {false, true})
    for (int shift : {-1, 0, 2, 7})
      launches.push_back(launchOf(TXRT_SEND_RECV, 3, 1, 10, 1, shift, wraps));
  EXPECT_EQ(runRankProcesses(6, [&](txrt_world &world) { return checkAll(world, launches); }), Texts(6));
}

TEST_F(Nccl, NarrowAndWholeNumbers) {
  EXPECT_EQ(runRankProcesses(
                2,
                [&](txrt_world &world) -> std::string {
                  txrt_options options = {};
                  options.world = &world;
                  Session narrow(artifactOf({launchOf(TXRT_ALL_REDUCE, 2, 1, 4), launchOf(TXRT_ALL_GATHER, 2, 1, 4)},
                                            TXRT_DTYPE_BF16, 2),
                                 options);
                  if (!narrow.session)
                    return narrow.error.message;
                  // 1 and 2; and 3 is 0x4040.
                  narrow.set(TXRT_SEGMENT_PERSISTENT, 0, std::vector<uint16_t>(4, world.rank() ? 0x4000 : 0x3f80));
                  uint16_t to[8];
                  for (int entry = 0; entry < 2; ++entry) {
                    if (narrow.run(entry))
                      return narrow.error.message;
                    txrt_session_read(narrow.session, TXRT_SEGMENT_PERSISTENT, 2048, sizeof to, to, nullptr);
                    if (entry == 0 && to[3] != 0x4040)
                      return "the sum";
                  }
                  return to[3] == 0x3f80 && to[4] == 0x4000 ? "" : "the parts";
                }),
            Texts(2));
}

// Whatever order the events leave open.
TEST_F(Nccl, LaunchesWaitForWhatTheyTouch) {
  for (const char *order : {"first", "last"}) {
    Setting preferred("FAKE_CUDA_ORDER", order);
    for (int mode = 0; mode < 3; ++mode)
      EXPECT_EQ(runRankProcesses(3, [&](txrt_world &world) { return mix(world, mode == 0, mode == 2); }), Texts(3))
          << order << " " << mode;
  }
}

TEST_F(Nccl, LaunchesMayWaitAtOnce) {
  for (bool graphed : {true, false})
    EXPECT_EQ(runRankProcesses(2,
                               [&](txrt_world &world) {
                                 txrt_options options = {};
                                 options.no_overlap = 1;
                                 return mix(world, graphed, !graphed, options);
                               }),
              Texts(2));
}

// Which functions of the library are used for it is its version's matter; the fake refuses a wrong order, memory that
// is not its own, and buffers beside it.
TEST_F(Nccl, TheArenaIsRegistered) {
  auto describe = [](txrt_world &world, bool declines = false) {
    TestArtifact a = overlapArtifact(world.size());
    a.addGpuCode();
    txrt_options options = {};
    options.world = &world;
    options.no_nccl_buffers = declines;
    Session s(a, options);
    if (!s.session || s.run(0))
      return std::string(s.error.message);
    // What is planned is what there is, however it is rounded.
    if (txrt_session_arena_bytes(s.session) != 1024)
      return std::string("another size");
    const std::string text = txrt_session_description(s.session);
    const size_t from = text.find("NCCL");
    return text.substr(from, text.find(", test") - from);
  };
  auto all = [&](bool declines = false) {
    return runRankProcesses(2, [&](txrt_world &world) { return describe(world, declines); });
  };
  const std::string rounded = ", arena registered (rounded up by 2.00 MiB)";
  EXPECT_EQ(all(), Texts(2, "NCCL 2.28.9" + rounded));
  EXPECT_EQ(all(true), Texts(2, "NCCL 2.28.9"));
  {
    Setting noWindows("FAKE_NCCL_VERSION", "22605");
    EXPECT_EQ(all(), Texts(2, "NCCL 2.26.5" + rounded));
  }
  {
    Setting none("FAKE_NCCL_VERSION", "21805");
    EXPECT_EQ(all(), Texts(2, "NCCL 2.18.5"));
  }
  // All ranks' or none.
  EXPECT_EQ(runRankProcesses(2,
                             [&](txrt_world &world) {
                               if (world.rank() == 1)
                                 setenv("FAKE_NCCL_LENDS", "0", 1);
                               return describe(world);
                             }),
            Texts(2, "NCCL 2.28.9"));
}

// By the fake's clock a collective takes two microseconds, a kernel one.
TEST_F(Nccl, CollectivesAreTimedBesideTheOthers) {
  EXPECT_EQ(runRankProcesses(2,
                             [&](txrt_world &world) -> std::string {
                               TestArtifact a = overlapArtifact(world.size());
                               a.addGpuCode();
                               txrt_options options = {};
                               options.world = &world;
                               Session s(a, options);
                               txrt_session_profile(s.session, 1);
                               if (s.run(0))
                                 return s.error.message;
                               std::vector<txrt_launch_info> all(10);
                               for (int i = 0; i < 10; ++i)
                                 txrt_session_launch_info(s.session, 0, i, &all[i], nullptr);
                               auto end = [&](int i) { return all[i].last_start + all[i].last_seconds; };
                               // The first sum, two launches that touch nothing of it but its bytes.
                               if (all[1].last_start < end(0) - 1e-9)
                                 return "a collective begins before what it sums is there";
                               if (all[3].last_start < end(1) - 1e-9)
                                 return "a launch begins before what it waits for has ended";
                               if (all[3].last_seconds > 1.5e-6)
                                 return "a launch's time has what it waits for in it";
                               if (all[1].last_seconds < 1.9e-6)
                                 return "a collective has no time of its own";
                               // It waits for nothing, and runs beside.
                               if (all[2].last_start > end(1))
                                 return "a launch waits for what it does not touch";
                               return "";
                             }),
            Texts(2));
}

TEST_F(Nccl, OneRankNeedsNone) {
  Setting old("FAKE_NCCL_VERSION", "20000");
  EXPECT_EQ(runRankProcesses(1,
                             [&](txrt_world &) {
                               txrt_world alone;
                               return mix(alone, true);
                             }),
            Texts(1));
}

// With a communicator of its own it has the same values.
TEST_F(Nccl, OneRankMayTakeIt) {
  Setting alone("TXRT_NCCL_ALONE", "1");
  auto mixAlone = [](txrt_world &) {
    txrt_world world;
    return mix(world, true);
  };
  EXPECT_EQ(runRankProcesses(1, mixAlone), Texts(1));
  Setting old("FAKE_NCCL_VERSION", "20000");
  EXPECT_EQ(runRankProcesses(1, mixAlone), Texts(1, "found NCCL 2.0.0; several ranks on GPUs need NCCL 2.14 or "
                                                    "newer"));
}

TEST_F(Nccl, AnErrorNamesRankAndOperation) {
  isEmptyAtEnd = false;
  // Four groups to warm up, four for each round.
  Setting fault("FAKE_NCCL_FAIL", "1:10");
  for (bool graphed : {true, false}) {
    const Texts texts = runRankProcesses(2, [&](txrt_world &world) { return mix(world, graphed); });
    EXPECT_EQ(texts[1], "rank 1 of 2: A #6: NCCL: unhandled system error: "
                        "FAKE_NCCL_FAIL");
    EXPECT_NE(texts[0].find("rank 0 of 2: A #6: rank 1 gave up: rank 1 of 2: A #6: NCCL"), std::string::npos)
        << texts[0];
  }
}

static void expectAll(const Texts &texts, const char *wanted) {
  for (const std::string &text : texts)
    EXPECT_NE(text.find(wanted), std::string::npos) << text;
}

// All have come to the collective, and it does not end.
TEST_F(Nccl, AHangEnds) {
  isEmptyAtEnd = false;
  Setting fault("FAKE_NCCL_HANG", "0:11");
  expectAll(runRankProcesses(
                2, [&](txrt_world &world) { return mix(world, true); }, 0.5),
            "B #7: not done after 0.5 s: stuck, or much slower (see "
            "--distributed-timeout-minutes); all ranks are in it");
}

// One rank's process hangs before a step: the others know in which they wait.
TEST_F(Nccl, ARankThatDoesNotComeIsNamed) {
  isEmptyAtEnd = false;
  for (int ranks : {2, 4})
    expectAll(runRankProcesses(
                  ranks,
                  [&](txrt_world &world) {
                    return mix(world, true, false, {}, [&](int round) {
                      if (world.rank() == 1 && round == 1)
                        std::this_thread::sleep_for(std::chrono::seconds(4));
                    });
                  },
                  0.5),
              ranks == 2 ? "not done after 0.5 s: stuck, or much slower (see "
                           "--distributed-timeout-minutes); rank 0 is in A #5; "
                           "rank 1 does not say where it is"
                         : "ranks 0, 2 and 3 are in A #5; rank 1 does not say "
                           "where it is");
}

// One rank does something else instead.
TEST_F(Nccl, AnotherOrderIsSeen) {
  isEmptyAtEnd = false;
  for (int ranks : {2, 4})
    expectAll(runRankProcesses(
                  ranks,
                  [&](txrt_world &world) {
                    return mix(world, true, false, {}, [&](int round) {
                      float value = 1;
                      if (world.rank() == 1 && round == 1)
                        world.collectives().allReduce(world.all(), &value, &value, 1, TXRT_DTYPE_F32, "agreement");
                    });
                  },
                  1.5),
              "rank 1 is in agreement");
}

TEST_F(Nccl, ALostRankIsNamed) {
  isEmptyAtEnd = false;
  const Texts texts = runRankProcesses(2, [&](txrt_world &world) {
    if (world.rank() == 1)
      setenv("FAKE_CUDA_FAULT", "weigh", 1);
    return mix(world, true);
  });
  EXPECT_NE(texts[1].find("CUDA_ERROR_LAUNCH_FAILED"), std::string::npos);
  EXPECT_NE(texts[0].find("rank 1 has left with exit code 4: a launch: "
                          "CUDA_ERROR_LAUNCH_FAILED"),
            std::string::npos)
      << texts[0];
}

TEST_F(Nccl, Refusals) {
  isEmptyAtEnd = false;
  auto all = [&](const char *name, const char *value, int ranks = 2) {
    Setting setting(name, value);
    return runRankProcesses(ranks, [](txrt_world &world) {
      std::string answer;
      txrt_error error = {};
      const txrt_status status = guarded(&error, [&] { answer = mix(world, true); });
      // The ranks agree, so that the world comes to its end.
      return status ? std::to_string(status) + " " + error.message : answer;
    });
  };
  EXPECT_EQ(all("FAKE_NCCL_VERSION", "21300"), Texts({"4 found NCCL 2.13.0; several ranks on GPUs need NCCL 2.14 or "
                                                      "newer",
                                                      "4 rank 0 of 2: found NCCL 2.13.0; several ranks on GPUs need "
                                                      "NCCL 2.14 or newer"}));
  EXPECT_EQ(all("FAKE_CUDA_DEVICES", "2", 3), Texts({"4 ranks 0 and 2 would share a GPU, and each needs one of its "
                                                     "own: start as many ranks on a machine as it has GPUs (rank 0 "
                                                     "sees 2)",
                                                     "4 ranks 0 and 2 would share a GPU, and each needs one of its "
                                                     "own: start as many ranks on a machine as it has GPUs (rank 1 "
                                                     "sees 2)",
                                                     "4 ranks 0 and 2 would share a GPU, and each needs one of its "
                                                     "own: start as many ranks on a machine as it has GPUs (rank 2 "
                                                     "sees 2)"}));
  setenv("FAKE_CUDA_DEVICES", "8", 1);
  // What one rank can not do, all are told.
  EXPECT_EQ(runRankProcesses(2,
                             [](txrt_world &world) -> std::string {
                               if (world.rank() == 1)
                                 setenv("FAKE_CUDA_FREE", "100", 1);
                               txrt_error error = {};
                               const bool isRefused =
                                   guarded(&error, [&] { mix(world, true); }) == TXRT_OUT_OF_MEMORY &&
                                   strstr(error.message, "(arena 1.00 KiB, ") && strstr(error.message, ", NCCL ");
                               const std::string message = error.message;
                               return isRefused ? message.substr(0, message.find(" about")) : message;
                             }),
            Texts({"rank 1 of 2: needs", "needs"}));
}

TEST_F(Nccl, AnotherWorld) {
  EXPECT_EQ(runRankProcesses(3,
                             [](txrt_world &world) -> std::string {
                               TestArtifact a = overlapArtifact(2);
                               a.addGpuCode();
                               txrt_options options = {};
                               options.world = &world;
                               Session s(a, options);
                               return s.error.code == TXRT_BAD_INPUT &&
                                              strstr(s.error.message, "joins 2 ranks of axis dp, "
                                                                      "and this run has 3")
                                          ? ""
                                          : s.error.message;
                             }),
            Texts(3));
}
