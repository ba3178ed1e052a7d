// The cuda backend's own work on a GPU that is not there (FakeCuda): what it refuses, what it queues, what a graph
// replays.

#include "CudaSession.h"
#include "Overlap.h"

#include <cmath>
#include <dlfcn.h>
#include <memory>
#include <random>

namespace {

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
  EXPECT_STREQ(txrt_session_description(s.session), "cuda, Fake GPU (sm_90), cuBLASLt 13.1.0");
  EXPECT_EQ(txrt_session_arena_bytes(s.session), 896u);
}

// Measured, not planned: what the fake's driver has in use, which rounds to 512 bytes and counts a context, a library
// and graphs. The next session begins anew.
TEST(Cuda, DeviceMemory) {
  constexpr uint64_t kib = 1 << 10, mib = 1 << 20;
  for (int noGraph : {0, 1}) {
    txrt_options options = {};
    options.no_graph = noGraph;
    Session s(gpuArtifact(), options);
    ASSERT_NE(s.session, nullptr) << s.error.message;
    txrt_device_memory memory = {};
    ASSERT_EQ(txrt_session_device_memory(s.session, &memory, &s.error), TXRT_OK);
    EXPECT_EQ(memory.total, 16384 * mib);
    EXPECT_EQ(memory.context, 200 * mib);
    EXPECT_EQ(memory.arena, 1024u);
    // One entry has a flag: captured with it and without.
    EXPECT_EQ(memory.libraries, 512 * kib + (noGraph ? 0 : 3 * 64 * kib));
    EXPECT_EQ(txrt_session_device_memory(s.session, nullptr, nullptr), TXRT_USAGE);
  }
}

TEST(Cuda, Architectures) {
  TestArtifact a = gpuArtifact();
  {
    // Newer than every cubin: the driver compiles the PTX.
    Setting newer("FAKE_CUDA_CAPABILITY", "120");
    EXPECT_NE(Session(a).session, nullptr);
    a.gpuImages.pop_back();
    refused(TXRT_DEVICE,
            "has GPU code for sm_90, this device is sm_120; compile with "
            "--target=cuda:sm_120",
            a);
  }
  {
    // No architecture of its own: the family's, which runs on it.
    Setting between("FAKE_CUDA_CAPABILITY", "103");
    refused(TXRT_DEVICE, "this device is sm_103; compile with --target=cuda:sm_100", a);
  }
  Setting older("FAKE_CUDA_CAPABILITY", "75");
  refused(TXRT_DEVICE,
          "has GPU code for sm_90, compute_80, this device is "
          "sm_75; that is too old, Tx's kernels are for sm_80 and newer",
          gpuArtifact());
}

TEST(Cuda, Refusals) {
  TestArtifact host = smallArtifact();
  host.backend = "cuda";
  refused(TXRT_DEVICE, "has no GPU code, this device is sm_90; compile with --target=cuda:sm_90", host);
  TestArtifact other = gpuArtifact();
  // A name that the images do not have, whatever the code says: "eigh".
  ++other.kernels[0].name;
  other.declare();
  other.elf.clear();
  refused(TXRT_DEVICE, "eigh: CUDA_ERROR", other);
  TestArtifact flag = gpuArtifact();
  for (txrt_buffer &buffer : flag.buffers)
    if (buffer.dtype == TXRT_DTYPE_I1)
      buffer.segment = TXRT_SEGMENT_TRANSIENT, buffer.offset = 248;
  refused(TXRT_USAGE, "its reset flag is no argument", flag);
}

// What lies beside the arena is estimated before anything is allocated, and named: the device has to have all of it,
// not the arena's bytes alone.
TEST(Cuda, MemoryBesideTheArena) {
  constexpr uint64_t kib = 1 << 10, mib = 1 << 20;
  const uint64_t needed = 896 + 34 * mib + 4 * 64 * kib; // four launches in three graphs
  auto with = [](uint64_t bytes, auto work) {
    Setting free("FAKE_CUDA_FREE", std::to_string(bytes).c_str());
    work();
  };
  const char *whole = "needs about 34.3 MiB of the GPU's memory (arena 896 bytes, kernels 2.00 MiB, cuBLASLt 32.0 MiB, "
                      "graphs 256 KiB); free are ";
  for (uint64_t bytes : {uint64_t(0), uint64_t(895), uint64_t(1024), needed - 1})
    with(bytes, [&] { refused(TXRT_OUT_OF_MEMORY, whole, gpuArtifact()); });
  with(needed, [&] {
    Session s(gpuArtifact());
    ASSERT_NE(s.session, nullptr) << s.error.message;
    EXPECT_EQ(s.run(0), TXRT_OK) << s.error.message;
    EXPECT_EQ(s.run(1), TXRT_OK) << s.error.message;
  });
  txrt_options ungraphed = {};
  ungraphed.no_graph = 1;
  with(needed - 4 * 64 * kib, [&] { EXPECT_NE(Session(gpuArtifact(), ungraphed).session, nullptr); });
  Setting alone("TXRT_NCCL_ALONE", "1");
  TestArtifact collectives = overlapArtifact(1);
  collectives.addGpuCode();
  with(1024, [&] { refused(TXRT_OUT_OF_MEMORY, "NCCL 441 MiB", collectives); });
}

