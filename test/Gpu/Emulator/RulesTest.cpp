// What a GPU would punish is an error here, with the place and the reason.

#include "TestKernel.h"

#include <gtest/gtest.h>

using namespace ptx;

static void expectError(const std::string &body, const std::string &message, unsigned threads = 1,
                        unsigned blocks = 1) {
  TestRun run(body, {1, 2, 3, 4}, threads, blocks);
  EXPECT_NE(run.error.find(message), std::string::npos) << "'" << run.error << "' for " << body;
}

TEST(Rules, Bounds) {
  expectError("ld.global.b64 %d2, [%d0+32];", "out of bounds: 0 bytes behind the end of 32");
  expectError("ld.global.v2.b64 {%d2, %d3}, [%d0+32];", "'ld.global.v2.b64 {%d2, %d3}, [%d0+32];' has the address 0x");
  expectError("ld.global.b64 %d2, [%d0+-8];", "out of bounds");
  expectError("mov.b64 %d2, 0; st.global.b32 [%d2], 0;",
              "has the address 0x0, out of bounds: before all device memory");
  expectError(".shared .align 16 .b8 m[64]; mov.b32 %r1, m; st.shared.b32 [%r1+64], 0;",
              "outside of 64 bytes of shared memory");
  expectError("mov.b32 %r1, 0; st.shared.b32 [%r1], 0;", "outside of 0 bytes of shared memory");
}

TEST(Rules, Alignment) {
  expectError("ld.global.v4.b32 {%r1, %r2, %r3, %r4}, [%d0+8];", "no multiple of its 16 bytes");
  expectError("st.global.b32 [%d0+2], 0;", "no multiple of its 4 bytes");
}

TEST(Rules, ErrorsNameThePlace) {
  expectError("setp.eq.u32 %p1, %t, 37; @%p1 ld.global.b64 %d2, [%d0+64];", "k, line 8, block 0, thread 37", 64);
}

TEST(Rules, Races) {
  const char *everyone = "st.global.b32 [%d1], 7;";
  EXPECT_EQ(TestRun(everyone, {0}).error, "");
  expectError(everyone, "writes what thread 0 of block 0 accesses without a barrier between", 32);
  expectError(everyone, "writes what thread 0 of block 0 accesses", 1, 2);
  expectError("bar.sync 0; st.global.b32 [%d1], 7;", "writes what thread 0 of block 0", 1, 2); // not between blocks
  // One writes what others have read, and the other way round.
  expectError("ld.global.b32 %r1, [%d0]; setp.eq.u32 %p1, %t, 5; @%p1 st.global.b32 [%d0], %r1;", "writes what thread",
              64);
  expectError("setp.eq.u32 %p1, %t, 5; @%p1 st.global.b32 [%d0], 1; ld.global.b32 %r1, [%d0];", "reads what thread 5",
              64);
  EXPECT_EQ(
      TestRun("ld.global.b32 %r1, [%d0]; bar.sync 0; setp.eq.u32 %p1, %t, 5; @%p1 st.global.b32 [%d0], %r1;", {0}, 64)
          .error,
      "");
  // Neighbours are no race.
  EXPECT_EQ(
      TestRun("cvt.u64.u32 %d2, %t; add.u64 %d2, %d2, %d1; mov.b16 %h1, 1; st.global.b8 [%d2], %h1;", {0}, 64).error,
      "");
  TestRun unchecked("", {0});
  // A word, and then a part of it; and the other way round.
  const std::string byte = "mov.b16 %h1, 1; setp.eq.u32 %p1, %t, 5; ";
  expectError(byte + "ld.global.b32 %r1, [%d1]; @%p1 st.global.b8 [%d1+3], %h1;", "writes what thread", 64);
  expectError(byte + "@%p1 st.global.b8 [%d1+3], %h1; ld.global.b32 %r1, [%d1];", "reads what thread 5", 64);
  expectError("ld.global.b32 %r1, [%d1]; cvt.u64.u32 %d2, %t; add.u64 %d2, %d2, %d1; mov.b16 %h1, 1; "
              "st.global.b8 [%d2], %h1;",
              "writes what thread", 4);
  EXPECT_EQ(TestRun("ld.global.b32 %r1, [%d1]; bar.sync 0; cvt.u64.u32 %d2, %t; add.u64 %d2, %d2, %d1; mov.b16 %h1, 1; "
                    "st.global.b8 [%d2], %h1;",
                    {0}, 64)
                .error,
            "");
}

