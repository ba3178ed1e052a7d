// Every collective on several ranks against its definition in abi.h, on numbers whose sums depend on the order; and
// what a rank says when another is lost.

#include "CollectiveCases.h"
#include "Ranks.h"
#include "comm/RankSum.h"
#include "core/Failure.h"
#include "core/Manifest.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <mutex>

using namespace txrt;

namespace {

void check(int world, const std::vector<txrt_collective_launch> &launches) {
  std::mutex mutex; // gtest's failures are one thread's at a time
  auto errors = runRanks(world, [&](txrt_world &ranks) {
    for (const txrt_collective_launch &c : launches) {
      const std::vector<float> from = operandOf(ranks.rank(), c.count);
      std::vector<float> to(resultCount(c), NAN);
      ranks.collectives().run(c, TXRT_DTYPE_F32, from.data(), to.data(), "test");
      std::lock_guard<std::mutex> lock(mutex);
      for (uint64_t i = 0; i < to.size(); ++i) {
        const float wanted = expected(c, ranks.rank(), i);
        if (std::memcmp(&to[i], &wanted, sizeof wanted) == 0)
          continue;
        ADD_FAILURE() << txrt_collective_name(c.collective) << " of " << c.ranks << " ranks, " << c.stride
                      << " apart, rank " << ranks.rank() << ", element " << i << ": " << to[i] << ", not " << wanted;
        break;
      }
    }
  });
  for (const std::string &error : errors)
    EXPECT_EQ(error, "");
}

} // namespace

TEST(Collectives, AllKindsOnSomeNumbersOfRanks) {
  for (int n : {1, 2, 3, 4}) {
    std::vector<txrt_collective_launch> launches;
    for (uint64_t outer : {1, 3})
      for (uint64_t part : {1, 5, 700}) {
        const uint64_t count = outer * static_cast<uint64_t>(n) * part;
        for (int kind = 0; kind < TXRT_COLLECTIVE_COUNT; ++kind)
          launches.push_back(
              launchOf(static_cast<txrt_collective>(kind), n, 1, count, outer, kind == TXRT_SEND_RECV ? 1 : n - 1));
        launches.push_back(launchOf(TXRT_SEND_RECV, n, 1, count, 1, -2, true));
      }
    check(n, launches);
  }
}

TEST(Collectives, AnAxisOfAMesh) {
  std::vector<txrt_collective_launch> launches;
  for (auto [ranks, stride] : {std::pair(2, 1), {3, 2}, {2, 3}, {3, 1}})
    for (int kind = 0; kind < TXRT_COLLECTIVE_COUNT; ++kind)
      launches.push_back(launchOf(static_cast<txrt_collective>(kind), ranks, stride, 12, 2, 1));
  check(6, launches);
}

// More than the scratch holds, and no multiple of the ranks.
TEST(Collectives, LargeSumsGoInPieces) {
  check(3, {launchOf(TXRT_ALL_REDUCE, 3, 1, 2500001), launchOf(TXRT_REDUCE_SCATTER, 3, 1, 3 * 1100003),
            launchOf(TXRT_REDUCE, 3, 1, 1100003, 1, 2)});
}

TEST(Collectives, InPlace) {
  auto errors = runRanks(3, [&](txrt_world &world) {
    std::vector<float> values = operandOf(world.rank(), 5000);
    world.collectives().allReduce(world.all(), values.data(), values.data(), 5000, TXRT_DTYPE_F32, "test");
    for (uint64_t i = 0; i < 5000; ++i)
      if (values[i] != sumAt(world.all(), i))
        fail(TXRT_NUMERIC, "element %d", int(i));
  });
  EXPECT_EQ(errors, std::vector<std::string>(3));
}

TEST(Collectives, NarrowSumsRoundOnce) {
  // 1 + 2^-9 + 2^-9: bf16 has 8 bits, so adding one after another in bf16 stays 1.
  const uint16_t one = 0x3f80, small = 0x3b00, wanted = 0x3f80 | 1;
  uint16_t values[3][2] = {{one, small}, {small, small}, {small, one}};
  values[0][1] = one;
  const void *from[3] = {values[0], values[1], values[2]};
  uint16_t to[2];
  sumInOrder(from, 3, to, 1, TXRT_DTYPE_BF16);
  // 1 + 2^-8 lies between 1 and the next number, 1 + 2^-7: to even, 1.
  EXPECT_EQ(to[0], one);
  const uint16_t larger = 0x3b80; // 2^-8
  uint16_t twice[3] = {one, larger, larger};
  const void *operands[3] = {&twice[0], &twice[1], &twice[2]};
  sumInOrder(operands, 3, to, 1, TXRT_DTYPE_BF16);
  EXPECT_EQ(to[0], wanted); // in bf16 each would have been lost
}

