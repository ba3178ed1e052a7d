// What is the host backend's own: target, memory, threads, planned = allocated.

#include "TestArtifact.h"
#include "backends/host/CpuFeatures.h"
#include "core/AllocationCounter.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

namespace {

txrt_error createError(const TestArtifact &a, txrt_options options = {}) {
  std::vector<uint8_t> bytes = a.bytes();
  txrt_error error = {};
  txrt_artifact *artifact = nullptr;
  EXPECT_EQ(txrt_artifact_open_memory(bytes.data(), bytes.size(), "test.txa", &artifact, &error), TXRT_OK)
      << error.message;
  if (!artifact)
    return error;
  txrt_session *session;
  if (txrt_session_create(artifact, &options, &session, &error) == TXRT_OK)
    txrt_session_destroy(session);
  txrt_artifact_close(artifact);
  return error;
}

void refused(txrt_status code, const char *message, const TestArtifact &a, txrt_options options = {}) {
  txrt_error error = createError(a, options);
  EXPECT_EQ(error.code, code) << error.message;
  EXPECT_NE(strstr(error.message, message), nullptr) << "expected: " << message << "\ngot: " << error.message;
}

} // namespace

TEST(Host, WrongTarget) {
  TestArtifact a = smallArtifact();
  a.features = "\"sse2\", \"xop\", \"fma4\"";
  if (txrt::cpuFeature("xop") == txrt::Feature::Absent)
    refused(TXRT_DEVICE, "built for xop, fma4, this CPU has no xop, fma4", a);
  a.features = "\"warp-drive\"";
  refused(TXRT_DEVICE, "'warp-drive', which this runtime does not know", a);
  a = smallArtifact();
  a.triple = "aarch64-unknown-linux-gnu";
  refused(TXRT_DEVICE, "built for aarch64-unknown-linux-gnu, this is x86_64", a);
  a = smallArtifact();
  a.backend = "cuda";
  txrt_options host = {};
  host.backend = "host";
  a.features = "\"sm_90\", \"compute_80\"";
  refused(TXRT_DEVICE, "built for backend 'cuda' (sm_90, compute_80), this is 'host'; compile it with --target=host", a,
          host);
}

TEST(Host, FeaturesByName) {
  EXPECT_EQ(txrt::cpuFeature("sse2"), txrt::Feature::Present);
  EXPECT_EQ(txrt::cpuFeature("64bit"), txrt::Feature::Present);
  EXPECT_EQ(txrt::cpuFeature("avx9000"), txrt::Feature::Unknown);
  EXPECT_EQ(txrt::cpuFeature("avx2") == txrt::Feature::Present, bool(__builtin_cpu_supports("avx2")));
  EXPECT_EQ(txrt::cpuFeature("avx512f") == txrt::Feature::Present, bool(__builtin_cpu_supports("avx512f")));
}

TEST(Host, NoCode) {
  TestArtifact a = smallArtifact();
  a.elf.clear();
  refused(TXRT_BAD_INPUT, "has no code for the host", a);
}

TEST(Host, Bf16ProductWithoutItsFunctionIsRefused) {
  TestArtifact a = smallArtifact();
  uint32_t first = a.launches[2].first_buffer;
  a.buffers[first].dtype = a.buffers[first + 1].dtype = TXRT_DTYPE_BF16;
  refused(TXRT_BAD_INPUT, "a bf16 product and no function gemm_bf16_nn_f32", a);
}

TEST(Host, Options) {
  txrt_options options = {};
  options.threads = -1;
  refused(TXRT_USAGE, "-1 threads", smallArtifact(), options);
  options = {};
  options.backend = "tpu";
  refused(TXRT_USAGE, "unknown backend 'tpu'; present: host, cuda, dryrun", smallArtifact(), options);
}

// Planned for far more than there is: refused with numbers, nothing touched.
TEST(Host, OutOfMemory) {
  TestArtifact a = smallArtifact();
  a.segments[TXRT_SEGMENT_SAVED] = uint64_t(1) << 50;
  refused(TXRT_OUT_OF_MEMORY, "needs 1024 TiB (arena 1024 TiB", a);
}

// The count that the conformance suite expects to be 0 does count.
TEST(Host, AllocationsAreCounted) {
  if (!txrt::allocationsAreCounted())
    return; // under sanitizers
  int64_t before = txrt::allocationCount();
  void *volatile memory = malloc(100); // volatile, or there is no call
  free(memory);
  EXPECT_EQ(txrt::allocationCount() - before, 1);
}

TEST(Host, PlannedIsAllocated) {
  TestArtifact a = smallArtifact();
  a.segments[TXRT_SEGMENT_SAVED] = (uint64_t(8) << 20) + 64;
  std::vector<uint8_t> bytes = a.bytes();
  txrt_artifact *artifact;
  txrt_session *session;
  txrt_error error = {};
  ASSERT_EQ(txrt_artifact_open_memory(bytes.data(), bytes.size(), nullptr, &artifact, &error), TXRT_OK)
      << error.message;
  ASSERT_EQ(txrt_session_create(artifact, nullptr, &session, &error), TXRT_OK) << error.message;
  uint64_t planned = 0;
  for (int s = 0; s < TXRT_SEGMENT_COUNT; ++s)
    planned += txrt_artifact_segment_bytes(artifact, txrt_segment(s));
  EXPECT_EQ(planned, 128u + 512u + 256u + (8u << 20) + 64u);
  EXPECT_EQ(txrt_session_arena_bytes(session), planned);
  // Segments are zero-filled, apart from each other, writable to the end.
  auto read = [&](int segment, uint64_t offset, uint64_t bytes) {
    std::vector<uint8_t> data(bytes < planned ? bytes : 0);
    EXPECT_EQ(txrt_session_read(session, txrt_segment(segment), offset, bytes, data.data(), &error), TXRT_OK)
        << error.message;
    return data;
  };
  for (int s = 0; s < TXRT_SEGMENT_COUNT; ++s) {
    uint64_t size = txrt_artifact_segment_bytes(artifact, txrt_segment(s));
    ASSERT_EQ(read(s, 0, size), std::vector<uint8_t>(size, 0));
    std::vector<uint8_t> filled(size, uint8_t(s + 1));
    ASSERT_EQ(txrt_session_write(session, txrt_segment(s), 0, size, filled.data(), &error), TXRT_OK);
  }
  for (int s = 0; s < TXRT_SEGMENT_COUNT; ++s) {
    uint64_t size = txrt_artifact_segment_bytes(artifact, txrt_segment(s));
    ASSERT_EQ(read(s, 0, size), std::vector<uint8_t>(size, uint8_t(s + 1)));
  }
  uint8_t byte = 0;
  auto refused = [&](int segment, uint64_t offset, uint64_t bytes) {
    return txrt_session_read(session, txrt_segment(segment), offset, bytes, &byte, &error) == TXRT_USAGE &&
           txrt_session_write(session, txrt_segment(segment), offset, bytes, &byte, &error) == TXRT_USAGE;
  };
  EXPECT_TRUE(refused(TXRT_SEGMENT_TRANSIENT, 1, 256));
  EXPECT_TRUE(refused(TXRT_SEGMENT_TRANSIENT, ~0ull, 2));
  EXPECT_TRUE(refused(7, 0, 0));
  txrt_session_destroy(session);
  txrt_artifact_close(artifact);
}
