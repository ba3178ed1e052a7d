// Collectives of the host beside its launches: the thread by itself, and sessions of several ranks whose launches touch
// what is on its way.

#include "backends/host/CommunicationThread.h"
#include "CudaSession.h"
#include "Overlap.h"
#include "Ranks.h"

#include <atomic>
#include <chrono>

using namespace txrt;

TEST(CommunicationThread, OneAfterAnother) {
  std::vector<uint32_t> ran;
  CommunicationThread thread(8, [&](uint32_t launch) { ran.push_back(launch); });
  for (int round = 0; round < 100; ++round) {
    for (uint32_t launch : {5, 2, 7})
      thread.post(launch);
    thread.finish();
    EXPECT_EQ(ran, (std::vector<uint32_t>{5, 2, 7}));
    ran.clear();
  }
  thread.finish();
}

TEST(CommunicationThread, WaitsForNoMoreThanItMust) {
  std::atomic<bool> mayEnd{false};
  CommunicationThread thread(4, [&](uint32_t launch) {
    while (launch == 1 && !mayEnd)
      std::this_thread::yield();
  });
  thread.post(0);
  thread.post(1);
  thread.waitFor(0); // while the other goes on
  mayEnd = true;
  thread.waitFor(1);
  thread.finish();
  thread.waitFor(1); // still
}

TEST(CommunicationThread, AFailureEndsIt) {
  int ran = 0;
  CommunicationThread thread(4, [&](uint32_t launch) {
    ++ran;
    if (launch == 1)
      fail(TXRT_PEER, "rank 2 was lost");
  });
  for (uint32_t launch : {0, 1, 2})
    thread.post(launch);
  EXPECT_NO_THROW(thread.waitFor(0));
  for (int again = 0; again < 2; ++again) {
    txrt_error error = {};
    EXPECT_EQ(guarded(&error, [&] { thread.waitFor(2); }), TXRT_PEER);
    EXPECT_STREQ(error.message, "rank 2 was lost");
    EXPECT_EQ(guarded(&error, [&] { thread.finish(); }), TXRT_PEER);
  }
  EXPECT_EQ(ran, 2);
}

TEST(Host, LaunchesWaitForWhatTheyTouch) {
  for (int ranks : {2, 3}) {
    auto errors = runRanks(ranks, [&](txrt_world &world) {
      txrt_options options = {};
      options.world = &world;
      options.threads = 1 + world.rank() % 2;
      Session s(overlapArtifact(ranks), options);
      if (!s.session)
        fail(TXRT_USAGE, "%s", s.error.message);
      const std::vector<float> wanted = overlapResult(ranks, world.rank());
      for (int round = 0; round < 300; ++round) {
        txrt_session_profile(s.session, round % 100 == 99);
        std::vector<float> start(128);
        for (int i = 0; i < 60; ++i)
          start[i] = start[64 + i] = float(world.rank() + i);
        s.set(TXRT_SEGMENT_PERSISTENT, 0, start);
        if (s.run(0))
          fail(TXRT_USAGE, "%s", s.error.message);
        std::vector<float> found = s.get(TXRT_SEGMENT_PERSISTENT, 0, 60);
        for (float v : s.get(TXRT_SEGMENT_PERSISTENT, 256, 60))
          found.push_back(v);
        for (float v : s.get(TXRT_SEGMENT_TRANSIENT, 0, 60))
          found.push_back(v);
        if (found != wanted)
          fail(TXRT_NUMERIC, "round %d", round);
      }
    });
    EXPECT_EQ(errors, std::vector<std::string>(ranks));
  }
}

// The message is that of the collective, and comes out of the run.
TEST(Host, ALostRankIsNamedByTheRun) {
  auto errors = runRanks(2, [&](txrt_world &world) {
    txrt_options options = {};
    options.world = &world;
    options.threads = 1;
    Session s(overlapArtifact(2), options);
    if (world.rank() == 1)
      fail(TXRT_IO, "its disk is full");
    if (s.run(0))
      fail(TXRT_PEER, "%s", s.error.message);
  });
  EXPECT_NE(errors[0].find("rank 0 of 2: A #1: rank 1 has left with exit code 7: its "
                           "disk is full"),
            std::string::npos)
      << errors[0];
}
