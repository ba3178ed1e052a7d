// What threads do together: shuffles, barriers, copies, matrices.

#include "Floats.h"
#include "TestKernel.h"

#include <gtest/gtest.h>
#include <random>

using namespace ptx;

namespace {
const char *kStore = " cvt.u64.u32 %d2, %r2; mul.wide.u32 %d3, %t, 8; add.u64 %d3, %d3, %d1; st.global.b64 [%d3], %d2;";

std::vector<uint64_t> shuffled(const std::string &text) {
  TestRun run("mov.b32 %r2, 99; " + text + kStore, {0}, 32);
  EXPECT_EQ(run.error, "");
  return run.out;
}
} // namespace

TEST(Shuffle, EachDirection) {
  auto bfly = shuffled("shfl.sync.bfly.b32 %r2, %t, 5, 31, -1;"), up = shuffled("shfl.sync.up.b32 %r2, %t, 3, 0, -1;"),
       down = shuffled("shfl.sync.down.b32 %r2, %t, 3, 31, -1;"),
       idx = shuffled("shfl.sync.idx.b32 %r2, %t, 7, 31, -1;"),
       halves = shuffled("shfl.sync.down.b32 %r2, %t, 1, 0x100f, -1;"), // segments of 16
      range = shuffled("shfl.sync.down.b32 %r3|%p1, %t, 30, 31, -1; selp.b32 %r2, 1, 0, %p1;");
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(bfly[lane], lane ^ 5);
    EXPECT_EQ(up[lane], lane < 3 ? lane : lane - 3);
    EXPECT_EQ(down[lane], lane + 3 > 31 ? lane : lane + 3);
    EXPECT_EQ(idx[lane], 7u);
    EXPECT_EQ(halves[lane], lane % 16 == 15 ? lane : lane + 1);
    EXPECT_EQ(range[lane], lane < 2 ? 1u : 0u);
  }
}

TEST(Shuffle, HalvesOfAWarp) {
  auto found = shuffled("setp.lt.u32 %p1, %t, 16; @!%p1 bra HIGH;"
                        "shfl.sync.bfly.b32 %r2, %t, 8, 31, 0xffff; bra END;"
                        "HIGH: shfl.sync.bfly.b32 %r2, %t, 4, 31, 0xffff0000; END:");
  for (unsigned lane = 0; lane < 32; ++lane)
    EXPECT_EQ(found[lane], lane ^ (lane < 16 ? 8 : 4));
}

TEST(Shuffle, VotesAndReductions) {
  EXPECT_EQ(shuffled("setp.lt.u32 %p1, %t, 3; vote.sync.ballot.b32 %r2, %p1, -1;")[9], 7u);
  EXPECT_EQ(shuffled("setp.lt.u32 %p1, %t, 3; vote.sync.all.pred %p2, %p1, -1; selp.b32 %r2, 1, 0, %p2;")[9], 0u);
  EXPECT_EQ(shuffled("redux.sync.add.u32 %r2, %t, -1;")[9], 31u * 16);
}

TEST(Shuffle, Refusals) {
  const char *conditional =
      "setp.lt.u32 %p1, %t, 16; @!%p1 bra END; shfl.sync.bfly.b32 %r2, %t, 8, 31, -1; END: bar.warp.sync -1;";
  EXPECT_NE(TestRun(conditional, {0}, 32).error.find("waits for threads of its warp that never come"),
            std::string::npos);
  EXPECT_NE(TestRun("shfl.sync.bfly.b32 %r2, %t, 8, 31, 0xffff;", {0}, 32).error.find("that its mask does not name"),
            std::string::npos);
  EXPECT_NE(TestRun("setp.lt.u32 %p1, %t, 16; @%p1 shfl.sync.idx.b32 %r2, %t, 20, 31, 0xffff;", {0}, 32)
                .error.find("lane 20, which does not take part"),
            std::string::npos);
}

TEST(Barrier, OrdersSharedMemory) {
  const std::string
      head = ".shared .align 16 .b8 memory[512]; mov.b32 %r1, memory; shl.b32 %r3, %t, 2; add.u32 %r4, %r1, %r3;"
             "st.shared.b32 [%r4], %t;",
      tail = "sub.u32 %r5, 508, %r3; add.u32 %r5, %r1, %r5; ld.shared.b32 %r2, [%r5];";
  TestRun run(head + "bar.sync 0;" + tail + kStore, {0}, 128);
  ASSERT_EQ(run.error, "");
  for (unsigned t = 0; t < 128; ++t)
    EXPECT_EQ(run.out[t], 127 - t);
  EXPECT_NE(TestRun(head + "bar.warp.sync -1;" + tail + kStore, {0}, 128).error, "");
  // Within a warp, a barrier of the warp is enough; none is not.
  const std::string near = "xor.b32 %r5, %r4, 4; ld.shared.b32 %r2, [%r5];";
  EXPECT_EQ(TestRun(head + "bar.warp.sync -1;" + near + kStore, {0}, 128).error, "");
  EXPECT_NE(TestRun(head + near + kStore, {0}, 128).error.find("without a barrier between"), std::string::npos);
}

