// Hostile fields under a valid digest: each is refused, by its own message.

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>

namespace {

/// Expects that the small artifact, changed, is refused with `message`.
void refused(const char *message, const std::function<void(TestArtifact &)> &change) {
  TestArtifact artifact = smallArtifact();
  change(artifact);
  txrt_error error = openError(artifact.bytes());
  EXPECT_EQ(error.code, TXRT_BAD_INPUT) << message;
  EXPECT_NE(strstr(error.message, message), nullptr) << "expected: " << message << "\ngot: " << error.message;
}

/// The same for the bytes of the container.
void refusedBytes(const char *message, const std::function<void(std::vector<uint8_t> &)> &change) {
  std::vector<uint8_t> bytes = smallArtifact().bytes();
  change(bytes);
  seal(bytes);
  txrt_error error = openError(bytes);
  EXPECT_EQ(error.code, TXRT_BAD_INPUT) << message;
  EXPECT_NE(strstr(error.message, message), nullptr) << "expected: " << message << "\ngot: " << error.message;
}

txrt_header &header(std::vector<uint8_t> &bytes) { return *reinterpret_cast<txrt_header *>(bytes.data()); }
txrt_section &section(std::vector<uint8_t> &bytes, int index) {
  return reinterpret_cast<txrt_section *>(bytes.data() + sizeof(txrt_header))[index];
}

/// A manifest with one piece of its text replaced.
void refusedText(const char *message, const std::string &from, const std::string &to) {
  refused(message, [&](TestArtifact &a) {
    std::string text = a.manifestText();
    size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    a.manifest = text.replace(at, from.size(), to);
  });
}

constexpr uint64_t huge = uint64_t(1) << 60;

} // namespace

TEST(ArtifactFields, ALaunchIsOfOneEntry) {
  refused("launch 1 is of two entries", [](TestArtifact &a) {
    a.entries[1].first_launch = 1;
    a.entries[1].launch_count = 2;
  });
}

TEST(ArtifactFields, Header) {
  refusedBytes("wrong magic", [](auto &b) { header(b).magic[5] = '\n'; });
  // What an older compiler has written, and what a newer one will.
  refusedBytes("built for ABI version 5, this runtime has 6: compile it again",
               [](auto &b) { header(b).abi_version = 5; });
  refusedBytes("built for ABI version 7, this runtime has 6", [](auto &b) { header(b).abi_version = 7; });
  refusedBytes("reserved bytes", [](auto &b) { header(b).reserved[3] = 1; });
  refusedBytes("0 sections", [](auto &b) { header(b).section_count = 0; });
  refusedBytes("4294967295 sections", [](auto &b) { header(b).section_count = UINT32_MAX; });
  refusedBytes("section manifest is missing", [](auto &b) {
    b.resize(sizeof(txrt_header) + sizeof(txrt_section));
    header(b).section_count = 1;
    section(b, 0) = {TXRT_SECTION_ENTRIES, 0, 128, 0};
    b.resize(128);
  });
  refusedBytes("table of 2 sections ends outside", [](auto &b) {
    b.resize(sizeof(txrt_header) + sizeof(txrt_section));
    header(b).section_count = 2;
  });
}

TEST(ArtifactFields, Sections) {
  refusedBytes("unknown section kind 0", [](auto &b) { section(b, 2).kind = 0; });
  refusedBytes("unknown section kind 99", [](auto &b) { section(b, 2).kind = 99; });
  refusedBytes("section launches: reserved field", [](auto &b) { section(b, 2).reserved = 1; });
  refusedBytes("section launches: offset 65 is no multiple of 64", [](auto &b) { section(b, 2).offset = 65; });
  refusedBytes("not inside the file", [](auto &b) { section(b, 2).offset = 0; });
  refusedBytes("not inside the file", [](auto &b) { section(b, 2).offset = uint64_t(1) << 62; });
  refusedBytes("not inside the file", [](auto &b) { section(b, 2).bytes = ~uint64_t(0) - 63; });
  refusedBytes("section entries is there twice", [](auto &b) { section(b, 2) = section(b, 1); });
  refusedBytes("overlap", [](auto &b) {
    section(b, 2).offset = section(b, 3).offset;
    section(b, 2).bytes = 1;
  });
  refusedBytes("no multiple of its", [](auto &b) { --section(b, 2).bytes; });
  refusedBytes("no multiple of its", [](auto &b) { --section(b, 4).bytes; });
  refused("does not end with a NUL", [](auto &a) { a.strings.pop_back(); });
}

