// What every backend passes: the interface's promises, and, for those that execute, the same values whatever the number
// of threads.

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>

namespace {

// Each backend of core/Backends.cpp is in one of these lists. cuda runs on test/Runtime/FakeCuda here, whatever the
// machine has.
const char *const executing[] = {"host", "cuda"};
const char *const printing[] = {"dryrun"};

class Conformance : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    TestArtifact small = smallArtifact();
    if (strcmp(GetParam(), "cuda") == 0)
      small.addGpuCode();
    std::vector<uint8_t> bytes = small.bytes();
    ASSERT_EQ(txrt_artifact_open_memory(bytes.data(), bytes.size(), "test.txa", &artifact, &error), TXRT_OK)
        << error.message;
    output = tmpfile();
    start(1);
  }
  void TearDown() override {
    txrt_session_destroy(session);
    txrt_artifact_close(artifact);
    fclose(output);
  }

  void start(int threads) {
    if (session)
      txrt_session_destroy(session);
    session = nullptr;
    txrt_options options = {};
    options.backend = GetParam();
    options.threads = threads;
    options.output = output;
    ASSERT_EQ(txrt_session_create(artifact, &options, &session, &error), TXRT_OK) << error.message;
  }

  void run(const char *entry) {
    ASSERT_EQ(txrt_session_run(session, txrt_session_find_entry(session, entry), &error), TXRT_OK) << error.message;
  }

  template <typename T> void set(txrt_segment segment, uint64_t offset, const std::vector<T> &values) {
    EXPECT_EQ(txrt_session_write(session, segment, offset, values.size() * sizeof(T), values.data(), &error), TXRT_OK)
        << error.message;
  }

  std::vector<float> get(txrt_segment segment, uint64_t offset, uint64_t count) {
    std::vector<float> values(count);
    EXPECT_EQ(txrt_session_read(session, segment, offset, count * 4, values.data(), &error), TXRT_OK) << error.message;
    return values;
  }

  std::string printed() {
    std::string text(static_cast<size_t>(ftell(output)), '\0');
    rewind(output);
    EXPECT_EQ(fread(&text[0], 1, text.size(), output), text.size());
    return text;
  }

  txrt_artifact *artifact = nullptr;
  txrt_session *session = nullptr;
  FILE *output = nullptr;
  txrt_error error = {};
};

class Executes : public Conformance {};
class Prints : public Conformance {};

TEST_P(Conformance, Entries) {
  EXPECT_EQ(txrt_session_entry_count(session), 2);
  EXPECT_STREQ(txrt_session_entry_name(session, 0), "weigh");
  EXPECT_STREQ(txrt_session_entry_name(session, 1), "product");
  EXPECT_EQ(txrt_session_entry_name(session, 2), nullptr);
  EXPECT_EQ(txrt_session_find_entry(session, "product"), 1);
  EXPECT_EQ(txrt_session_find_entry(session, "other"), -1);
  EXPECT_EQ(txrt_session_find_entry(session, nullptr), -1);
  EXPECT_EQ(txrt_session_launch_count(session, 0), 2);
  EXPECT_EQ(txrt_session_launch_count(session, 1), 1);
  EXPECT_EQ(txrt_session_launch_count(session, -1), -1);
  EXPECT_EQ(txrt_session_run(session, 2, &error), TXRT_USAGE);
  EXPECT_EQ(txrt_session_run(session, -1, nullptr), TXRT_USAGE);
  EXPECT_NE(strstr(txrt_session_description(session), GetParam()), nullptr);
}

