// Attention by cuDNN on the fake library, which computes the graph that it is given: forward and backward agree with
// the formulas; what is refused, and what then runs instead.

#include "CudaSession.h"
#include "Narrow.h"

#include <cmath>
#include <random>

using fake::narrow;
using fake::widen;

namespace {

struct Sizes {
  uint32_t heads = 4, keyHeads = 4;
  uint64_t batch = 2, queries = 5, keys = 5, width = 3, valueWidth = 3;
  bool causal = true, deterministic = true;
};

/// One forward and one backward launch, each an entry. The kernels that stand for them do nothing that a test would
/// take for attention.
struct AttentionArtifact : TestArtifact {
  explicit AttentionArtifact(const Sizes &s, uint64_t scratch = 65536) : sizes(s) {
    txrt_attention a = {};
    a.heads = s.heads, a.key_heads = s.keyHeads, a.scale = 0.6f;
    a.batch = s.batch, a.queries = s.queries, a.keys = s.keys;
    a.width = s.width, a.value_width = s.valueWidth, a.causal = s.causal;
    a.deterministic = s.deterministic;
    // Q, K and V are columns of one tensor.
    const uint64_t q = s.heads * s.width, k = s.keyHeads * s.width;
    const uint64_t o = s.heads * s.valueWidth, v = s.keyHeads * s.valueWidth;
    const uint64_t row = q + k + v;
    const uint64_t rows = s.batch * s.queries;
    const uint64_t columns[] = {q, k, v, o, 0, o, q, k, v};
    uint64_t at = 0;
    auto place = [&](uint64_t bytes) {
      const uint64_t here = at;
      at = (at + bytes + 255) / 256 * 256;
      return here;
    };
    const uint64_t qkv = place(rows * row * 2), dqkv = place(rows * row * 2);
    for (int i = 0; i < TXRT_ATTENTION_SCRATCH; ++i) {
      const bool isPart = i <= 2 || i >= TXRT_ATTENTION_DQ;
      a.row_strides[i] = isPart ? row : o;
      const uint64_t first = i % 3 == 0 ? 0 : i % 3 == 1 ? q : q + k;
      offsets[i] = isPart                    ? (i <= 2 ? qkv : dqkv) + 2 * first
                   : i == TXRT_ATTENTION_LSE ? place(s.batch * s.heads * s.queries * 4)
                                             : place(rows * o * 2);
      bytes[i] = i == TXRT_ATTENTION_LSE ? s.batch * s.heads * s.queries * 4
                                         : ((rows - 1) * a.row_strides[i] + columns[i]) * 2;
    }
    segments[TXRT_SEGMENT_ARGUMENT] = at;
    segments[TXRT_SEGMENT_TRANSIENT] = scratch;
    const uint32_t forwardKernel = kernel("attend", 5, 0);
    const uint32_t backwardKernel = kernel("attend_grad", 9, 0);
    for (int backward = 0; backward < 2; ++backward) {
      a.backward = static_cast<uint8_t>(backward);
      const uint32_t count = backward ? 9 : 5;
      for (uint32_t i = 0; i < count; ++i)
        a.buffers[i] = i + 1;
      a.buffers[TXRT_ATTENTION_SCRATCH] = scratch ? count + 1 : 0;
      for (uint32_t i = 0; i < count; ++i)
        buffer(TXRT_SEGMENT_ARGUMENT, i == TXRT_ATTENTION_LSE ? TXRT_DTYPE_F32 : TXRT_DTYPE_BF16, offsets[i], bytes[i],
               backward ? i >= 6 : i >= 3);
      if (scratch)
        buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_BYTE, 0, scratch, true);
      attentions.push_back(a);
      kernelLaunch("core_attn", backward ? backwardKernel : forwardKernel, count + (scratch != 0), 8, 1, {})
          .u.kernel.attention = static_cast<uint32_t>(attentions.size());
      entry(backward ? "backward" : "forward", static_cast<uint32_t>(backward));
    }
    addGpuCode();
  }

  const Sizes sizes;
  uint64_t offsets[TXRT_ATTENTION_SCRATCH], bytes[TXRT_ATTENTION_SCRATCH];
};

/// The formulas in f32 on the arena's bytes.
struct Expected {
  Expected(const AttentionArtifact &artifact, const std::vector<uint16_t> &arena)
      : artifact(artifact), arena(arena), s(artifact.sizes), o(value(s.heads * s.valueWidth)),
        dq(value(s.heads * s.width)), dk(value(s.keyHeads * s.width)), dv(value(s.keyHeads * s.valueWidth)),
        lse(s.batch * s.heads * s.queries) {
    for (uint64_t b = 0; b < s.batch; ++b)
      for (uint64_t h = 0; h < s.heads; ++h)
        for (uint64_t i = 0; i < s.queries; ++i)
          row(b, h, i);
  }

  const AttentionArtifact &artifact;
  const std::vector<uint16_t> &arena;
  const Sizes &s;
  std::vector<float> o, dq, dk, dv, lse;