TEST(ArtifactFields, Buffers) {
  auto change = [](auto field) { return [=](TestArtifact &a) { field(a.buffers[1]); }; };
  refused("unknown segment 4", change([](auto &b) { b.segment = 4; }));
  refused("unknown dtype 5", change([](auto &b) { b.dtype = 5; }));
  refused("'writes' is neither", change([](auto &b) { b.writes = 2; }));
  refused("'unread' is neither", change([](auto &b) { b.unread = 2; }));
  refused("for its place alone", change([](auto &b) { b.writes = b.unread = 1; }));
  refused("240 bytes at transient+0x14 end outside the segment's 256", change([](auto &b) { b.offset = 20; }));
  refused("end outside", change([](auto &b) { b.offset = ~uint64_t(0); }));
  refused("end outside", change([](auto &b) { b.bytes = ~uint64_t(3); }));
  refused("at saved+0x0 end outside the segment's 0", change([](auto &b) { b.segment = TXRT_SEGMENT_SAVED; }));
  refused("not aligned to f32", change([](auto &b) { b.offset = 2; }));
  refused("not aligned to f32", change([](auto &b) { b.bytes = 239; }));
}

TEST(ArtifactFields, KernelsAndTheirLaunches) {
  refused("name at 4000000000 is outside", [](auto &a) { a.kernels[0].name = 4000000000u; });
  refused("has no name", [](auto &a) {
    a.kernels[0].name = static_cast<uint32_t>(a.strings.size());
    a.strings += '\0';
  });
  refused("takes 4294967295 buffers", [](auto &a) { a.kernels[0].buffer_count = UINT32_MAX; });
  refused("7 immediates", [](auto &a) { a.kernels[0].immediate_count = 7; });
  refused("the code has no function 'h.0.weigh'", [](auto &a) { a.kernels[0].name = a.launches[0].name; });
  refused("takes 2 buffers and 1 immediates; function 'bump' takes 1 and 2",
          [](auto &a) { a.kernels[0].name = a.kernels[1].name; });

  auto change = [](auto field) { return [=](TestArtifact &a) { field(a.launches[0]); }; };
  refused("unknown kind 3", change([](auto &l) { l.kind = 3; }));
  refused("unknown phase 4", change([](auto &l) { l.phase = 4; }));
  refused("layer -2", change([](auto &l) { l.layer = -2; }));
  refused("name at", change([](auto &l) { l.name = 100000; }));
  refused("buffers from", change([](auto &l) { l.first_buffer = 6; }));
  refused("buffers from", change([](auto &l) { l.first_buffer = UINT32_MAX; }));
  refused("buffers from", change([](auto &l) { l.buffer_count = UINT32_MAX; }));
  refused("kernel 2 of 2", change([](auto &l) { l.u.kernel.kernel = 2; }));
  refused("takes 2 and 1", change([](auto &l) { l.buffer_count = 1; }));
  refused("takes 2 and 1", change([](auto &l) { l.u.kernel.immediate_count = 2; }));
  refused("0 units", change([](auto &l) { l.u.kernel.units = 0; }));
  refused("in grains of 0", change([](auto &l) { l.u.kernel.grain = 0; }));
  refused("units", change([](auto &l) { l.u.kernel.units = huge; }));
  refused("in grains", change([](auto &l) { l.u.kernel.grain = huge; }));
}

static TestArtifact withGpuCode() {
  TestArtifact a = smallArtifact();
  a.addGpuCode();
  return a;
}

TEST(ArtifactFields, GpuCode) {
  EXPECT_EQ(openError(withGpuCode().bytes()).code, TXRT_OK);
  auto change = [](const char *message, auto field) {
    TestArtifact a = withGpuCode();
    field(a);
    txrt_error error = openError(a.bytes());
    EXPECT_EQ(error.code, TXRT_BAD_INPUT) << message;
    EXPECT_NE(strstr(error.message, message), nullptr) << error.message;
  };
  change("0 threads", [](auto &a) { a.gpuKernels[0].threads = 0; });
  change("1025 threads", [](auto &a) { a.gpuKernels[1].threads = 1025; });
  change("bytes of shared memory", [](auto &a) { a.gpuKernels[1].shared_bytes = 1 << 20; });
  change("for 0 units", [](auto &a) { a.gpuKernels[0].units_per_block = 0; });
  change("unknown kind", [](auto &a) { a.gpuImages[0].kind = 2; });
  change("not inside the code", [](auto &a) { a.gpuImages[0].bytes = 65; });
  change("not inside the code", [](auto &a) { a.gpuImages[0].offset = ~uint64_t(0); });
  change("does not end with a NUL", [](auto &a) { a.gpuImages[1].bytes = 3; });
}