TEST_P(Conformance, LaunchInfo) {
  txrt_launch_info info;
  ASSERT_EQ(txrt_session_launch_info(session, 0, 0, &info, &error), TXRT_OK);
  EXPECT_STREQ(info.name, "h.0.weigh");
  EXPECT_STREQ(info.kernel, "weigh");
  EXPECT_EQ(info.kind, TXRT_LAUNCH_KERNEL);
  EXPECT_EQ(info.phase, TXRT_PHASE_FORWARD);
  EXPECT_EQ(info.layer, 0);
  EXPECT_EQ(info.flops, 60u);
  EXPECT_EQ(info.bytes, 480u);
  EXPECT_EQ(info.units, 60u);
  EXPECT_EQ(info.grain, 7u);
  ASSERT_EQ(txrt_session_launch_info(session, 1, 0, &info, &error), TXRT_OK);
  EXPECT_STREQ(info.kernel, "gemm");
  EXPECT_STREQ(txrt_phase_name(info.phase), "backward");
  EXPECT_EQ(info.layer, -1);
  EXPECT_EQ(info.gemm[0], 4u);
  EXPECT_EQ(info.gemm[1], 5u);
  EXPECT_EQ(info.gemm[2], 3u);
  EXPECT_EQ(info.batch, 1u);
  EXPECT_EQ(txrt_session_launch_info(session, 1, 1, &info, &error), TXRT_USAGE);
  EXPECT_EQ(txrt_session_launch_info(session, 2, 0, &info, &error), TXRT_USAGE);
}

TEST_P(Executes, Profile) {
  run("weigh");
  txrt_launch_info info;
  txrt_session_launch_info(session, 0, 0, &info, &error);
  EXPECT_EQ(info.runs, 0u);
  txrt_session_profile(session, 1);
  run("weigh");
  run("weigh");
  txrt_session_launch_info(session, 0, 0, &info, &error);
  EXPECT_EQ(info.runs, 2u);
  EXPECT_GT(info.seconds, 0.0);
  EXPECT_LT(info.seconds, 1.0);
  txrt_session_launch_info(session, 1, 0, &info, &error);
  EXPECT_EQ(info.runs, 0u);
  txrt_session_profile(session, 0);
  run("weigh");
  txrt_session_launch_info(session, 0, 0, &info, &error);
  EXPECT_EQ(info.runs, 2u);
}

// Only a device has memory of its own; its arena is there, then.
TEST_P(Executes, DeviceMemory) {
  txrt_device_memory memory;
  ASSERT_EQ(txrt_session_device_memory(session, &memory, &error), TXRT_OK);
  if (memory.total == 0)
    EXPECT_EQ(memory.arena + memory.libraries + memory.context, 0u);
  else
    EXPECT_GE(memory.arena, txrt_session_arena_bytes(session));
}

TEST_P(Executes, NoAllocationInSteps) {
  for (int threads : {1, 2}) {
    start(threads);
    for (int i = 0; i < 3; ++i) {
      run("weigh");
      run("product");
    }
    // -1: the sanitizers' allocator is not counted.
    EXPECT_LE(txrt_session_step_allocations(session), 0);
  }
}

// Who makes a session need not write zeros into it.
TEST_P(Executes, TheArenaBeginsAsZeros) {
  for (uint32_t s = 0; s < TXRT_SEGMENT_COUNT; ++s) {
    const auto segment = static_cast<txrt_segment>(s);
    std::vector<uint8_t> bytes(txrt_artifact_segment_bytes(artifact, segment), 1);
    ASSERT_EQ(txrt_session_read(session, segment, 0, bytes.size(), bytes.data(), &error), TXRT_OK) << error.message;
    EXPECT_EQ(bytes, std::vector<uint8_t>(bytes.size())) << "segment " << s;
  }
}

TEST_P(Executes, KernelsGiveTheValues) {
  for (int threads : {1, 2, 3, 5}) {
    start(threads);
    EXPECT_EQ(txrt_session_threads(session), threads);
    std::vector<float> in(60);
    for (int i = 0; i < 60; ++i)
      in[i] = static_cast<float>(i) * 0.25f;
    set(TXRT_SEGMENT_ARGUMENT, 0, in);
    run("weigh");
    std::vector<float> out = get(TXRT_SEGMENT_TRANSIENT, 0, 60);
    for (int i = 0; i < 60; ++i)
      ASSERT_EQ(out[i], in[i] * (0.5f + static_cast<float>(i % 8)) + 3.0f);
  }
}