// Entries are captured after the last thing that may fail for good; a capture that fails ends, and so neither its
// stream nor what is to be freed is lost.
TEST(Cuda, RefusedInACapture) {
  void *fake = dlopen("libcuda.so.1", RTLD_NOW);
  ASSERT_NE(fake, nullptr);
  auto left = [&] {
    size_t available = 0, total = 0;
    reinterpret_cast<int (*)(size_t *, size_t *)>(dlsym(fake, "cuMemGetInfo_v2"))(&available, &total);
    return available;
  };
  // Two products with flags of their own: both at once are captured beforehand, one is not.
  TestArtifact a = smallArtifact();
  const txrt_gemm_launch g = a.launches[2].u.gemm;
  const uint32_t first = static_cast<uint32_t>(a.launches.size());
  a.segments[TXRT_SEGMENT_PERSISTENT] = 256;
  for (uint64_t flag : {448, 449}) {
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 256, 48, false);
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 320, 60, false);
    a.buffer(TXRT_SEGMENT_PERSISTENT, TXRT_DTYPE_F32, flag == 448 ? 0 : 128, 80, true);
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_I1, flag, 1, false);
    a.gemmLaunch("product", g, {TXRT_GEMM_RESET});
  }
  a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_F32, 0, 240, true);
  a.kernelLaunch("bump", 1, 1, 60, 16, {1, 2});
  a.entry("both", first);
  a.addGpuCode();
  Session s(a);
  ASSERT_NE(s.session, nullptr) << s.error.message;
  s.set(TXRT_SEGMENT_ARGUMENT, 448, std::vector<uint8_t>{1, 0});
  const size_t before = left();
  {
    Setting capture("FAKE_CUDA_REFUSED", "bump");
    EXPECT_EQ(s.run(2), TXRT_DEVICE);
    EXPECT_NE(strstr(s.error.message, "FAKE_CUDA_REFUSED"), nullptr) << s.error.message;
    EXPECT_EQ(left(), before);
    refused(TXRT_DEVICE, "FAKE_CUDA_REFUSED", gpuArtifact());
    EXPECT_EQ(left(), before);
  }
  s.set(TXRT_SEGMENT_ARGUMENT, 0, std::vector<float>(60, 1.0f));
  EXPECT_EQ(s.run(2), TXRT_OK) << s.error.message;
  EXPECT_EQ(s.run(0), TXRT_OK) << s.error.message;
  EXPECT_LT(left(), before); // one graph more
}

// The driver says in a log what it has against PTX.
TEST(Cuda, RefusedCode) {
  Setting newer("FAKE_CUDA_CAPABILITY", "120");
  TestArtifact a = gpuArtifact();
  a.gpuCode = std::string("cubin.// PTX\n.version 7.8\n.entry weigh() { frob.b32; }") + '\0';
  a.gpuImages[1].bytes = a.gpuCode.size() - 6;
  refused(TXRT_DEVICE,
          "loading the kernels (PTX of compute_80): ptxas fatal   : PTX, line 3: weigh: 'frob.b32;' is unknown "
          "here: CUDA_ERROR_INVALID_PTX: a PTX JIT compilation failed",
          a);
}

// The artifact asks for more than a block of this device has.
TEST(Cuda, SharedMemory) {
  TestArtifact a = gpuArtifact();
  a.gpuKernels[0].shared_bytes = 100 << 10;
  EXPECT_NE(Session(a).session, nullptr);
  Setting small("FAKE_CUDA_CAPABILITY", "86");
  refused(TXRT_DEVICE, "weigh: ", a);
  a.gpuKernels[0].shared_bytes = 99 << 10;
  EXPECT_NE(Session(a).session, nullptr);
}

TEST(Cuda, TooOld) {
  {
    Setting driver("FAKE_CUDA_DRIVER", "12080");
    refused(TXRT_DEVICE,
            "is for CUDA 12.8; needed is CUDA 13.0, that is driver "
            "R580 or newer",
            gpuArtifact());
  }
}