TEST(ArtifactFields, Gemms) {
  auto change = [](auto field) { return [=](TestArtifact &a) { field(a.launches[2].u.gemm); }; };
  auto operand = [](int index, auto field) {
    return [=](TestArtifact &a) { field(a.buffers[a.launches[2].first_buffer + size_t(index)]); };
  };
  refused("a flag", change([](auto &g) { g.transpose_a = 2; }));
  refused("reserved", change([](auto &g) { g.reserved[1] = 1; }));
  refused("not finite", change([](auto &g) { g.alpha = NAN; }));
  refused("not finite", change([](auto &g) { g.beta = -INFINITY; }));
  for (auto extent : {&txrt_gemm_launch::m, &txrt_gemm_launch::n, &txrt_gemm_launch::k, &txrt_gemm_launch::batch0,
                      &txrt_gemm_launch::batch1}) {
    refused("all are 1 to 2^48", change([=](auto &g) { g.*extent = 0; }));
    refused("all are 1 to 2^48", change([=](auto &g) { g.*extent = huge; }));
  }
  refused("A: leading dimension", change([](auto &g) { g.a.leading = 2; }));
  refused("B: leading dimension", change([](auto &g) { g.b.leading = 4; }));
  refused("C: leading dimension", change([](auto &g) { g.c.leading = 4; }));
  refused("A reaches beyond", change([](auto &g) { g.a.leading = 4; }));
  refused("A reaches beyond", change([](auto &g) { g.a.leading = uint64_t(1) << 48; }));
  refused("A reaches beyond", change([](auto &g) { g.m = 5; }));
  refused("B reaches beyond", change([](auto &g) { g.b.leading = 6; }));
  refused("C reaches beyond", change([](auto &g) { g.c.leading = 6; }));
  refused("A: leading dimension", change([](auto &g) { g.transpose_a = 1; }));
  // 4 + 2 * 6 rows apart are more than A's twelve elements.
  refused("A reaches beyond", change([](auto &g) { g.transpose_a = 1, g.a.leading = 6; }));
  refused("A reaches beyond", change([](auto &g) { g.batch0 = 2, g.a.stride0 = 1, g.c.stride0 = 20; }));
  refused("or a stride", change([](auto &g) { g.b.stride1 = huge; }));
  // (2^48 - 1) * 2^48 must not wrap to something small.
  refused("A reaches beyond", change([](auto &g) {
            g.batch0 = g.batch1 = uint64_t(1) << 48;
            g.a.stride0 = g.a.stride1 = uint64_t(1) << 48;
          }));
  refused("lie on each other", change([](auto &g) { g.batch1 = 2; }));
  refused("4 buffers, of which 3 have a role", change([](auto &g) { g.buffers[TXRT_GEMM_RESET] = 0; }));
  refused("a product without 'b'", change([](auto &g) { g.buffers[TXRT_GEMM_B] = 0; }));
  refused("'reset' is buffer 4 of 4", change([](auto &g) { g.buffers[TXRT_GEMM_RESET] = 5; }));
  refused("'reset' is buffer 4294967294 of 4", change([](auto &g) { g.buffers[TXRT_GEMM_RESET] = UINT32_MAX; }));
  refused("'reset' is buffer 1, which has another role, too", change([](auto &g) { g.buffers[TXRT_GEMM_RESET] = 2; }));
  for (const char *name : {"scale_a", "scale_b", "scale_c", "amax_c", "group_offsets"}) {
    uint32_t role = 0;
    while (strcmp(txrt_gemm_operand_name(role), name) != 0)
      ++role;
    refused((std::string("a product with '") + name + "', which this runtime does not know yet").c_str(),
            change([=](auto &g) { std::swap(g.buffers[TXRT_GEMM_RESET], g.buffers[role]); }));
  }
  refused("A is i32", operand(0, [](auto &b) { b.dtype = TXRT_DTYPE_I32; }));
  refused("differ in dtype", operand(1, [](auto &b) { b.dtype = TXRT_DTYPE_BF16; }));
  refused("B is marked as written", operand(1, [](auto &b) { b.writes = 1; }));
  refused("C is marked as not written", operand(2, [](auto &b) { b.writes = 0; }));
  refused("C overlaps B", operand(2, [](auto &b) { b.segment = TXRT_SEGMENT_ARGUMENT, b.offset = 304; }));
  refused("reset flag", operand(3, [](auto &b) { b.dtype = TXRT_DTYPE_F32, b.bytes = 4; }));
  refused("reset flag", operand(3, [](auto &b) { b.bytes = 2; }));
  refused("reset flag", operand(3, [](auto &b) { b.writes = 1; }));
}

