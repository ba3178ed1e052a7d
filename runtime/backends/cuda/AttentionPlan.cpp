#include "backends/cuda/Attention.h"

#include <cmath>
#include <optional>

using namespace txrt;
using namespace txrt::cuda;
using dnn::Sizes;
using dnn::Tensor;

// The score of a key that a query does not see. It is finite, so that the difference of two such scores is no NaN.
static constexpr float unseen = -1e30f;

static uint64_t aligned(uint64_t bytes) {
  return (bytes + TXRT_SCRATCH_ALIGNMENT - 1) / TXRT_SCRATCH_ALIGNMENT * TXRT_SCRATCH_ALIGNMENT;
}

/// Fails if the number of keys is no multiple of a tile and cuDNN is 9.15.0 or older: these versions compute wrong
/// gradients for the last tile, unless the caller gives the lengths as a mask, as cudnn-frontend does.
static void requireTails(const dnn::Library &library, const txrt_attention &attention) {
  constexpr uint64_t tile = 128;
  constexpr size_t mended = 91501;
  if (attention.backward && attention.keys % tile && library.getVersion() < mended)
    fail(TXRT_DEVICE,
         "found %s; attention over %llu keys, no multiple of %llu, needs 9.15.1 "
         "or newer",
         library.version().c_str(), static_cast<unsigned long long>(attention.keys),
         static_cast<unsigned long long>(tile));
}

/// The engine for Blackwell's deterministic backward. The library does not propose it by itself; its index and knobs
/// are those in cudnn-frontend.
static std::optional<dnn::Engine> ownEngine(const dnn::Library &library, const txrt_attention &attention,
                                            uint32_t capability) {
  if (!attention.backward || !attention.deterministic || capability / 10 != 10)
    return std::nullopt;
  if (library.getVersion() < 92300)
    return dnn::Engine{5, {{dnn::KnobKernelConfig, 31}, {dnn::KnobStages, 2}}};
  return dnn::Engine{5,
                     {{dnn::KnobTileM, 3},
                      {dnn::KnobTileN, 2},
                      {dnn::KnobKernelConfig, 2},
                      {dnn::KnobStreamK, 0},
                      {dnn::KnobTileCgaM, 0},
                      {dnn::KnobStages, 2}}};
}

AttentionPlan::AttentionPlan(const dnn::Library &library, dnn::Handle handle, const txrt_attention &attention,
                             uint32_t capability, const char *device)
    : attention(attention), graph(library) {
  requireTails(library, attention);
  if (attention.backward)
    buildBackward();
  else
    buildForward();
  const std::optional<dnn::Engine> own = ownEngine(library, attention, capability);
  graph.finish(handle, device, own ? &*own : nullptr);
}

uint64_t AttentionPlan::scratchBytes() const {
  return keptBytes + aligned(static_cast<uint64_t>(graph.workspaceBytes()));
}

/// Columns of a head of this operand.
int64_t AttentionPlan::widthOf(txrt_attention_operand which) const {
  const bool ofScores = which == TXRT_ATTENTION_Q || which == TXRT_ATTENTION_K || which == TXRT_ATTENTION_DQ ||
                        which == TXRT_ATTENTION_DK;
  return static_cast<int64_t>(ofScores ? attention.width : attention.value_width);
}

/// An operand as a tensor [batch, heads, length, width]; in memory it has batch x length rows.
Tensor AttentionPlan::operand(txrt_attention_operand which) {
  const bool ofKeys = which == TXRT_ATTENTION_K || which == TXRT_ATTENTION_V || which == TXRT_ATTENTION_DK ||
                      which == TXRT_ATTENTION_DV;
  const int64_t length = ofKeys ? attention.keys : attention.queries;
  const int64_t heads = ofKeys ? attention.key_heads : attention.heads;
  const int64_t row = attention.row_strides[which], width = widthOf(which);
  Tensor tensor = graph.memory(dnn::BF16, {static_cast<int64_t>(attention.batch), heads, length, width},
                               {length * row, width, row, 1});
  ids[which] = tensor.id;
  return tensor;
}

/// The same operand as a tensor [batch, heads, width, length].
Tensor AttentionPlan::transposed(txrt_attention_operand which) {
  const int64_t row = attention.row_strides[which];
  const int64_t keys = attention.keys, heads = attention.key_heads, width = widthOf(which);
  Tensor tensor =
      graph.memory(dnn::BF16, {static_cast<int64_t>(attention.batch), heads, width, keys}, {keys * row, width, 1, row});
  ids[which] = tensor.id;
  return tensor;
}

Tensor AttentionPlan::statistics() {
  const int64_t heads = attention.heads, queries = attention.queries;
  Tensor tensor = graph.memory(dnn::F32, {static_cast<int64_t>(attention.batch), heads, queries, 1},
                               {heads * queries, queries, 1, 1});
  ids[TXRT_ATTENTION_LSE] = tensor.id;
  return tensor;
}

/// The scores: scale Q K^T.
Tensor AttentionPlan::scores(const Tensor &q, const Tensor &k) {
  Tensor s = graph.matmul(q, k, {q.sizes[0], q.sizes[1], q.sizes[2], static_cast<int64_t>(attention.keys)});
  return graph.pointwise(dnn::Multiply, s, graph.constant(attention.scale));
}