  uint64_t widthOf(int operand) const {
    const bool ofScores = operand == TXRT_ATTENTION_Q || operand == TXRT_ATTENTION_K || operand == TXRT_ATTENTION_DQ ||
                          operand == TXRT_ATTENTION_DK;
    return ofScores ? s.width : s.valueWidth;
  }
  float at(int operand, uint64_t b, uint64_t h, uint64_t i, uint64_t c) const {
    const uint64_t rows = s.queries, stride = artifact.attentions[0].row_strides[operand];
    return widen(arena[artifact.offsets[operand] / 2 + (b * rows + i) * stride + h * widthOf(operand) + c]);
  }
  /// In a tensor with `columns` columns.
  uint64_t index(uint64_t columns, uint64_t b, uint64_t i, uint64_t column) const {
    return (b * s.queries + i) * columns + column;
  }

private:
  std::vector<float> value(uint64_t columns) const { return std::vector<float>(s.batch * s.queries * columns); }
  void row(uint64_t b, uint64_t h, uint64_t i) {
    const uint64_t seen = s.causal ? i + 1 : s.keys;
    const uint64_t kh = h * s.keyHeads / s.heads;
    std::vector<float> p(seen);
    float sum = 0, dot = 0;
    for (uint64_t j = 0; j < seen; ++j) {
      float score = 0;
      for (uint64_t c = 0; c < s.width; ++c)
        score += at(TXRT_ATTENTION_Q, b, h, i, c) * at(TXRT_ATTENTION_K, b, kh, j, c);
      sum += p[j] = std::exp(0.6f * score);
    }
    lse[(b * s.heads + h) * s.queries + i] = std::log(sum);
    for (uint64_t c = 0; c < s.valueWidth; ++c) {
      float &to = o[index(s.heads * s.valueWidth, b, i, h * s.valueWidth + c)];
      for (uint64_t j = 0; j < seen; ++j)
        to += p[j] / sum * at(TXRT_ATTENTION_V, b, kh, j, c);
      dot += to * at(TXRT_ATTENTION_DO, b, h, i, c);
    }
    for (uint64_t j = 0; j < seen; ++j) {
      float dp = 0;
      for (uint64_t c = 0; c < s.valueWidth; ++c) {
        const float g = at(TXRT_ATTENTION_DO, b, h, i, c);
        dp += g * at(TXRT_ATTENTION_V, b, kh, j, c);
        dv[index(s.keyHeads * s.valueWidth, b, j, kh * s.valueWidth + c)] += p[j] / sum * g;
      }
      const float ds = 0.6f * p[j] / sum * (dp - dot);
      for (uint64_t c = 0; c < s.width; ++c) {
        dq[index(s.heads * s.width, b, i, h * s.width + c)] += ds * at(TXRT_ATTENTION_K, b, kh, j, c);
        dk[index(s.keyHeads * s.width, b, j, kh * s.width + c)] += ds * at(TXRT_ATTENTION_Q, b, h, i, c);
      }
    }
  }
};

std::vector<uint16_t> randomArena(const TestArtifact &artifact) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<uint16_t> arena(artifact.segments[TXRT_SEGMENT_ARGUMENT] / 2);
  for (uint16_t &value : arena)
    value = narrow(uniform(random));
  return arena;
}

void agrees(const Sizes &sizes) {
  const AttentionArtifact artifact(sizes);
  Session s(artifact);
  ASSERT_NE(s.session, nullptr) << s.error.message;
  EXPECT_NE(std::string(txrt_session_description(s.session)).find(", attention by cuDNN 9."), std::string::npos);
  std::vector<uint16_t> arena = randomArena(artifact);
  const Expected expected(artifact, arena);
  s.set(TXRT_SEGMENT_ARGUMENT, 0, arena);
  ASSERT_EQ(s.run(0), TXRT_OK) << s.error.message;
  ASSERT_EQ(s.run(1), TXRT_OK) << s.error.message;
  ASSERT_EQ(txrt_session_read(s.session, TXRT_SEGMENT_ARGUMENT, 0, arena.size() * 2, arena.data(), &s.error), TXRT_OK);
  Expected found(artifact, arena); // only to read the arena
  const float *lse = reinterpret_cast<const float *>(&arena[artifact.offsets[TXRT_ATTENTION_LSE] / 2]);
  for (size_t i = 0; i < expected.lse.size(); ++i)
    EXPECT_NEAR(lse[i], expected.lse[i], 1e-5);
  auto compare = [&](int operand, uint64_t heads, const std::vector<float> &values) {
    for (uint64_t b = 0; b < sizes.batch; ++b)
      for (uint64_t h = 0; h < heads; ++h)
        for (uint64_t i = 0; i < sizes.queries; ++i)
          for (uint64_t width = found.widthOf(operand), c = 0; c < width; ++c)
            ASSERT_NEAR(found.at(operand, b, h, i, c), values[found.index(heads * width, b, i, h * width + c)], 0.03)
                << operand << " at " << b << "," << h << "," << i << "," << c;
  };
  compare(TXRT_ATTENTION_O, sizes.heads, expected.o);
  compare(TXRT_ATTENTION_DQ, sizes.heads, expected.dq);
  compare(TXRT_ATTENTION_DK, sizes.keyHeads, expected.dk);
  compare(TXRT_ATTENTION_DV, sizes.keyHeads, expected.dv);
}

} // namespace