/// The product with a bias and scratch: buffers 4 and 5 of its launch.
static TestArtifact withEpilogue() {
  TestArtifact a = smallArtifact();
  // Persistent and arguments end at a multiple of 256.
  a.segments[TXRT_SEGMENT_PERSISTENT] = 256;
  a.buffer(TXRT_SEGMENT_PERSISTENT, TXRT_DTYPE_F32, 128, 20, false);
  a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_BYTE, 0, 256, true);
  a.launches[2].u.gemm.buffers[TXRT_GEMM_BIAS] = 5;
  a.launches[2].u.gemm.buffers[TXRT_GEMM_SCRATCH] = 6;
  a.launches[2].buffer_count = 6;
  return a;
}

TEST(ArtifactFields, EpiloguesAndScratch) {
  EXPECT_EQ(openError(withEpilogue().bytes()).code, TXRT_OK) << openError(withEpilogue().bytes()).message;
  auto change = [](const char *message, auto field) {
    TestArtifact a = withEpilogue();
    const size_t first = a.launches[2].first_buffer;
    field(a, a.launches[2].u.gemm, a.buffers[first + 4], a.buffers[first + 5]);
    txrt_error error = openError(a.bytes());
    EXPECT_EQ(error.code, TXRT_BAD_INPUT) << message;
    EXPECT_NE(strstr(error.message, message), nullptr) << error.message;
  };
  change("'scratch' is buffer 5 of 5", [](auto &a, auto &, auto &, auto &) { a.launches[2].buffer_count = 5; });
  change("6 buffers, of which 5 have a role", [](auto &, auto &g, auto &, auto &) { g.buffers[TXRT_GEMM_BIAS] = 0; });
  change("'bias' and 'sums_b'; a product has one of them",
         [](auto &, auto &g, auto &, auto &) { std::swap(g.buffers[TXRT_GEMM_SUMS_B], g.buffers[TXRT_GEMM_SCRATCH]); });
  change("'bias' of a batch of products", [](auto &, auto &g, auto &, auto &) { g.batch0 = 2, g.c.stride0 = 20; });
  change("'sums_a' is not of 4 f32 that the product writes",
         [](auto &, auto &g, auto &, auto &) { std::swap(g.buffers[TXRT_GEMM_SUMS_A], g.buffers[TXRT_GEMM_BIAS]); });
  change("'bias' is not of 5 f32 that the product reads", [](auto &, auto &, auto &v, auto &) { v.writes = 1; });
  change("'bias' is not", [](auto &, auto &, auto &v, auto &) { v.bytes = 16; });
  change("'bias' is not", [](auto &, auto &, auto &v, auto &) { v.dtype = TXRT_DTYPE_I32; });
  change("'bias' overlaps 'c'", [](auto &, auto &, auto &v, auto &) { v.offset = 60; });
  change("scratch is not of bytes", [](auto &, auto &, auto &, auto &s) { s.dtype = TXRT_DTYPE_F32; });
  change("scratch is not of bytes", [](auto &, auto &, auto &, auto &s) { s.writes = 0; });
  change("no multiple of 256", [](auto &, auto &, auto &, auto &s) { s.offset = 64, s.bytes = 128; });
  change("no multiple of 256", [](auto &a, auto &, auto &, auto &) { a.segments[TXRT_SEGMENT_ARGUMENT] = 576; });
  change("scratch overlaps buffer 0",
         [](auto &, auto &, auto &, auto &s) { s.segment = TXRT_SEGMENT_ARGUMENT, s.offset = 256; });
}