// A device has something in every register; nobody says what.
TEST(Rules, RegistersAreWrittenFirst) {
  const std::string message = "reads a register that was never written";
  expectError("add.s32 %r1, %r2, 1;", "thread 0: 'add.s32 %r1, %r2, 1;' " + message);
  expectError("mov.b32 %r2, 1; fma.rn.f32 %r1, %r2, %r2, %r3;", message);
  expectError("@%p1 mov.b32 %r1, 0;", message);
  expectError("ld.global.b64 %d2, [%d5];", message);
  expectError("st.global.b64 [%d1], %d5;", message);
  expectError("mov.b64 %d2, {%r1, %r2}; st.global.b64 [%d1], %d2;", "'st.global.b64 [%d1], %d2;' " + message);
  // Of a pair, who uses the half.
  const std::string pair =
      "mov.b32 %r1, 0; mov.b64 %d2, {%r1, %r2}; add.rn.f32x2 %d3, %d2, %d2; mov.b64 {%r3, %r4}, %d3;";
  EXPECT_EQ(TestRun(pair + "add.s32 %r5, %r3, 1;", {0}).error, "");
  expectError(pair + "add.s32 %r5, %r4, 1;", "'add.s32 %r5, %r4, 1;' " + message);
  expectError("shfl.sync.bfly.b32 %r1, %r2, 1, 31, -1;", message, 32);
  expectError("bar.sync %r1;", message, 32);
  expectError("mov.b32 %r1, 0; shfl.sync.bfly.b32 %r2, %r1, 1, 31, %r3;", message, 32);
  expectError("mov.b32 %r1, 0; @%p1 bra END; mov.b32 %r1, 1; END:", message);
  // By each thread, and in each block.
  const std::string once = "setp.eq.u32 %p1, %r3, 0; @%p1 mov.b32 %r1, 1; add.s32 %r2, %r1, 1;";
  expectError("mov.b32 %r3, %t; " + once, "block 0, thread 1", 2);
  expectError("mov.u32 %r3, %ctaid.x; " + once, "block 1, thread 0", 1, 2);
  EXPECT_EQ(
      TestRun("setp.eq.u32 %p1, %t, 0; @%p1 mov.b32 %r1, 1; @!%p1 mov.b32 %r1, 2; add.s32 %r2, %r1, 1;", {0}, 2).error,
      "");
}

TEST(Rules, RacesCanBeIgnored) {
  Device device;
  device.findsRaces = false;
  uint64_t x = device.allocate(8);
  Module module(kernelOf("st.global.b32 [%d1], 7;"));
  device.run(*module.find("k"), {{2, 1, 1}, {32, 1, 1}, 0, {&x, &x}});
  EXPECT_EQ(*reinterpret_cast<uint32_t *>(x), 7u);
}

TEST(Rules, SharedMemoryIsWrittenFirst) {
  expectError(".shared .align 4 .b8 m[64]; mov.b32 %r1, m; ld.shared.b32 %r2, [%r1];",
              "reads shared memory that nobody wrote, at byte 0");
  // Also by the block itself: nothing is left of the block before.
  expectError(".shared .align 4 .b8 m[64]; mov.b32 %r1, m; mov.u32 %r2, %ctaid.x; setp.eq.u32 %p1, %r2, 0; @%p1 "
              "st.shared.b32 [%r1], 1;"
              "ld.shared.b32 %r3, [%r1];",
              "line 8, block 1, thread 0", 1, 2);
}

TEST(Rules, DynamicSharedMemory) {
  Device device;
  uint64_t x = device.allocate(8);
  Module module(".version 7.8\n.extern .shared .align 16 .b8 all[];\n" +
                kernelOf(".shared .align 4 .b8 m[4]; mov.b32 %r1, all; mov.b32 %r2, m; st.shared.b32 [%r2], 1; "
                         "st.shared.b32 [%r1+12], 2;"
                         "sub.u32 %r3, %r1, %r2; st.global.b32 [%d0], %r3;")
                    .substr(13));
  const Kernel *kernel = module.find("k");
  device.run(*kernel, {{1, 1, 1}, {1, 1, 1}, 16, {&x, &x}});
  EXPECT_EQ(*reinterpret_cast<uint32_t *>(x), 16u);
  EXPECT_THROW(device.run(*kernel, {{1, 1, 1}, {1, 1, 1}, 8, {&x, &x}}), Error);
}

TEST(Rules, Text) {
  expectError("add.f32 %r1, %r2, %r3;", "may become part of a fused multiply-add");
  expectError("frob.b32 %r1, %r2;", "PTX, line 8: k: 'frob.b32 %r1, %r2;' is unknown here");
  expectError("add.s32 %r1, %r2;", "has 2 operands, 3 expected");
  expectError("add.s32 %r1, %r2, %q;", "'%q' is unknown in k");
  expectError("bra NOWHERE;", "no label 'NOWHERE' in k");
  expectError("call.uni f;", "is unknown in k");
  expectError("ld.local.b32 %r1, [%r2];", "uses local memory");
  expectError("ld.volatile.global.b32 %r1, [%d0];", "has the modifier .volatile");
  expectError("add.s32 %r1, %r2, %r3", "");
  for (const char *text : {"", "hello", ".version 7.8 .entry k {", ".version 7.8 .global .b32 x;"})
    EXPECT_THROW(Module module(text), Error) << text;
}

TEST(Rules, Launches) {
  Device device;
  uint64_t x = 0;
  Module module(".version 7.8\n.visible .entry k(.param .u64 a) .maxntid 64, 1, 1 { ret; }");
  const Kernel *kernel = module.find("k");
  ASSERT_NE(kernel, nullptr);
  EXPECT_EQ(module.find("l"), nullptr);
  EXPECT_EQ(parameterSizes(*kernel), std::vector<unsigned>{8});
  EXPECT_NO_THROW(device.run(*kernel, {{1, 1, 1}, {64, 1, 1}, 0, {&x}}));
  EXPECT_THROW(device.run(*kernel, {{1, 1, 1}, {65, 1, 1}, 0, {&x}}), Error);
  EXPECT_THROW(device.run(*kernel, {{1, 1, 1}, {0, 1, 1}, 0, {&x}}), Error);
  EXPECT_THROW(device.run(*kernel, {{1, 1, 1}, {64, 1, 1}, 0, {}}), Error);
}