// The device's clock; the fake's gives a launch a microsecond and a product a tenth of it.
TEST(Cuda, Timing) {
  Session s(gpuArtifact());
  ASSERT_NE(s.session, nullptr) << s.error.message;
  txrt_session_profile(s.session, 1);
  for (int i = 0; i < 2; ++i)
    ASSERT_EQ(s.run(0), TXRT_OK) << s.error.message;
  ASSERT_EQ(s.run(1), TXRT_OK) << s.error.message;
  txrt_launch_info weigh, bump, product;
  txrt_session_launch_info(s.session, 0, 0, &weigh, nullptr);
  txrt_session_launch_info(s.session, 0, 1, &bump, nullptr);
  txrt_session_launch_info(s.session, 1, 0, &product, nullptr);
  EXPECT_EQ(weigh.runs, 2u);
  EXPECT_NEAR(weigh.seconds, 2e-6, 1e-9);
  EXPECT_NEAR(weigh.last_start, 0, 1e-9);
  EXPECT_NEAR(bump.last_start, 1e-6, 1e-9);
  EXPECT_NEAR(bump.last_seconds, 1e-6, 1e-9);
  EXPECT_NEAR(product.seconds, 1e-7, 1e-9);
}

// A profiler that is there sees entries, layers and modules.
TEST(Cuda, Ranges) {
  void *fake = dlopen("libcuda.so.1", RTLD_NOW);
  ASSERT_NE(fake, nullptr);
  auto ranges = reinterpret_cast<const char *(*)()>(dlsym(fake, "fakeRanges"));
  txrt_options ungraphed = {};
  ungraphed.no_graph = 1;
  {
    Session quiet(gpuArtifact(), ungraphed);
    ASSERT_EQ(quiet.run(0), TXRT_OK);
  }
  EXPECT_STREQ(ranges(), "");
  Setting profiler("NVTX_INJECTION64_PATH", "/some/profiler.so");
  // What there is more after `work`.
  auto added = [&](auto work) {
    const size_t before = strlen(ranges());
    work();
    return std::string(ranges() + before);
  };
  const std::string whole = "[weigh[forward layer 0[h.0.weigh]][recompute[bump]]]";
  Session s(gpuArtifact(), ungraphed);
  ASSERT_NE(s.session, nullptr) << s.error.message;
  EXPECT_EQ(added([&] { s.run(0); }), whole);
  // A replay is one call; its nodes were captured in their ranges.
  std::unique_ptr<Session> graphed;
  const std::string captured = added([&] { graphed = std::make_unique<Session>(gpuArtifact()); });
  EXPECT_NE(captured.rfind(whole), captured.find(whole));
  EXPECT_EQ(added([&] { graphed->run(0); }), "[weigh]");
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
  EXPECT_NE(strstr(s.error.message, "CUDA_ERROR_LAUNCH_FAILED"), nullptr) << s.error.message;
  EXPECT_EQ(s.run(1), TXRT_OK);
}