/// A launch that says it is attention: Q, K, V, O and the log-sum-exp.
static TestArtifact withAttention() {
  TestArtifact a = smallArtifact();
  a.segments[TXRT_SEGMENT_ARGUMENT] = 1024;
  a.segments[TXRT_SEGMENT_PERSISTENT] = 256;
  const uint32_t kernel = a.kernel("attend", 5, 0);
  for (uint64_t i = 0; i < 4; ++i)
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_BF16, 512 + 96 * i, 96, i == 3);
  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 896, 48, true);
  a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_BYTE, 0, 256, true);
  txrt_attention attention = {};
  for (uint32_t i = 0; i < TXRT_ATTENTION_OPERANDS; ++i)
    attention.buffers[i] = i < 5 ? i + 1 : 0, attention.row_strides[i] = 8;
  attention.heads = 2, attention.key_heads = 2, attention.scale = 0.5f;
  attention.batch = 2, attention.queries = attention.keys = 3;
  attention.width = attention.value_width = 4, attention.buffers[TXRT_ATTENTION_SCRATCH] = 6;
  a.attentions.push_back(attention);
  a.kernelLaunch("core_attn", kernel, 6, 1, 1, {}).u.kernel.attention = 1;
  a.entries.back().launch_count = 2;
  a.declare();
  return a;
}

TEST(ArtifactFields, Attention) {
  EXPECT_EQ(openError(withAttention().bytes()).code, TXRT_OK) << openError(withAttention().bytes()).message;
  auto change = [](const char *message, auto field) {
    TestArtifact a = withAttention();
    field(a, a.attentions[0]);
    txrt_error error = openError(a.bytes());
    EXPECT_EQ(error.code, TXRT_BAD_INPUT) << message;
    EXPECT_NE(strstr(error.message, message), nullptr) << error.message;
  };
  change("attention 2 of 1", [](auto &a, auto &) { a.launches[3].u.kernel.attention = 2; });
  change("reserved", [](auto &a, auto &) { a.launches[3].u.kernel.reserved = 1; });
  change("gives 6 buffers", [](auto &, auto &t) { t.buffers[TXRT_ATTENTION_SCRATCH] = 0; });
  change("the scratch is buffer 4 of 6; expected the last",
         [](auto &, auto &t) { t.buffers[TXRT_ATTENTION_SCRATCH] = 5; });
  change("a window of 7 keys, which this runtime does not know yet", [](auto &, auto &t) { t.window = 7; });
  change("a soft cap of 50, which this runtime does not know yet", [](auto &, auto &t) { t.soft_cap = 50; });
  change("a soft cap of nan", [](auto &, auto &t) { t.soft_cap = NAN; });
  for (int segments : {TXRT_ATTENTION_QUERY_SEGMENTS, TXRT_ATTENTION_KEY_SEGMENTS})
    change("segments of packed sequences, which this runtime does not know yet",
           [=](auto &, auto &t) { t.buffers[segments] = 1; });
  change("a flag", [](auto &, auto &t) { t.causal = 2; });
  change("a flag", [](auto &, auto &t) { t.deterministic = 2; });
  change("a reserved field", [](auto &, auto &t) { t.reserved[3] = 1; });
  change("all are 1 to 2^48", [](auto &, auto &t) { t.batch = 0; });
  change("all are 1 to 2^48", [](auto &, auto &t) { t.width = huge; });
  change("all are 1 to 2^48", [](auto &, auto &t) { t.value_width = 0; });
  change("all are 1 to 2^48", [](auto &, auto &t) { t.key_heads = 0; });
  change("3 key heads for 2 heads", [](auto &, auto &t) { t.key_heads = 3; });
  change("not finite", [](auto &, auto &t) { t.scale = NAN; });
  change("Q is buffer 5 of 5", [](auto &, auto &t) { t.buffers[0] = 6; });
  change("K is missing", [](auto &, auto &t) { t.buffers[1] = 0; });
  change("dO of a forward", [](auto &, auto &t) { t.buffers[TXRT_ATTENTION_DO] = 1; });
  change("LSE is bf16", [](auto &, auto &t) { t.buffers[4] = 4; });
  change("V is bf16, or marked as written", [](auto &, auto &t) { t.buffers[2] = 4; });
  change("Q: rows at a stride of 7", [](auto &, auto &t) { t.row_strides[0] = 7; });
  change("K reaches beyond", [](auto &, auto &t) { t.row_strides[1] = 9; });
  // Values may have heads of another width than queries and keys.
  change("V reaches beyond", [](auto &, auto &t) { t.value_width = 5, t.row_strides[2] = t.row_strides[3] = 10; });
  change("V: rows at a stride of 8", [](auto &, auto &t) { t.value_width = 5; });
  change("Q reaches beyond", [](auto &, auto &t) { t.queries = 4; });
  // 2^48 * 2^48 rows must not wrap to something small.
  change("Q reaches beyond", [](auto &, auto &t) { t.batch = t.queries = uint64_t(1) << 48; });
  // Backward reads O and the log-sum-exp, and has operands besides.
  change("dO is buffer 8 of 5", [](auto &a, auto &t) {
    t.backward = 1, t.buffers[TXRT_ATTENTION_DO] = 9;
    a.buffers[a.launches[3].first_buffer + 3].writes = 0;
    a.buffers[a.launches[3].first_buffer + 4].writes = 0;
    a.declare();
  });
  change("scratch is not of bytes", [](auto &a, auto &) { a.buffers.back().dtype = TXRT_DTYPE_F32; });
  change("no multiple of 256", [](auto &a, auto &) { a.buffers.back().offset = 64, a.buffers.back().bytes = 64; });
}