TEST(Sockets, ALostRankIsNamed) {
  auto errors = runRanks(3, [&](txrt_world &world) {
    float value = 1;
    if (world.rank() == 1)
      fail(TXRT_IO, "its disk is full");
    world.collectives().allReduce(world.all(), &value, &value, 1, TXRT_DTYPE_F32, "h.0.mlp");
  });
  EXPECT_EQ(errors[1], "its disk is full");
  for (int rank : {0, 2}) {
    // From rank 1 itself, or from the other rank, if that was told first and gave up.
    const std::string place = "rank " + std::to_string(rank) + " of 3: h.0.mlp: ";
    const std::string told = "rank 1 has left with exit code 7: its disk is full";
    const std::string relayed = "rank " + std::to_string(2 - rank) + " gave up: " + told;
    EXPECT_TRUE(errors[rank].find(place + told) == 0 || errors[rank].find(place + relayed) == 0) << errors[rank];
  }
}

/// Rank 2 comes when the others have given up.
static void withoutRank2(txrt_world &world) {
  float value = 1;
  if (world.rank() == 2)
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  world.collectives().allReduce(world.all(), &value, &value, 1, TXRT_DTYPE_F32, "h.0.mlp");
}

TEST(Sockets, ASilentRankIsNamedAfterTheTimeout) {
  auto errors = runRanks(3, withoutRank2, 0.4);
  for (int rank : {0, 1})
    EXPECT_NE(errors[rank].find("h.0.mlp: no answer from rank 2 for 0."), std::string::npos) << errors[rank];
  // It hears why it came too late.
  EXPECT_NE(errors[2].find("no answer from rank 2"), std::string::npos) << errors[2];
}

// Those that wait say so to each other.
TEST(Sockets, RanksSayWhereTheyAre) {
  auto errors = runRanks(4, withoutRank2, 0.4);
  for (const std::string &error : errors)
    EXPECT_NE(error.find("; ranks 0, 1 and 3 are in h.0.mlp; rank 2 does not say "
                         "where it is"),
              std::string::npos)
        << error;
}

// 0 waits for 1, which waits for 3, which waits for 2, which waits for 0.
TEST(Sockets, ACircleIsSeen) {
  auto errors = runRanks(
      4,
      [&](txrt_world &world) {
        const int rank = world.rank();
        const bool inA = rank == 0 || rank == 3;
        float value = 1;
        world.collectives().allReduce(groupOf(rank, 2, inA ? 1 : 2), &value, &value, 1, TXRT_DTYPE_F32,
                                      inA ? "tp" : "dp");
      },
      0.4);
  for (int rank = 0; rank < 4; ++rank)
    EXPECT_TRUE(errors[rank].find("ranks 0 and 3 are in tp; ranks 1 and 2 are in "
                                  "dp") != std::string::npos ||
                errors[rank].find("ranks 1 and 2 are in dp; ranks 0 and 3 are in "
                                  "tp") != std::string::npos)
        << errors[rank];
}

TEST(Sockets, RanksOfDifferentProgramsAreToldSo) {
  auto errors = runRanks(2, [&](txrt_world &world) {
    std::vector<float> values(world.rank() ? 3 : 4);
    world.collectives().allReduce(world.all(), values.data(), values.data(), values.size(), TXRT_DTYPE_F32, "h.0.mlp");
  });
  EXPECT_NE((errors[0] + errors[1]).find("it runs another program"), std::string::npos) << errors[0] << errors[1];
}

// What something else writes to a socket is no message.
TEST(Sockets, GarbageIsRefused) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const std::string garbage(1000, 'x');
  ASSERT_EQ(::send(ends[1], garbage.data(), garbage.size(), 0), 1000);
  Sockets sockets(0, {-1, ends[0]}, 1, "test");
  char byte;
  const txrt_message message = {1, 0, &byte, 1};
  txrt_error error = {};
  EXPECT_EQ(guarded(&error, [&] { sockets.exchange(&message, 1, "op"); }), TXRT_PEER);
  EXPECT_NE(strstr(error.message, "something else than tx-run"), nullptr) << error.message;
  ::close(ends[1]);
}