void AttentionPlan::buildForward() {
  Tensor q = operand(TXRT_ATTENTION_Q), k = transposed(TXRT_ATTENTION_K);
  Tensor v = operand(TXRT_ATTENTION_V), o = operand(TXRT_ATTENTION_O);
  Tensor lse = statistics();
  const Sizes perRow = {q.sizes[0], q.sizes[1], q.sizes[2], 1};
  Tensor s = scores(q, k);
  if (attention.causal)
    s = graph.lowerTriangle(s, graph.constant(unseen));
  Tensor most = graph.reduce(dnn::Maximum, s, perRow);
  Tensor e = graph.pointwise(dnn::Exp, graph.pointwise(dnn::Subtract, s, most));
  Tensor sum = graph.reduce(dnn::Sum, e, perRow);
  Tensor logarithm = graph.pointwise(dnn::Log, sum);
  graph.pointwise(dnn::Add, most, &logarithm, lse);
  Tensor p = graph.virtualTensor(dnn::BF16, s.sizes,
                                 {s.sizes[1] * s.sizes[2] * s.sizes[3], s.sizes[2] * s.sizes[3], s.sizes[3], 1});
  graph.pointwise(dnn::Divide, e, &sum, p);
  graph.matmul(p, v, o);
}

/// With P = exp(scale Q K^T - lse) and D the row sums of dO * O: dV = P^T dO, dS = scale P (dO V^T - D), dQ = dS K, dK
/// = dS^T Q.
void AttentionPlan::buildBackward() {
  Tensor q = operand(TXRT_ATTENTION_Q), k = transposed(TXRT_ATTENTION_K);
  Tensor v = transposed(TXRT_ATTENTION_V), o = operand(TXRT_ATTENTION_O);
  Tensor dO = operand(TXRT_ATTENTION_DO), lse = statistics();
  Tensor dQ = operand(TXRT_ATTENTION_DQ), dK = operand(TXRT_ATTENTION_DK);
  Tensor dV = operand(TXRT_ATTENTION_DV);
  const int64_t b = q.sizes[0], h = q.sizes[1], s = q.sizes[2];
  const int64_t d = q.sizes[3], dv = o.sizes[3], t = static_cast<int64_t>(attention.keys);
  const bool shared = attention.heads != attention.key_heads;
  auto keep = [&](Sizes sizes, Sizes strides) {
    Tensor tensor = graph.memory(dnn::F32, sizes, strides);
    kept.push_back({tensor.id, keptBytes});
    keptBytes += aligned(static_cast<uint64_t>(sizes[0] * sizes[1] * sizes[2] * sizes[3] * 4));
    return tensor;
  };

  const Sizes perRow = {b, h, s, 1};
  Tensor product = graph.virtualTensor(dnn::F32, {b, h, s, dv}, {h * s * dv, s * dv, h * dv, 1});
  graph.pointwise(dnn::Multiply, dO, &o, product);
  Tensor rowSum = graph.reduce(dnn::Sum, product, perRow);
  Tensor sums = keep(perRow, {h * s, s, 1, 1});
  Tensor one = graph.constant(1);
  graph.pointwise(dnn::Multiply, rowSum, &one, sums);

  Tensor scale = graph.constant(attention.scale);
  Tensor scored = graph.pointwise(dnn::Multiply, graph.matmul(q, k, {b, h, s, t}), scale);
  Tensor shifted = graph.pointwise(dnn::Subtract, scored, lse);
  if (attention.causal)
    shifted = graph.lowerTriangle(shifted, graph.constant(unseen));
  Tensor p = graph.pointwise(dnn::Exp, shifted);

  // Products with P^T and dS^T, summed over the query heads that share a key head.
  auto byKeys = [&](const Tensor &x, const Tensor &with, const Tensor &to) {
    Tensor turned = graph.reshape(x, dnn::BF16, {b, h, t, s}, {h * s * t, s * t, 1, t});
    if (!shared)
      return graph.matmul(turned, with, to);
    const int64_t width = to.sizes[3];
    Tensor all = graph.virtualTensor(dnn::BF16, {b, h, t, width}, {h * t * width, t * width, width, 1});
    graph.matmul(turned, with, all);
    graph.reduce(dnn::Sum, all, to);
  };
  byKeys(p, dO, dV);
  Tensor dP = graph.matmul(dO, v, {b, h, s, t});
  Tensor dS = graph.pointwise(dnn::Multiply,
                              graph.pointwise(dnn::Multiply, graph.pointwise(dnn::Subtract, dP, sums), p), scale);
  byKeys(dS, q, dK);
  const int64_t row = attention.row_strides[TXRT_ATTENTION_K];
  Tensor keys = graph.reshape(k, dnn::BF16, {b, k.sizes[1], t, d}, {t * row, d, row, 1});
  if (attention.deterministic)
    return graph.matmul(dS, keys, dQ);
  Tensor added = keep({b, h, s, d}, {h * s * d, s * d, d, 1});
  graph.matmul(dS, keys, added);
  graph.pointwise(dnn::Identity, added, nullptr, dQ);
}

void AttentionPlan::enqueue(dnn::Handle handle, const std::array<void *, TXRT_ATTENTION_OPERANDS> &operands) {
  char *at = static_cast<char *>(operands[TXRT_ATTENTION_SCRATCH]);
  std::vector<std::pair<int64_t, void *>> places;
  for (size_t i = 0; i < operands.size(); ++i)
    if (ids[i])
      places.push_back({ids[i], operands[i]});
  for (auto [id, offset] : kept)
    places.push_back({id, at + offset});
  graph.enqueue(handle, places, at + keptBytes);
}