TEST(ArtifactFields, Entries) {
  refused("'weigh' is there twice", [](auto &a) {
    a.entries[1].name = a.entries[0].name;
    a.manifest = smallArtifact().manifestText();
  });
  refused("launches 1 to 4 of 3", [](auto &a) { a.entries[0] = {a.entries[0].name, 1, 3, 0}; });
  refused("of 3", [](auto &a) { a.entries[0].first_launch = UINT32_MAX; });
  refused("reserved", [](auto &a) { a.entries[0].reserved = 1; });
  refusedText("entry 'product' is not in the manifest", "\"product\"", "\"other\"");
  refused("manifest's entry 'product' is not in section entries", [](auto &a) {
    a.manifest = a.manifestText();
    a.entries.pop_back();
  });
}

TEST(ArtifactFields, ManifestText) {
  refused("is no JSON: parse error at line 1, column 1", [](auto &a) { a.manifest = "x"; });
  refused("is no JSON", [](auto &a) { a.manifest = "{\"a\": \"\xff\"}"; });
  refused("is no JSON", [](auto &a) { a.manifest = "{} {}"; });
  refused("is no object", [](auto &a) { a.manifest = "[]"; });
  refused("field 'format' is missing", [](auto &a) { a.manifest = "{}"; });
  refused("nested deeper than 64", [](auto &a) { a.manifest = std::string(100000, '[') + std::string(100000, ']'); });
  refused("more than 4194304 values", [](auto &a) {
    a.manifest = "[0";
    for (int i = 0; i < 5000000; ++i)
      a.manifest += ",0";
    a.manifest += "]";
  });
  refused("has the key 'format' twice",
          [](auto &a) { a.manifest = "{\"format\": \"tx-artifact\", \"format\": \"x\"}"; });
  refused("manifest", [](auto &a) { a.manifest = "{\"a\": 1e400}"; });
  refusedText("is not 'tx-artifact'", "tx-artifact", "onnx");
  refusedText("field 'abi_version' is 9", "\"abi_version\": 6", "\"abi_version\": 9");
  refusedText("contains a NUL", "\"weigh\"", "\"weigh\\u0000\"");
}

TEST(ArtifactFields, ManifestPlaces) {
  refusedText("field 'arena.saved_bytes' is missing", "saved_bytes", "save");
  for (const char *size : {"-1", "1.5", "\"0\"", "null", "[]"})
    refusedText("'arena.saved_bytes' is no non-negative integer", "\"saved_bytes\": 0",
                "\"saved_bytes\": " + std::string(size));
  refusedText("is 65, no multiple of 64", "\"saved_bytes\": 0", "\"saved_bytes\": 65");
  refusedText("2^63 bytes or more", "\"saved_bytes\": 0", "\"saved_bytes\": 18446744073709551552");
  refusedText("2^63 bytes or more", "\"saved_bytes\": 0", "\"saved_bytes\": 9223372036854775744");
  refusedText("is 'f8'; known: f32, bf16, i32, i1", "\"f32\"", "\"f8\"");
  refusedText("its shape and dtype make 80", "\"bytes\": 80", "\"bytes\": 84");
  refusedText("product is too large", "[4, 5]", "[4294967296, 4294967296]");
  refusedText("ends outside its segment (", "\"offset\": 0", "\"offset\": 64");
  refusedText("ends outside", "\"offset\": 0", "\"offset\": 18446744073709551612");
  refusedText("not aligned to its dtype", "\"offset\": 0", "\"offset\": 2");
  refusedText("known: persistent, argument, saved, transient", "\"segment\": \"persistent\"", "\"segment\": \"heap\"");
  refused("has the name 'c' a second time", [](auto &a) { a.globals += ", " + a.globals; });
  refused("field 'globals' has 'c' and 'd' at the same bytes", [](auto &a) {
    a.globals += ", {\"name\": \"d\", \"dtype\": \"f32\", \"shape\": [1], "
                 "\"segment\": \"persistent\", \"offset\": 76, \"bytes\": 4, "
                 "\"role\": \"parameter\", \"init\": {\"kind\": \"zeros\"}}";
  });
  const std::string two =
      R"("arguments": [{"name": "x", "dtype": "i32", "shape": [2], "segment": "argument", "offset": 0, "bytes": 8},)"
      R"({"name": "y", "dtype": "i1", "shape": [], "segment": "argument", "offset": 7, "bytes": 1}])";
  refusedText("field 'entries[0].arguments' has 'x' and 'y' at the same bytes", "\"arguments\": []", two);
}

