//===- InterruptTest.cpp - Every run can be ended -----------------------------------------------------------------===//

#include "Interrupt.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace txrun;

namespace {

/// What a process of its own leaves with, and after how many seconds.
struct Left {
  int status;
  double seconds;
};

Left leaves(const std::function<void()> &work) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point began = Clock::now();
  const pid_t process = ::fork();
  if (process == 0) {
    work();
    ::_exit(0);
  }
  Left left = {};
  ::waitpid(process, &left.status, 0);
  left.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  return left;
}

void spin() {
  for (volatile bool forever = true; forever;)
    ;
}

// Such as a library that asks for memory again and again.
TEST(Interrupt, WhatHangsIsLeft) {
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const Left left = leaves([=] {
      catchInterrupts();
      Patience patience(1);
      ::raise(signal);
      spin();
    });
    ASSERT_TRUE(WIFEXITED(left.status)) << signal;
    EXPECT_EQ(WEXITSTATUS(left.status), 130) << signal;
    EXPECT_GT(left.seconds, 0.5) << signal;
  }
  // Outside of all work it is a moment.
  const Left left = leaves([] {
    catchInterrupts();
    ::raise(SIGTERM);
    spin();
  });
  EXPECT_EQ(WEXITSTATUS(left.status), 130);
}

TEST(Interrupt, WhoLooksIsNotLeft) {
  const Left left = leaves([] {
    catchInterrupts();
    Patience patience(1);
    ::raise(SIGTERM);
    for (int i = 0; i < 15; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      if (!interrupted() || !terminated())
        ::_exit(1);
    }
    {
      Patience saving(Patience::endless);
      std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    }
    ::_exit(7);
  });
  ASSERT_TRUE(WIFEXITED(left.status));
  EXPECT_EQ(WEXITSTATUS(left.status), 7);
}

TEST(Interrupt, TheSecondSignalEndsAtOnce) {
  const Left left = leaves([] {
    catchInterrupts();
    Patience patience(Patience::endless);
    ::raise(SIGTERM);
    ::raise(SIGTERM);
    spin();
  });
  EXPECT_EQ(WEXITSTATUS(left.status), 130);
}

TEST(Interrupt, NohupHolds) {
  const Left left = leaves([] {
    ::signal(SIGHUP, SIG_IGN);
    catchInterrupts();
    ::raise(SIGHUP);
    ::_exit(interrupted() ? 1 : 7);
  });
  EXPECT_EQ(WEXITSTATUS(left.status), 7);
}

} // namespace