TEST(Barrier, Refusals) {
  // Some threads of a warp.
  EXPECT_NE(TestRun("setp.lt.u32 %p1, %t, 16; @%p1 bar.sync 0; bar.warp.sync 0xffff;", {0}, 32).error, "");
  // Warps that wait for each other at different barriers.
  EXPECT_NE(TestRun("setp.lt.u32 %p1, %t, 32; @%p1 bra A; bar.sync 1; bra B; A: bar.sync 0; B:", {0}, 64)
                .error.find("waits for threads that never come"),
            std::string::npos);
  // Those that have left are not waited for.
  EXPECT_EQ(TestRun("setp.lt.u32 %p1, %t, 32; @%p1 ret; bar.sync 0;", {0}, 64).error, "");
}

// One word of shared memory that all threads of three warps read, and the first then writes: of its warp, of a warp
// that it meets, and of one that it does not.
TEST(Barrier, OrdersThoseWhoMeet) {
  auto error = [](const std::string &meeting) {
    return TestRun(".shared .align 16 .b8 memory[16]; mov.b32 %r1, memory; shr.u32 %r3, %t, 5; setp.eq.u32 %p1, %t, 0;"
                   "setp.lt.u32 %p2, %t, 64; @%p1 st.shared.b32 [%r1], 5; bar.sync 0; ld.shared.b32 %r2, [%r1];" +
                       meeting + "@%p1 st.shared.b32 [%r1], 6;",
                   {0}, 96)
        .error;
  };
  EXPECT_EQ(error("bar.sync 0;"), "");
  EXPECT_EQ(error("bar.sync 1, 96;"), "");
  EXPECT_EQ(error("bar.sync 1; bar.warp.sync -1;"), "");
  EXPECT_NE(
      error("@!%p2 bra END; bar.sync 1, 64; END:").find("writes what thread 64 of block 0 accesses without a barrier"),
      std::string::npos);
  EXPECT_NE(error("bar.warp.sync -1;").find("without a barrier between"), std::string::npos);
  // Over a third: what the second knows of the last.
  EXPECT_EQ(
      error("setp.gt.u32 %p3, %t, 31; @!%p3 bra FIRST; bar.sync 2, 64; FIRST: @!%p2 bra END; bar.sync 1, 64; END:"),
      "");
}

// Two pairs of warps at one barrier may meet crosswise, also where here one pair came first.
TEST(Barrier, ChanceSaysNotWhoMeets) {
  auto error = [](const std::string &body) { return TestRun("setp.lt.u32 %p1, %t, 64;" + body, {0}, 128).error; };
  const std::string chance = "who meets whom is chance";
  EXPECT_NE(error("bar.sync 1, 64;").find("barrier 1 waits for 64 threads and 128 have come: " + chance),
            std::string::npos);
  EXPECT_EQ(error("selp.b32 %r1, 1, 2, %p1; bar.sync %r1, 64;"), "");
  EXPECT_NE(error("@%p1 bra A; bar.sync 2, 64; A: bar.sync 1, 64;")
                .find("barrier 1 has had other warps before, and nothing orders warp 2 after them: " + chance),
            std::string::npos);
  EXPECT_EQ(error("@!%p1 bra A; bar.sync 1, 64; A: bar.sync 0; @%p1 bra B; bar.sync 1, 64; B:"), "");
  EXPECT_EQ(error("@%p1 bra A; bar.sync 2, 64; bar.sync 2, 64; bra B; A: bar.sync 1, 64; bar.sync 1, 64; B:"), "");
  EXPECT_NE(error("@!%p1 bra END; setp.lt.u32 %p2, %t, 32; selp.b32 %r1, 64, 32, %p2; bar.sync 1, %r1; END:")
                .find("is asked for different numbers of threads"),
            std::string::npos);
}