// Work is bounded by memory: extents cannot grow over the same elements.
TEST(ArtifactFields, MatricesOfABatch) {
  auto change = [](const char *message, auto field) {
    refused(message, [=](TestArtifact &a) {
      txrt_gemm_launch &g = a.launches[2].u.gemm;
      g.m = 1, g.n = 1, g.k = 1, g.batch0 = 4, g.batch1 = 1;
      g.a = g.b = g.c = {1, 1, 0, 1};
      field(g);
    });
  };
  change("one product of A and B many times", [](auto &g) { g.a.stride0 = g.b.stride0 = 0; });
  change("the matrices of C lie on each other", [](auto &g) { g.c.stride0 = 0; });
  change("the matrices of A lie on each other", [](auto &g) { g.k = g.a.leading = 2; });
  change("the matrices of B lie on each other",
         [](auto &g) { g.batch1 = 2, g.a.stride1 = 4, g.b.stride1 = 3, g.c.stride1 = 4; });
  change("the matrices of C lie on each other", [](auto &g) { g.m = 2, g.c.leading = 3, g.a.leading = 4; });
  // So it is when heads in a row share a matrix: of one operand, as many as divide them.
  auto share = [&](const char *message, uint64_t a, uint64_t b, uint64_t c = 1) {
    change(message, [=](auto &g) {
      g.batch0 = 1, g.batch1 = 4;
      g.a = {1, 0, 1, a}, g.b = {1, 0, 1, b}, g.c = {1, 0, 1, c};
    });
  };
  share("one product of A and B many times", 2, 2);
  share("one product of A and B many times", 4, 2);
  share("A: 3 heads in a row share a matrix, of 4; expected a divisor", 3, 1);
  share("B: 0 heads in a row share a matrix, of 4; expected a divisor", 1, 0);
  share("C: 2 heads in a row share a matrix, of 4; expected 1", 1, 2, 2);
  change("one product of A and B many times",
         [](auto &g) { g.batch0 = 1, g.batch1 = 4, g.a = {1, 0, 0, 1}, g.b = {1, 0, 1, 2}, g.c = {1, 0, 1, 1}; });
  // One operand may repeat: the same key for two heads. And heads lie inside of a row.
  TestArtifact a = smallArtifact();
  txrt_gemm_launch &g = a.launches[2].u.gemm;
  g.m = 3, g.n = 1, g.k = 2, g.batch0 = 2, g.batch1 = 1;
  g.a = {4, 2, 0, 1}, g.b = {1, 0, 0, 1}, g.c = {2, 1, 0, 1};
  EXPECT_STREQ(openError(a.bytes()).message, "");
  // Two of four heads share a matrix of B, so B has two: 4 elements and 6 between them.
  TestArtifact shared = smallArtifact();
  txrt_gemm_launch &h = shared.launches[2].u.gemm;
  h.m = 1, h.n = 2, h.k = 2, h.batch0 = 1, h.batch1 = 4;
  h.a = {2, 0, 3, 1}, h.b = {2, 0, 11, 2}, h.c = {2, 0, 5, 1};
  EXPECT_STREQ(openError(shared.bytes()).message, "");
  h.b.stride1 = 12;
  EXPECT_NE(strstr(openError(shared.bytes()).message, "B reaches beyond"), nullptr);
}

