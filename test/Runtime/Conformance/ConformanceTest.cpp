// What every backend passes: the interface's promises, and, for those that
// execute, the same values whatever the number of threads.

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstring>

namespace {

// Each backend of core/Backends.cpp is in one of these lists.
const char *const executing[] = {"host"};
const char *const printing[] = {"dryrun"};

class Conformance : public testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    std::vector<uint8_t> bytes = smallArtifact().bytes();
    ASSERT_EQ(txrt_artifact_open_memory(bytes.data(), bytes.size(), "test.txa",
                                        &artifact, &error),
              TXRT_OK)
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
    txrt_options options = {GetParam(), threads, output};
    ASSERT_EQ(txrt_session_create(artifact, &options, &session, &error),
              TXRT_OK)
        << error.message;
  }

  void run(const char *entry) {
    ASSERT_EQ(txrt_session_run(session, txrt_session_find_entry(session, entry),
                               &error),
              TXRT_OK)
        << error.message;
  }

  template <typename T = float>
  T *data(txrt_segment segment, uint64_t offset, uint64_t count) {
    void *address = txrt_session_data(session, segment, offset,
                                      count * sizeof(T), &error);
    EXPECT_NE(address, nullptr) << error.message;
    return static_cast<T *>(address);
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
  EXPECT_NE(strstr(txrt_session_description(session), GetParam()),
            nullptr);
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

TEST_P(Conformance, Profile) {
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

TEST_P(Executes, KernelsGiveTheValues) {
  for (int threads : {1, 2, 3, 5}) {
    start(threads);
    EXPECT_EQ(txrt_session_threads(session), threads);
    float *in = data(TXRT_SEGMENT_ARGUMENT, 0, 60);
    for (int i = 0; i < 60; ++i)
      in[i] = static_cast<float>(i) * 0.25f;
    run("weigh");
    const float *out = data(TXRT_SEGMENT_TRANSIENT, 0, 60);
    for (int i = 0; i < 60; ++i)
      ASSERT_EQ(out[i], in[i] * (0.5f + static_cast<float>(i % 8)) + 3.0f);
  }
}

// The reset flag makes a product overwrite; without it, it adds.
TEST_P(Executes, ProductsOverwriteOrAdd) {
  float *a = data(TXRT_SEGMENT_ARGUMENT, 256, 12);
  float *b = data(TXRT_SEGMENT_ARGUMENT, 320, 15);
  float *c = data(TXRT_SEGMENT_PERSISTENT, 0, 20);
  auto *reset = data<uint8_t>(TXRT_SEGMENT_ARGUMENT, 448, 1);
  for (int i = 0; i < 12; ++i)
    a[i] = static_cast<float>(i + 1);
  for (int i = 0; i < 15; ++i)
    b[i] = static_cast<float>(i - 7);
  for (int i = 0; i < 20; ++i)
    c[i] = NAN;
  for (int times = 1; times <= 3; ++times) {
    *reset = times == 1;
    run("product");
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
  txrt_options options = {GetParam(), 2, output};
  ASSERT_EQ(txrt_session_create(artifact, &options, &other, &error), TXRT_OK);
  data(TXRT_SEGMENT_ARGUMENT, 0, 60)[0] = 8;
  run("weigh");
  EXPECT_EQ(data(TXRT_SEGMENT_TRANSIENT, 0, 60)[0], 7.0f);
  auto *theirs = static_cast<float *>(
      txrt_session_data(other, TXRT_SEGMENT_TRANSIENT, 0, 4, &error));
  EXPECT_EQ(*theirs, 0.0f);
  txrt_session_destroy(other);
}

TEST_P(Prints, KeepsNothing) {
  EXPECT_EQ(txrt_session_arena_bytes(session), 0u);
  EXPECT_EQ(txrt_session_data(session, TXRT_SEGMENT_ARGUMENT, 0, 4, &error),
            nullptr);
  EXPECT_EQ(error.code, TXRT_USAGE);
  run("weigh");
  run("product");
  EXPECT_EQ(
      printed(),
      "entry @weigh: 2 launches, arena 896 bytes\n"
      "kernel h.0.weigh forward layer 0: @weigh units 60 grain 7 "
      "immediates 0x00000000; 0 f32 argument+0x0 (240) 1 f32 transient+0x0 "
      "(240) out flops 60 bytes 480\n"
      "kernel bump recompute: @bump units 60 grain 16 "
      "immediates 0x00000001,0x00000002; 0 f32 transient+0x0 (240) out "
      "flops 60 bytes 240\n"
      "entry @product: 1 launches, arena 896 bytes\n"
      "gemm lm_head.dW backward: m 4 n 5 k 3 NN alpha 1 beta 1 lda 3 ldb 5 "
      "ldc 5; a f32 argument+0x100 (48) b f32 argument+0x140 (60) "
      "c f32 persistent+0x0 (80) out reset i1 argument+0x1c0 (1) "
      "flops 120 bytes 189\n");
}

std::string nameOf(const testing::TestParamInfo<const char *> &info) {
  return info.param;
}

INSTANTIATE_TEST_SUITE_P(Running, Conformance, testing::ValuesIn(executing),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Printing, Conformance, testing::ValuesIn(printing),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Running, Executes, testing::ValuesIn(executing),
                         nameOf);
INSTANTIATE_TEST_SUITE_P(Printing, Prints, testing::ValuesIn(printing), nameOf);

} // namespace