// The reset flag makes a product overwrite; without it, it adds.
TEST_P(Executes, ProductsOverwriteOrAdd) {
  std::vector<float> a(12), b(15);
  for (int i = 0; i < 12; ++i)
    a[i] = static_cast<float>(i + 1);
  for (int i = 0; i < 15; ++i)
    b[i] = static_cast<float>(i - 7);
  set(TXRT_SEGMENT_ARGUMENT, 256, a);
  set(TXRT_SEGMENT_ARGUMENT, 320, b);
  set(TXRT_SEGMENT_PERSISTENT, 0, std::vector<float>(20, NAN));
  for (int times = 1; times <= 3; ++times) {
    set<uint8_t>(TXRT_SEGMENT_ARGUMENT, 448, {times == 1});
    run("product");
    std::vector<float> c = get(TXRT_SEGMENT_PERSISTENT, 0, 20);
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 5; ++j) {
        float sum = 0;
        for (int p = 0; p < 3; ++p)
          sum += a[i * 3 + p] * b[p * 5 + j];
        ASSERT_EQ(c[i * 5 + j], sum * static_cast<float>(times));
      }
  }
}

TEST_P(Executes, TwoSessionsOfOneArtifact) {
  txrt_session *other = nullptr;
  txrt_options options = {};
  options.backend = GetParam();
  options.threads = 2;
  options.output = output;
  ASSERT_EQ(txrt_session_create(artifact, &options, &other, &error), TXRT_OK);
  set<float>(TXRT_SEGMENT_ARGUMENT, 0, {8});
  run("weigh");
  EXPECT_EQ(get(TXRT_SEGMENT_TRANSIENT, 0, 1)[0], 7.0f);
  float theirs = -1;
  ASSERT_EQ(txrt_session_read(other, TXRT_SEGMENT_TRANSIENT, 0, 4, &theirs, &error), TXRT_OK);
  EXPECT_EQ(theirs, 0.0f);
  txrt_session_destroy(other);
}

TEST_P(Prints, KeepsNothing) {
  EXPECT_EQ(txrt_session_arena_bytes(session), 0u);
  float value = 0;
  EXPECT_EQ(txrt_session_read(session, TXRT_SEGMENT_ARGUMENT, 0, 4, &value, &error), TXRT_USAGE);
  EXPECT_EQ(txrt_session_write(session, TXRT_SEGMENT_ARGUMENT, 0, 4, &value, &error), TXRT_USAGE);
  run("weigh");
  run("product");
  EXPECT_EQ(printed(),
            "entry @weigh: 2 launches, from 0 on, arena 896 bytes\n"
            "0 kernel h.0.weigh forward layer 0: @weigh units 60 grain 7 immediates 0x00000000; "
            "0 f32 argument+0x0 (240) -> 1 f32 transient+0x0 (240) flops 60 bytes 480\n"
            "1 kernel bump recompute: @bump units 60 grain 16 immediates 0x00000001,0x00000002; "
            "-> 0 f32 transient+0x0 (240) flops 60 bytes 240\n"
            "entry @product: 1 launches, from 2 on, arena 896 bytes\n"
            "2 gemm lm_head.dW backward: m 4 n 5 k 3 alpha 1 beta 1; a f32 argument+0x100 (48) lda 3 "
            "b f32 argument+0x140 (60) ldb 5 reset i1 argument+0x1c0 (1) -> c f32 persistent+0x0 (80) \"c\" ldc 5 "
            "flops 120 bytes 189\n");
}

std::string nameOf(const testing::TestParamInfo<const char *> &info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Running, Conformance, testing::ValuesIn(executing), nameOf);
INSTANTIATE_TEST_SUITE_P(Printing, Conformance, testing::ValuesIn(printing), nameOf);
INSTANTIATE_TEST_SUITE_P(Running, Executes, testing::ValuesIn(executing), nameOf);
INSTANTIATE_TEST_SUITE_P(Printing, Prints, testing::ValuesIn(printing), nameOf);

} // namespace
