// Ranks find each other on the loopback, among those who should not be there.

#include "comm/socket/Rendezvous.h"
#include "comm/socket/Launchers.h"
#include "comm/socket/Sockets.h"
#include "core/Failure.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <map>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace txrt;

namespace {

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

uint16_t freePort() {
  int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  ::bind(probe, reinterpret_cast<sockaddr *>(&address), length);
  ::getsockname(probe, reinterpret_cast<sockaddr *>(&address), &length);
  ::close(probe);
  return ntohs(address.sin_port);
}

/// Connects as soon as somebody listens, and says `what`.
int intrude(uint16_t port, const std::string &what) {
  const sockaddr_in address = loopback(port);
  for (int i = 0; i < 200; ++i) {
    int guest = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::connect(guest, reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0) {
      (void)!::send(guest, what.data(), what.size(), MSG_NOSIGNAL);
      return guest;
    }
    ::close(guest);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return -1;
}

/// Lets ranks [begin, end) meet, each then send its number to all others, and gives what each threw.
std::vector<std::string> meetAll(int begin, int end, int ranks, uint16_t port, double timeout,
                                 const std::string &odd = "") {
  std::vector<std::string> errors(static_cast<size_t>(ranks));
  std::vector<std::thread> threads;
  for (int rank = begin; rank < end; ++rank)
    threads.emplace_back([&, rank] {
      txrt_error error = {};
      if (guarded(&error, [&] {
            Rendezvous where = {rank, ranks, "127.0.0.1", port, "run", timeout};
            if (rank == end - 1)
              where.run += odd;
            Sockets sockets(rank, meet(where), timeout, "test");
            std::vector<int> numbers(static_cast<size_t>(ranks), rank);
            int own = rank;
            std::vector<txrt_message> messages;
            for (int peer = 0; peer < ranks; ++peer)
              if (peer != rank) {
                messages.push_back({peer, 0, &numbers[peer], sizeof own});
                messages.push_back({peer, 1, &own, sizeof own});
              }
            sockets.exchange(messages.data(), static_cast<uint32_t>(messages.size()), "numbers");
            for (int peer = 0; peer < ranks; ++peer)
              if (numbers[peer] != peer)
                fail(TXRT_PEER, "rank %d says %d", peer, numbers[peer]);
            sockets.finish();
          }))
        errors[rank] = error.message;
    });
  for (std::thread &thread : threads)
    thread.join();
  return errors;
}

bool contains(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

} // namespace

TEST(Rendezvous, EachReachesEachOther) {
  for (int ranks : {2, 3, 5})
    EXPECT_EQ(meetAll(0, ranks, ranks, freePort(), 20), std::vector<std::string>(static_cast<size_t>(ranks)));
}

// Before the ranks, beside them: silent ones, garbage, half a hello.
TEST(Rendezvous, StrangersDelayNobody) {
  const uint16_t port = freePort();
  std::vector<int> guests(3, -1);
  std::thread intruders([&] {
    guests[0] = intrude(port, "");
    guests[1] = intrude(port, std::string(4000, 'x'));
    guests[2] = intrude(port, "txrank01half");
  });
  std::vector<std::string> others;
  std::thread first([&] { others = meetAll(0, 1, 3, port, 20); });
  intruders.join();
  EXPECT_GE(guests[2], 0);
  EXPECT_EQ(meetAll(1, 3, 3, port, 20), std::vector<std::string>(3));
  first.join();
  EXPECT_EQ(others, std::vector<std::string>(3));
  for (int guest : guests)
    ::close(guest);
}

TEST(Rendezvous, WhoDoesNotComeIsNamed) {
  auto errors = meetAll(0, 2, 4, freePort(), 0.6);
  EXPECT_TRUE(contains(errors[0], "rank 0 of 4: start: ranks 2 and 3 have not come within")) << errors[0];
  // Those who have come learn it from rank 0.
  EXPECT_TRUE(contains(errors[1], "rank 1 of 4: start: ranks 2 and 3 have not come within")) << errors[1];
}

TEST(Rendezvous, AnotherRunDoesNotJoin) {
  auto errors = meetAll(0, 2, 2, freePort(), 0.6, "another");
  EXPECT_TRUE(contains(errors[0], "rank 1 has not come")) << errors[0];
  EXPECT_NE(errors[1], "");
}

// Ranks that were started for different worlds, those that come later too.
TEST(Rendezvous, AnotherWorldSizeEndsAll) {
  const uint16_t port = freePort();
  std::vector<std::string> larger, late;
  std::thread others([&] { larger = meetAll(2, 4, 4, port, 20); });
  std::thread last([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    late = meetAll(1, 2, 3, port, 20);
  });
  auto errors = meetAll(0, 1, 3, port, 20);
  others.join();
  last.join();
  const std::vector<std::string> told = {errors[0], late[1], larger[2], larger[3]};
  for (const std::string &error : told)
    EXPECT_TRUE(contains(error, "says that there are 4 ranks, rank 0 that there "
                                "are 3: start all with one world size"))
        << error;
}

TEST(Rendezvous, TwoOfOneNumberAreRefused) {
  const uint16_t port = freePort();
  std::vector<std::string> twins;
  std::thread twin([&] { twins = meetAll(1, 2, 3, port, 2); });
  auto errors = meetAll(0, 2, 3, port, 2);
  twin.join();
  EXPECT_TRUE(contains(errors[0], "two processes say that they are rank 1")) << errors[0];
}

TEST(Launchers, TheFirstNodeOfAList) {
  EXPECT_EQ(firstHost("gpu7"), "gpu7");
  EXPECT_EQ(firstHost("a,b[1-2]"), "a");
  EXPECT_EQ(firstHost("gpu[003-007,9],login"), "gpu003");
  EXPECT_EQ(firstHost("gpu[12,14]"), "gpu12");
  EXPECT_EQ(firstHost("rack[1-2]-node5,x"), "rack1-node5");
  EXPECT_EQ(firstHost("gpu["), "");
  EXPECT_EQ(firstHost("gpu[1-"), "");
  EXPECT_EQ(firstHost(""), "");
}

TEST(Launchers, Variables) {
  auto with = [](std::map<std::string, std::string> variables, auto &&check) {
    for (const auto &[name, value] : variables)
      ::setenv(name.c_str(), value.c_str(), 1);
    check();
    for (const auto &[name, value] : variables)
      ::unsetenv(name.c_str());
  };
  EXPECT_EQ(launchedOverTcp(), 0);
  with({{"RANK", "3"},
        {"WORLD_SIZE", "8"},
        {"LOCAL_WORLD_SIZE", "4"},
        {"MASTER_ADDR", "node0"},
        {"MASTER_PORT", "1234"},
        {"TORCHELASTIC_USE_AGENT_STORE", "True"}},
       [] {
         EXPECT_EQ(launchedOverTcp(), 8);
         TcpLaunch launch = readTcpLaunch();
         EXPECT_EQ(launch.meeting.rank, 3);
         EXPECT_EQ(launch.meeting.host, "node0");
         EXPECT_EQ(launch.meeting.port, 1235);
         EXPECT_EQ(launch.localRanks, 4);
       });
  with({{"SLURM_PROCID", "5"},
        {"SLURM_NTASKS", "6"},
        {"SLURM_JOB_ID", "31"},
        {"SLURM_STEP_ID", "2"},
        {"SLURM_STEP_TASKS_PER_NODE", "2(x3)"},
        {"SLURM_STEP_NODELIST", "n[04-06]"}},
       [] {
         EXPECT_EQ(launchedOverTcp(), 6);
         TcpLaunch launch = readTcpLaunch();
         EXPECT_EQ(launch.meeting.rank, 5);
         EXPECT_EQ(launch.meeting.host, "n04");
         EXPECT_EQ(launch.meeting.port, 20033);
         EXPECT_EQ(launch.localRanks, 2);
       });
  // A single one of torchrun's is nobody's.
  for (const char *name : {"RANK", "WORLD_SIZE", "MASTER_ADDR"})
    with({{name, "2"}}, [] { EXPECT_EQ(launchedOverTcp(), 0); });
  with({{"WORLD_SIZE", "2"}, {"MASTER_ADDR", "x"}}, [] { EXPECT_EQ(launchedOverTcp(), 0); });
  with({{"RANK", "0"}, {"WORLD_SIZE", "1"}}, [] { EXPECT_EQ(launchedOverTcp(), 1); });
}

TEST(Launchers, VariablesThatDoNotFit) {
  auto refused = [](std::map<std::string, std::string> variables) {
    for (const auto &[name, value] : variables)
      ::setenv(name.c_str(), value.c_str(), 1);
    txrt_error error = {};
    EXPECT_GT(launchedOverTcp(), 1);
    EXPECT_EQ(guarded(&error, [] { readTcpLaunch(); }), TXRT_USAGE);
    for (const auto &[name, value] : variables)
      ::unsetenv(name.c_str());
    return std::string(error.message);
  };
  const std::string rest = ": torchrun sets RANK, WORLD_SIZE and MASTER_ADDR; "
                           "unset RANK to run alone";
  EXPECT_EQ(refused({{"RANK", "1"}, {"WORLD_SIZE", "2"}}), "the environment has RANK=1, and no MASTER_ADDR" + rest);
  EXPECT_EQ(refused({{"RANK", "1"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", ""}}),
            "the environment has RANK=1, and no MASTER_ADDR" + rest);
  EXPECT_EQ(refused({{"RANK", "0"}, {"MASTER_ADDR", "x"}}), "the environment has RANK=0, and no WORLD_SIZE" + rest);
  EXPECT_EQ(refused({{"RANK", "0"}, {"WORLD_SIZE", "many"}, {"MASTER_ADDR", "x"}}),
            "the environment's WORLD_SIZE is 'many', must be 1 to 1048576");
  EXPECT_EQ(refused({{"RANK", "2"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "x"}}),
            "the environment's RANK is '2', must be 0 to 1");
}