// Captured or not, timed or not: the same values.
TEST(Cuda, GraphAndNoGraph) {
  std::vector<float> values[3];
  for (int mode = 0; mode < 3; ++mode) {
    txrt_options options = {};
    options.no_graph = mode == 1;
    Session s(gpuArtifact(), options);
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

// Row-major products through the column-major library: every transpose, padded rows, both batch dimensions whether or
// not one stride serves them, and matrices of A or of B that two or all three of six heads share.
TEST(Cuda, Products) {
  for (int form = 0; form < 16 * 5; ++form) {
    txrt_gemm_launch g = plainGemm(4, 5, 3);
    constexpr uint64_t repeats[][2] = {{1, 1}, {1, 2}, {2, 1}, {1, 3}, {6, 1}};
    const auto &repeat = repeats[form / 16];
    g.batch0 = 2, g.batch1 = form < 16 ? 3 : 6;
    g.transpose_a = form & 1, g.transpose_b = form >> 1 & 1;
    g.alpha = 0.5f, g.beta = form & 4 ? 0.25f : 0.0f;
    const uint64_t apart = form & 8 ? 16 : 0;
    g.a = {6, g.batch1 / repeat[0] * 32 + apart, 32, repeat[0]};
    g.b = {7, g.batch1 / repeat[1] * 40 + apart, 40, repeat[1]};
    g.c = {8, g.batch1 * 40 + apart, 40, 1};
    TestArtifact a;
    a.segments[TXRT_SEGMENT_ARGUMENT] = 8192;
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 0, 2048, false);
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 2048, 2048, false);
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 4096, 2304, true);
    a.gemmLaunch("product", g);
    a.entry("product", 0);
    a.addGpuCode();
    Session s(a);
    ASSERT_NE(s.session, nullptr) << s.error.message;
    std::mt19937 random(static_cast<unsigned>(form));
    std::vector<float> arena(2048);
    for (float &value : arena)
      value = static_cast<float>(int(random() % 17) - 8);
    s.set(TXRT_SEGMENT_ARGUMENT, 0, arena);
    ASSERT_EQ(s.run(0), TXRT_OK) << s.error.message;
    std::vector<float> expected = arena;
    for (uint64_t b0 = 0; b0 < g.batch0; ++b0)
      for (uint64_t b1 = 0; b1 < g.batch1; ++b1) {
        const float *A = &arena[b0 * g.a.stride0 + b1 / repeat[0] * g.a.stride1];
        const float *B = &arena[512 + b0 * g.b.stride0 + b1 / repeat[1] * g.b.stride1];
        float *C = &expected[1024 + b0 * g.c.stride0 + b1 * g.c.stride1];
        for (uint64_t i = 0; i < g.m; ++i)
          for (uint64_t j = 0; j < g.n; ++j) {
            float sum = 0;
            for (uint64_t p = 0; p < g.k; ++p)
              sum += A[g.transpose_a ? p * 6 + i : i * 6 + p] * B[g.transpose_b ? j * 7 + p : p * 7 + j];
            float &to = C[i * 8 + j];
            to = g.alpha * sum + (g.beta == 0 ? 0 : g.beta * to);
          }
      }
    // Padding and what lies between matrices stays as it was.
    EXPECT_EQ(s.get(TXRT_SEGMENT_ARGUMENT, 0, 2048), expected) << form;
  }
}

static void epilogues(uint64_t scratch) {
  Session plain(productWith(TXRT_GEMM_OPERANDS, 0));
  ASSERT_NE(plain.session, nullptr) << plain.error.message;
  const std::vector<float> expected = runProduct(plain);
  auto a = [&](int i, int p) { return expected[3 * i + p]; };
  auto b = [&](int p, int j) { return expected[64 + 5 * p + j]; };
  for (auto vector : {TXRT_GEMM_BIAS, TXRT_GEMM_SUMS_A, TXRT_GEMM_SUMS_B}) {
    Session s(productWith(vector, scratch));
    ASSERT_NE(s.session, nullptr) << s.error.message;
    const std::vector<float> found = runProduct(s);
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 5; ++j)
        EXPECT_EQ(found[128 + 5 * i + j], expected[128 + 5 * i + j] + (vector == TXRT_GEMM_BIAS ? 10.0f * j : 0.0f));
    for (int i = 0; vector == TXRT_GEMM_SUMS_A && i < 4; ++i)
      EXPECT_EQ(found[192 + i], a(i, 0) + a(i, 1) + a(i, 2));
    for (int j = 0; vector == TXRT_GEMM_SUMS_B && j < 5; ++j)
      EXPECT_EQ(found[192 + j], b(0, j) + b(1, j) + b(2, j));
  }
}

TEST(Cuda, Epilogues) { epilogues(0); }

// Where the library has no sums beside a product they are a product of their own, whose ones lie in scratch.
TEST(Cuda, SumsApart) {
  Setting none("FAKE_CUBLASLT_SUMS", "0");
  epilogues(1024);
}

// No place for ones: what would work is a step that asks for no sums.
TEST(Cuda, NoAlgorithmForSums) {
  Setting none("FAKE_CUBLASLT_SUMS", "0");
  EXPECT_NE(Session(productWith(TXRT_GEMM_BIAS, 0)).session, nullptr);
  Session s(productWith(TXRT_GEMM_SUMS_B, 0));
  EXPECT_EQ(s.session, nullptr);
  EXPECT_EQ(s.error.code, TXRT_DEVICE);
  EXPECT_TRUE(std::string(s.error.message).find("has no algorithm for launch 0") != std::string::npos &&
              std::string(s.error.message).find("--no-bias-gradient-fusion") != std::string::npos)
      << s.error.message;
}

// The library gets what the plan gives, and nothing more.
TEST(Cuda, Scratch) {
  Session none(productWith(TXRT_GEMM_OPERANDS, 0));
  Session some(productWith(TXRT_GEMM_OPERANDS, 1024));
  ASSERT_NE(none.session, nullptr) << none.error.message;
  ASSERT_NE(some.session, nullptr) << some.error.message;
  EXPECT_EQ(txrt_session_arena_bytes(some.session), txrt_session_arena_bytes(none.session) + 1024);
  EXPECT_EQ(runProduct(none), runProduct(some));
}