TEST(AsynchronousCopies, ArriveWhenAWaitSaysSo) {
  const std::string copy = ".shared .align 16 .b8 memory[32]; mov.b32 %r1, memory;"
                           "cp.async.cg.shared.global [%r1], [%d0], 16; cp.async.commit_group;"
                           "cp.async.ca.shared.global [%r1+16], [%d0+16], 8, 4; cp.async.commit_group;";
  const std::string read = "ld.shared.b64 %d2, [%r1+8]; st.global.b64 [%d1], %d2;";
  TestRun run(copy + "cp.async.wait_group 1;" + read, {1, 2, 0x300000004});
  EXPECT_EQ(run.error, "");
  EXPECT_EQ(run.out[0], 2u);
  EXPECT_NE(TestRun(copy + read, {1, 2, 3}).error.find("asynchronous copy has not reached"), std::string::npos);
  TestRun part(copy + "cp.async.wait_all; ld.shared.b64 %d2, [%r1+16]; st.global.b64 [%d1], %d2;", {1, 2, 0x300000004});
  EXPECT_EQ(part.error, "");
  EXPECT_EQ(part.out[0], 4u); // the rest is zeros
}

// A B + C through shared memory, as generated kernels do it; the truth in double.
TEST(Matrices, Product) {
  std::mt19937 random(1);
  // A 16x16 row-major, B 16x8 row-major, C 16x8 f32.
  std::vector<uint64_t> in((16 * 16 * 2 + 16 * 8 * 2 + 16 * 8 * 4) / 8);
  auto *narrows = reinterpret_cast<uint16_t *>(in.data());
  for (int i = 0; i < 16 * 16 + 16 * 8; ++i)
    narrows[i] = narrow(static_cast<float>(static_cast<int>(random() % 33) - 16) / 8).bits;
  auto *c = reinterpret_cast<float *>(narrows + 16 * 16 + 16 * 8);
  for (int i = 0; i < 16 * 8; ++i)
    c[i] = static_cast<float>(random() % 16);
  TestRun run(R"(
    .shared .align 16 .b8 memory[768];
    mov.b32 %r1, memory;
    mul.wide.u32 %d2, %t, 24; add.u64 %d2, %d2, %d0; mad.lo.u32 %r2, %t, 24, %r1;
    ld.global.b64 %d3, [%d2]; st.shared.b64 [%r2], %d3;
    ld.global.b64 %d3, [%d2+8]; st.shared.b64 [%r2+8], %d3;
    ld.global.b64 %d3, [%d2+16]; st.shared.b64 [%r2+16], %d3;
    bar.sync 0;
    and.b32 %r3, %t, 15; shr.u32 %r4, %t, 4;               // row; which eight columns
    shl.b32 %r5, %r3, 5; shl.b32 %r6, %r4, 4; add.u32 %r5, %r5, %r6; add.u32 %r5, %r5, %r1;
    ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, [%r5];
    shl.b32 %r7, %r3, 4; add.u32 %r7, %r7, %r1;
    ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r14, %r15}, [%r7+512];
    shr.u32 %r8, %t, 2; and.b32 %r9, %t, 3; shl.b32 %r8, %r8, 5; shl.b32 %r9, %r9, 3; add.u32 %r8, %r8, %r9;
    cvt.u64.u32 %d4, %r8; add.u64 %d5, %d4, %d0; add.u64 %d6, %d4, %d1;
    ld.global.v2.b32 {%r16, %r17}, [%d5+768]; ld.global.v2.b32 {%r18, %r19}, [%d5+1024];
    mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%r20, %r21, %r22, %r23}, {%r10, %r11, %r12, %r13}, {%r14, %r15}, {%r16, %r17, %r18, %r19};
    st.global.v2.b32 [%d6], {%r20, %r21}; st.global.v2.b32 [%d6+256], {%r22, %r23};)",
              in, 32, 1, 64);
  ASSERT_EQ(run.error, "");
  auto *found = reinterpret_cast<const float *>(run.out.data());
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 8; ++j) {
      float sum = c[i * 8 + j];
      for (int p = 0; p < 16; ++p) // all of these numbers are exact
        sum += widen(Bf16{narrows[i * 16 + p]}) * widen(Bf16{narrows[256 + p * 8 + j]});
      EXPECT_EQ(found[i * 8 + j], sum) << i << ", " << j;
    }
}

TEST(Matrices, NeedAWholeWarp) {
  EXPECT_NE(
      TestRun("setp.lt.u32 %p1, %t, 16; @%p1 ret; ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r2}, [%r3];", {0}, 32)
          .error.find("needs all 32 threads"),
      std::string::npos);
}
