// The cuda backend's own work on a GPU that is not there (FakeCuda): what it
// refuses, what it queues, what a graph replays.

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

namespace {

/// An environment variable, for the fake driver.
struct Setting {
  Setting(const char *name, const char *value) : name(name) {
    setenv(name, value, 1);
  }
  ~Setting() { unsetenv(name); }
  const char *name;
};

struct Session {
  explicit Session(const TestArtifact &a, int noGraph = 0) {
    std::vector<uint8_t> bytes = a.bytes();
    if (txrt_artifact_open_memory(bytes.data(), bytes.size(), "test.txa",
                                  &artifact, &error))
      return;
    txrt_options options = {};
    options.no_graph = noGraph;
    txrt_session_create(artifact, &options, &session, &error);
  }
  ~Session() {
    if (session)
      txrt_session_destroy(session);
    if (artifact)
      txrt_artifact_close(artifact);
  }
  template <typename T>
  void set(txrt_segment segment, uint64_t offset, const std::vector<T> &v) {
    ASSERT_EQ(txrt_session_write(session, segment, offset,
                                 v.size() * sizeof(T), v.data(), &error),
              TXRT_OK)
        << error.message;
  }
  std::vector<float> get(txrt_segment segment, uint64_t offset, uint64_t n) {
    std::vector<float> values(n);
    EXPECT_EQ(txrt_session_read(session, segment, offset, n * 4, values.data(),
                                &error),
              TXRT_OK)
        << error.message;
    return values;
  }
  txrt_status run(int entry) {
    return txrt_session_run(session, entry, &error);
  }
  txrt_artifact *artifact = nullptr;
  txrt_session *session = nullptr;
  txrt_error error = {};
};

TestArtifact gpuArtifact() {
  TestArtifact a = smallArtifact();
  a.addGpuCode();
  return a;
}

void refused(txrt_status code, const char *message, const TestArtifact &a) {
  Session s(a);
  EXPECT_EQ(s.session, nullptr);
  EXPECT_EQ(s.error.code, code);
  EXPECT_NE(strstr(s.error.message, message), nullptr) << s.error.message;
}

} // namespace

TEST(Cuda, DescribesItself) {
  Session s(gpuArtifact());
  ASSERT_NE(s.session, nullptr) << s.error.message;
  EXPECT_STREQ(txrt_session_description(s.session),
               "cuda, Fake GPU (sm_90), cuBLASLt 13.1.0");
  EXPECT_EQ(txrt_session_arena_bytes(s.session), 896u);
}

TEST(Cuda, Architectures) {
  TestArtifact a = gpuArtifact();
  {
    // Newer than every cubin: the driver compiles the PTX.
    Setting newer("FAKE_CUDA_CAPABILITY", "120");
    EXPECT_NE(Session(a).session, nullptr);
    a.gpuImages.pop_back();
    refused(TXRT_DEVICE, "has GPU code for sm_90, this device is sm_120", a);
  }
  Setting older("FAKE_CUDA_CAPABILITY", "75");
  refused(TXRT_DEVICE, "has GPU code for sm_90, compute_80, this device is "
                       "sm_75; compile with --target=cuda:sm_75",
          gpuArtifact());
}

TEST(Cuda, Refusals) {
  TestArtifact host = smallArtifact();
  host.backend = "cuda";
  refused(TXRT_DEVICE, "has no GPU code", host);
  TestArtifact other = gpuArtifact();
  // A name that the code does not have: "eigh".
  ++other.kernels[0].name;
  other.elf.clear();
  refused(TXRT_DEVICE, "eigh: CUDA_ERROR", other);
  TestArtifact flag = gpuArtifact();
  for (txrt_buffer &buffer : flag.buffers)
    if (buffer.dtype == TXRT_DTYPE_I1)
      buffer.segment = TXRT_SEGMENT_TRANSIENT, buffer.offset = 248;
  refused(TXRT_USAGE, "its reset flag is no argument", flag);
  Setting memory("FAKE_CUDA_FREE", "895");
  refused(TXRT_OUT_OF_MEMORY, "needs 896 bytes for its arena, the device has 895 ",
          gpuArtifact());
}

TEST(Cuda, NoDevice) {
  Setting none("FAKE_CUDA_DEVICES", "0");
  refused(TXRT_DEVICE, "sees no device", gpuArtifact());
}