TEST(CudaAttention, MemoryOfTheLibrary) {
  Setting free("FAKE_CUDA_FREE", "1024");
  for (bool noCudnn : {false, true}) {
    txrt_options options = {};
    options.no_cudnn = noCudnn;
    Session s(AttentionArtifact(Sizes()), options);
    EXPECT_EQ(s.error.code, TXRT_OUT_OF_MEMORY);
    EXPECT_EQ(strstr(s.error.message, "cuDNN 64.0 MiB") != nullptr, !noCudnn) << s.error.message;
  }
}

TEST(CudaAttention, Agrees) {
  for (bool causal : {true, false})
    for (uint32_t keyHeads : {4u, 2u, 1u})
      for (bool deterministic : {true, false}) {
        SCOPED_TRACE(std::to_string(causal) + std::to_string(keyHeads) + std::to_string(deterministic));
        Sizes sizes;
        sizes.causal = causal, sizes.keyHeads = keyHeads;
        sizes.deterministic = deterministic;
        agrees(sizes);
      }
}

// Heads of V may be narrower than those of Q and K, or wider.
TEST(CudaAttention, AgreesWithAnotherWidthOfValues) {
  for (uint64_t valueWidth : {2, 5})
    for (uint32_t keyHeads : {4u, 2u}) {
      Sizes sizes;
      sizes.valueWidth = valueWidth, sizes.keyHeads = keyHeads;
      agrees(sizes);
    }
}

// An engine that is asked for by its name, with the knobs of both numberings.
TEST(CudaAttention, AgreesOnBlackwell) {
  Setting capability("FAKE_CUDA_CAPABILITY", "100");
  for (const char *version : {"91900", "92800"}) {
    Setting set("FAKE_CUDNN_VERSION", version);
    agrees(Sizes());
  }
}

// Where the library is not asked, or can not, the kernels run: all of them.
TEST(CudaAttention, KernelsOtherwise) {
  auto description = [&](bool noCudnn, uint64_t scratch = 65536, bool noGraph = false) {
    warnings().clear();
    txrt_options options = {};
    options.no_cudnn = noCudnn;
    options.no_graph = noGraph;
    options.warn = warn;
    Session s(AttentionArtifact(Sizes(), scratch), options);
    return s.session ? std::string(txrt_session_description(s.session)) : std::string(s.error.message);
  };
  const char *const kernels = "cuda, Fake GPU (sm_90), attention by generated kernels";
  EXPECT_EQ(description(true), kernels);
  EXPECT_EQ(warnings(), "");
  {
    Setting none("FAKE_CUDNN_ENGINES", "0");
    EXPECT_EQ(description(false), kernels);
    EXPECT_NE(warnings().find("has no engine for the graph"), std::string::npos) << warnings();
  }
  {
    Setting much("FAKE_CUDNN_WORKSPACE", "70000");
    EXPECT_EQ(description(false), kernels);
    EXPECT_NE(warnings().find("asks for 70144 bytes of scratch for launch 0 "
                              "(core_attn), planned were 65536"),
              std::string::npos)
        << warnings();
  }
  {
    // Five keys are no whole tile.
    Setting wrong("FAKE_CUDNN_VERSION", "91500");
    EXPECT_EQ(description(false), kernels);
    EXPECT_NE(warnings().find("found cuDNN 9.15.0; attention over 5 keys, no "
                              "multiple of 128, needs 9.15.1 or newer"),
              std::string::npos)
        << warnings();
  }
  // A plan was made and does not run: forward, only backward, not in a capture.
  for (const char *runs : {"0", "1", "2", "3"}) {
    Setting few("FAKE_CUDNN_RUNS", runs);
    EXPECT_EQ(description(false), kernels);
    EXPECT_EQ(warnings(), "attention by generated kernels: cuDNN: attention: said by the fake: why, too\n");
  }
  {
    Setting uncaptured("FAKE_CUDNN_CAPTURED", "0");
    EXPECT_EQ(description(false), kernels);
    EXPECT_NE(warnings().find("cuDNN: attention: said by the fake"), std::string::npos) << warnings();
    EXPECT_NE(description(false, 65536, true).find(", attention by cuDNN 9."), std::string::npos);
    EXPECT_EQ(warnings(), "");
  }
  EXPECT_EQ(description(false, 0), kernels);
  EXPECT_NE(warnings().find("planned were 0"), std::string::npos);
}