TEST(ArtifactFields, LanesAndWaits) {
  // Behind the launches of smallArtifact: 3 writes a sum's operand, 4 is the sum, 5 reads it.
  auto change = [](const char *message, auto field) {
    TestArtifact a = smallArtifact();
    const uint32_t bump = 1;
    a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_F32, 0, 240, true);
    a.kernelLaunch("before", bump, 1, 60, 16, {1, 2});
    a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_F32, 0, 240, false);
    a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_F32, 0, 240, true);
    txrt_collective_launch c = {};
    c.collective = TXRT_ALL_REDUCE;
    c.ranks = c.stride = 1, c.count = 60, c.outer = 1;
    a.collectiveLaunch("sum", c);
    a.waitFor(3);
    a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_F32, 0, 240, true);
    a.kernelLaunch("behind", bump, 1, 60, 16, {1, 2});
    a.waitFor(4);
    a.entry("sum", 3);
    field(a.launches);
    const std::string whole = *message ? std::string("test.txa: ") + message : "";
    EXPECT_EQ(openError(a.bytes()).message, whole);
  };
  using Launches = std::vector<txrt_launch>;
  change("", [](Launches &) {});
  change("launch 5 (behind): lane 3; this runtime has a kernel in lane 0 ('compute')",
         [](Launches &l) { l[5].lane = TXRT_LANE_COUNT; });
  change("launch 3 (before): lane 1; this runtime has a kernel in lane 0 ('compute')",
         [](Launches &l) { l[3].lane = TXRT_LANE_COPIES; });
  change("launch 4 (sum): lane 0; this runtime has a collective in lane 2 ('collectives')",
         [](Launches &l) { l[4].lane = TXRT_LANE_COMPUTE; });
  change("launch 4 (sum): waits for launch 4, which is not before it",
         [](Launches &l) { l[4].waits[TXRT_LANE_COMPUTE] = 5; });
  change("launch 4 (sum): waits for launch 4294967294, which is not before it",
         [](Launches &l) { l[4].waits[TXRT_LANE_COMPUTE] = UINT32_MAX; });
  change("launch 5 (behind): waits for launch 3 of its own lane",
         [](Launches &l) { l[5].waits[TXRT_LANE_COMPUTE] = 4; });
  change("launch 5 (behind): waits for launch 4 as one of lane 'copies', which it is not",
         [](Launches &l) { l[5].waits[TXRT_LANE_COPIES] = 5; });
  change("launch 4 (sum) waits for launch 2 (lm_head.dW), which is of another entry",
         [](Launches &l) { l[4].waits[TXRT_LANE_COMPUTE] = 3; });
  // Too weak.
  change("launch 5 (behind) touches bytes of launch 4 (sum), which may not be done by then: of lane 'collectives' it "
         "waits for no launch",
         [](Launches &l) { l[5].waits[TXRT_LANE_COLLECTIVES] = 0; });
  change("launch 4 (sum) touches bytes of launch 3 (before), which may not be done by then: of lane 'compute' it waits "
         "for no launch",
         [](Launches &l) { l[4].waits[TXRT_LANE_COMPUTE] = 0; });
}

TEST(ArtifactFields, CollectivesOfTheMesh) {
  auto change = [](const char *message, auto field) {
    TestArtifact a = smallArtifact();
    a.buffer(TXRT_SEGMENT_PERSISTENT, TXRT_DTYPE_F32, 0, 32, false);
    a.buffer(TXRT_SEGMENT_PERSISTENT, TXRT_DTYPE_F32, 64, 32, true);
    txrt_collective_launch c = {};
    c.collective = TXRT_ALL_REDUCE;
    c.ranks = 2, c.stride = 3, c.count = 8, c.outer = 1;
    field(a.collectiveLaunch("sum", c).u.collective);
    a.manifest = a.manifestText();
    a.manifest.insert(1, R"("mesh": [{"axis": "dp", "size": 2}, {"axis": "tp", "size": 3}], )");
    EXPECT_STREQ(openError(a.bytes()).message, message);
  };
  change("", [](auto &) {});
  change("test.txa: launch 3 (sum): joins 3 ranks, 3 apart, of axis 'dp', which the "
         "manifest's mesh has not",
         [](auto &c) { c.ranks = 3; });
  change("test.txa: launch 3 (sum): joins 2 ranks, 1 apart, of axis 'dp', which the "
         "manifest's mesh has not",
         [](auto &c) { c.stride = 1; });
  change("test.txa: launch 3 (sum): joins 2 ranks, 3 apart, of axis 'sum', which the "
         "manifest's mesh has not",
         [](auto &c) { c.axis += 3; });
}