TEST(Cuda, FaultsAreReported) {
  Session s(gpuArtifact());
  ASSERT_NE(s.session, nullptr) << s.error.message;
  Setting fault("FAKE_CUDA_FAULT", "weigh");
  EXPECT_EQ(s.run(0), TXRT_DEVICE);
  EXPECT_NE(strstr(s.error.message, "CUDA_ERROR_LAUNCH_FAILED"), nullptr)
      << s.error.message;
  EXPECT_EQ(s.run(1), TXRT_OK);
}

// Captured or not, timed or not: the same values.
TEST(Cuda, GraphAndNoGraph) {
  std::vector<float> values[3];
  for (int mode = 0; mode < 3; ++mode) {
    Session s(gpuArtifact(), mode == 1);
    ASSERT_NE(s.session, nullptr) << s.error.message;
    txrt_session_profile(s.session, mode == 2);
    std::vector<float> in(60, 0.75f);
    s.set(TXRT_SEGMENT_ARGUMENT, 0, in);
    for (int i = 0; i < 2; ++i)
      ASSERT_EQ(s.run(0), TXRT_OK) << s.error.message;
    values[mode] = s.get(TXRT_SEGMENT_TRANSIENT, 0, 60);
    EXPECT_EQ(values[mode][1], 0.75f * 1.5f + 3.0f);
  }
  EXPECT_EQ(values[0], values[1]);
  EXPECT_EQ(values[0], values[2]);
}

// Row-major products through the column-major library: every transpose, padded
// rows, both batch dimensions whether or not one stride serves them.
TEST(Cuda, Products) {
  for (int form = 0; form < 16; ++form) {
    txrt_gemm_launch g = {};
    g.m = 4, g.n = 5, g.k = 3, g.batch0 = 2, g.batch1 = 3;
    g.transpose_a = form & 1, g.transpose_b = form >> 1 & 1;
    g.alpha = 0.5f, g.beta = form & 4 ? 0.25f : 0.0f;
    g.lda = 6, g.ldb = 7, g.ldc = 8;
    g.stride_a1 = 32, g.stride_b1 = 40, g.stride_c1 = 40;
    const uint64_t apart = form & 8 ? 16 : 0;
    g.stride_a0 = 3 * 32 + apart, g.stride_b0 = 3 * 40 + apart;
    g.stride_c0 = 3 * 40 + apart;
    TestArtifact a;
    a.segments[TXRT_SEGMENT_ARGUMENT] = 4096;
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 0, 1024, false);
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 1024, 1280, false);
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 2560, 1280, true);
    a.gemmLaunch("product", g);
    a.entry("product", 0);
    a.addGpuCode();
    Session s(a);
    ASSERT_NE(s.session, nullptr) << s.error.message;
    std::mt19937 random(static_cast<unsigned>(form));
    std::vector<float> arena(1024);
    for (float &value : arena)
      value = static_cast<float>(int(random() % 17) - 8);
    s.set(TXRT_SEGMENT_ARGUMENT, 0, arena);
    ASSERT_EQ(s.run(0), TXRT_OK) << s.error.message;
    std::vector<float> expected = arena;
    for (uint64_t b0 = 0; b0 < g.batch0; ++b0)
      for (uint64_t b1 = 0; b1 < g.batch1; ++b1) {
        const float *A = &arena[b0 * g.stride_a0 + b1 * g.stride_a1];
        const float *B = &arena[256 + b0 * g.stride_b0 + b1 * g.stride_b1];
        float *C = &expected[640 + b0 * g.stride_c0 + b1 * g.stride_c1];
        for (uint64_t i = 0; i < g.m; ++i)
          for (uint64_t j = 0; j < g.n; ++j) {
            float sum = 0;
            for (uint64_t p = 0; p < g.k; ++p)
              sum += A[g.transpose_a ? p * g.lda + i : i * g.lda + p] *
                     B[g.transpose_b ? j * g.ldb + p : p * g.ldb + j];
            float &to = C[i * g.ldc + j];
            to = g.alpha * sum + (g.beta == 0 ? 0 : g.beta * to);
          }
      }
    // Padding and what lies between matrices stays as it was.
    EXPECT_EQ(s.get(TXRT_SEGMENT_ARGUMENT, 0, 1024), expected) << form;
  }
}
