//===- ModelConfig.cpp - Defaults and checks of a model -----------------------------------------------------------===//

#include "tx/Frontend/ModelConfig.h"
#include "tx/Frontend/Family.h"
#include "tx/Frontend/Rope.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace tx;
using llvm::Error;

namespace {
/// A size of the model, and the flag that sets it.
struct Count {
  const char *flag;
  int64_t ModelConfig::*field;
  int64_t maximum;
};
struct Number {
  const char *flag;
  double ModelConfig::*field;
};
} // namespace

// Bounds that are far above any model, and low enough that sums of products do not overflow. The bound on layers is
// lower, since layers are unrolled.
static constexpr int64_t kMaxSize = int64_t(1) << 31;

static const Count kCounts[] = {
    {"--num-layers", &ModelConfig::numLayers, ModelConfig::kMaxLayers},
    {"--hidden-size", &ModelConfig::hiddenSize, kMaxSize / 8},
    {"--num-attention-heads", &ModelConfig::numAttentionHeads, kMaxSize / 8},
    {"--num-query-groups", &ModelConfig::numKeyValueHeads, kMaxSize / 8},
    {"--kv-channels", &ModelConfig::headSize, kMaxSize / 8},
    {"--ffn-hidden-size", &ModelConfig::ffnHiddenSize, kMaxSize},
    {"--vocab-size", &ModelConfig::vocabSize, kMaxSize - 1}, // token ids are i32
    {"--make-vocab-size-divisible-by", &ModelConfig::vocabDivisor, kMaxSize},
    {"--max-position-embeddings", &ModelConfig::maxPositionEmbeddings, kMaxSize},
    {"--seq-length", &ModelConfig::seqLength, kMaxSize},
    {"--micro-batch-size", &ModelConfig::microBatchSize, kMaxSize},
};

static const Number kDropouts[] = {
    {"--attention-dropout", &ModelConfig::attentionDropout},
    {"--hidden-dropout", &ModelConfig::hiddenDropout},
    {"--hidden-dropout", &ModelConfig::embeddingDropout},
};
static const Number kOtherNumbers[] = {
    {"--norm-epsilon", &ModelConfig::layernormEpsilon},
    {"--init-method-std", &ModelConfig::initializerRange},
};

llvm::StringRef tx::getFlagOf(const ConfigField &field) {
  for (const Count &count : kCounts)
    if (field.count == count.field)
      return count.flag;
  for (const Number &number : llvm::concat<const Number>(kDropouts, kOtherNumbers))
    if (field.number == number.field)
      return number.flag;
  return "";
}

/// A flag with the name of the field in the family's config.json that sets the same: `--num-layers (n_layer)`. Without
/// a family, or if the family has no such field, the flag alone.
static std::string nameField(const ModelConfig &config, llvm::StringRef flag,
                             llvm::function_ref<bool(const ConfigField &)> isField) {
  if (const Family *family = findFamily(config.type))
    for (const ConfigField &field : family->fields)
      if (isField(field))
        return (flag + " (" + field.name + ")").str();
  return flag.str();
}
static std::string nameOf(const ModelConfig &config, const Count &count) {
  return nameField(config, count.flag, [&](const ConfigField &field) { return field.count == count.field; });
}
static std::string nameOf(const ModelConfig &config, const Number &number) {
  return nameField(config, number.flag, [&](const ConfigField &field) { return field.number == number.field; });
}
static std::string nameOf(const ModelConfig &config, int64_t ModelConfig::*member) {
  return nameOf(config, *llvm::find_if(kCounts, [&](const Count &count) { return count.field == member; }));
}
static std::string nameOf(const ModelConfig &config, double ModelConfig::*member) {
  return nameOf(config, *llvm::find_if(kOtherNumbers, [&](const Number &number) { return number.field == member; }));
}

static Error checkCounts(const ModelConfig &config) {
  for (const Count &count : kCounts) {
    int64_t value = config.*count.field;
    if (value == ModelConfig::kUnset)
      return badInput(llvm::formatv("{0} is missing: give it, or start from a config.json or a preset "
                                    "such as gpt2-124m",
                                    nameOf(config, count)));
    if (value < 1 || value > count.maximum)
      return badInput(
          llvm::formatv("{0} is {1}; it must be from 1 to {2}", nameOf(config, count), value, count.maximum));
  }
  return Error::success();
}

static Error checkNumbers(const ModelConfig &config) {
  for (const Number &dropout : kDropouts) {
    double value = config.*dropout.field;
    if (!(value >= 0.0 && value < 1.0))
      return badInput(
          llvm::formatv("{0} is {1}; it must be at least 0 and below 1", nameOf(config, dropout), show(value)));
  }
  if (!(config.layernormEpsilon > 0.0 && std::isfinite(config.layernormEpsilon)))
    return badInput(llvm::formatv("{0} is {1}; it must be above 0", nameOf(config, &ModelConfig::layernormEpsilon),
                                  show(config.layernormEpsilon)));
  if (!(config.initializerRange >= 0.0 && std::isfinite(config.initializerRange)))
    return badInput(llvm::formatv("{0} is {1}; it must be at least 0", nameOf(config, &ModelConfig::initializerRange),
                                  show(config.initializerRange)));
  return Error::success();
}

/// The numbers of heads that divide `hidden` and are nearest to `heads`, for an error message.
static std::string nearbyDivisors(int64_t hidden, int64_t heads) {
  int64_t below = 1, above = hidden;
  auto consider = [&](int64_t divisor) {
    (divisor < heads ? below : above) = divisor < heads ? std::max(below, divisor) : std::min(above, divisor);
  };
  for (int64_t i = 1; i * i <= hidden; ++i)
    if (hidden % i == 0)
      consider(i), consider(hidden / i);
  return below == above ? std::to_string(below) : llvm::formatv("{0} or {1}", below, above).str();
}

static Error checkHeads(const ModelConfig &config) {
  std::string heads = nameOf(config, &ModelConfig::numAttentionHeads);
  if (config.numAttentionHeads % config.numKeyValueHeads != 0)
    return badInput(llvm::formatv("{0} is {1}, which does not divide {2} {3}; {4} would",
                                  nameOf(config, &ModelConfig::numKeyValueHeads), config.numKeyValueHeads, heads,
                                  config.numAttentionHeads,
                                  nearbyDivisors(config.numAttentionHeads, config.numKeyValueHeads)));
  if (config.qkNorm && config.normalization != Normalization::RMSNorm)
    return badInput("--qk-layernorm is refused with LayerNorm: norms over heads are RMS norms; add --normalization "
                    "RMSNorm");
  if (config.normOffset && config.normalization != Normalization::RMSNorm)
    return badInput("--apply-layernorm-1p is refused with LayerNorm, whose weights start at 1; add --normalization "
                    "RMSNorm");
  return Error::success();
}

static Error checkRope(const ModelConfig &config) {
  const RopeConfig &rope = config.rope;
  auto bad = [](llvm::StringRef what, double value, llvm::StringRef allowed) {
    return badInput(llvm::formatv("{0} is {1}; it must be {2}", what, show(value), allowed));
  };
  if (!(rope.theta > 1.0 && std::isfinite(rope.theta)))
    return bad("--rotary-base (rope_theta)", rope.theta, "above 1");
  if (!(rope.percent > 0.0 && rope.percent <= 1.0))
    return bad("--rotary-percent", rope.percent, "above 0, and at most 1");
  int64_t size = config.getRotarySize();
  if (size < 2 || size % 2 != 0)
    return badInput(
        llvm::formatv("rotary positions rotate pairs of columns, and {0} of a head's {1} are to be rotated; "
                      "an even number would work: see --kv-channels and --rotary-percent",
                      size, config.headSize));
  constexpr int64_t kMostRotated = 1 << 16; // frequencies are constants of the step
  if (size > kMostRotated)
    return badInput(
        llvm::formatv("rotary positions are to rotate {0} columns of a head; {1} is the most: see --kv-channels", size,
                      kMostRotated));
  if (!(rope.factor > 0.0 && std::isfinite(rope.factor)))
    return bad("the factor of rotary positions (--rope-scaling-factor, rope_scaling)", rope.factor, "above 0");
  if (rope.scaling == RopeScaling::Dynamic && size == 2)
    return badInput("dynamic scaling of rotary positions needs heads that are wider than 2");
  if (rope.scaling == RopeScaling::Llama3 &&
      !(rope.lowFrequencyFactor > 0.0 && rope.highFrequencyFactor > rope.lowFrequencyFactor))
    return bad("high_freq_factor of rope_scaling", rope.highFrequencyFactor, "above low_freq_factor, and that above 0");
  if (rope.scaling == RopeScaling::Yarn && !(rope.betaSlow > 0.0 && rope.betaFast > 0.0))
    return bad("beta_slow or beta_fast of rope_scaling", std::min(rope.betaSlow, rope.betaFast), "above 0");
  // Extreme constants, each of which is possible.
  RopeTable table = makeRopeTable(config);
  auto isGood = [](double number) { return std::isfinite(number) && number >= 0.0; };
  if (!llvm::all_of(table.frequencies, isGood) || !isGood(table.scale) || table.scale == 0.0)
    return badInput(
        "rotary positions by these constants (rope_theta, rope_scaling) have frequencies, or a factor of cos "
        "and sin, that are no positive f32 numbers");
  return Error::success();
}

static Error checkPositions(const ModelConfig &config) {
  if (config.positions == PositionEmbedding::LearnedAbsolute && config.seqLength > config.maxPositionEmbeddings)
    return badInput(llvm::formatv("--seq-length is {0}, above {1} {2}: "
                                  "learned positions end there; lower the one or raise the other",
                                  config.seqLength, nameOf(config, &ModelConfig::maxPositionEmbeddings),
                                  config.maxPositionEmbeddings));
  for (int64_t layer = 0; layer < config.numLayers; ++layer)
    if (int64_t window = config.getWindow(layer); window != 0 && window < config.seqLength)
      return badInput(
          llvm::formatv("sliding_window is {0}, refused: attention of layer {1} would see {0} of {2} tokens, "
                        "and windows are not there yet; --seq-length {0} is the longest without one",
                        window, layer, config.seqLength));
  return config.positions == PositionEmbedding::Rope ? checkRope(config) : Error::success();
}

std::string tx::findFlashObstacle(const ModelConfig &config) {
  constexpr int64_t widest = 256; // the widest head that any of our flash attentions can have
  if (config.getHeadSize() <= widest)
    return "";
  return llvm::formatv("heads are {0} wide, and flash attention takes at most "
                       "{1}",
                       config.getHeadSize(), widest);
}

static Error chooseAttention(ModelConfig &config) {
  AttentionBackend asked = config.attentionBackend;
  if (asked == AttentionBackend::Unfused)
    return Error::success();
  std::string obstacle = findFlashObstacle(config);
  config.attentionBackend = obstacle.empty() ? AttentionBackend::Flash : AttentionBackend::Unfused;
  if (asked != AttentionBackend::Auto && !obstacle.empty())
    return badInput("--attention-backend " + stringifyAttentionBackend(asked) + " is refused: " + obstacle +
                    "; use --attention-backend unfused");
  return Error::success();
}

/// Checks that no size of a tensor, no sum over layers and no count of FLOPs overflows int64_t.
static Error checkProducts(const ModelConfig &c) {
  struct Product {
    const char *what;
    int bits;
    llvm::SmallVector<int64_t, 5> factors;
  };
  // 2^45 elements times 4096 layers, 4 bytes and a dozen such activations in each layer stay below 2^63. Heads may be
  // wider together than the hidden size.
  int64_t width = std::max(c.hiddenSize, c.getQuerySize());
  int64_t widest = std::max(std::max(3 * width, c.ffnHiddenSize), c.vocabSize);
  int64_t positions = c.positions == PositionEmbedding::LearnedAbsolute ? c.maxPositionEmbeddings : 1;
  const Product products[] = {
      {"the attention scores (micro-batch-size x heads x seq-length x seq-length) would have",
       45,
       {c.microBatchSize, c.numAttentionHeads, c.seqLength, c.seqLength}},
      {"the widest activation (micro-batch-size x seq-length x the largest of 3 hidden-size, ffn-hidden-size, "
       "vocab-size) would have",
       45,
       {c.microBatchSize, c.seqLength, widest}},
      {"the weights (num-layers x hidden-size x the largest of 3 hidden-size, ffn-hidden-size, vocab-size) would have",
       48,
       {c.numLayers, c.hiddenSize, widest}},
      {"the table of positions (max-position-embeddings x hidden-size) would have", 48, {positions, c.hiddenSize}},
      {"a step (micro-batch-size x seq-length x the weights) would multiply",
       58,
       {c.numLayers, c.microBatchSize, c.seqLength, c.hiddenSize, widest}},
      {"attention (num-layers x micro-batch-size x seq-length x seq-length x hidden-size) would multiply",
       58,
       {c.numLayers, c.microBatchSize, c.seqLength, c.seqLength, width}},
  };
  for (const Product &product : products) {
    int64_t elements = 1;
    for (int64_t factor : product.factors)
      if (llvm::MulOverflow(elements, factor, elements) || elements > int64_t(1) << product.bits)
        return badInput(
            llvm::formatv("{0} more than 2^{1} elements; lower one of the factors", product.what, product.bits));
  }
  return Error::success();
}

/// Fills what follows from other fields. Where these are out of range, it leaves a value that checkCounts reports.
static Error fillDefaults(ModelConfig &config) {
  constexpr int64_t unset = ModelConfig::kUnset;
  if (config.maxPositionEmbeddings == unset)
    config.maxPositionEmbeddings = config.seqLength;
  if (config.seqLength == unset)
    config.seqLength = config.maxPositionEmbeddings;
  if (config.numKeyValueHeads == unset)
    config.numKeyValueHeads = config.numAttentionHeads;
  auto isInRange = [](int64_t value) { return value > 0 && value <= kMaxSize / 8; };
  if (config.headSize == unset && isInRange(config.hiddenSize) && isInRange(config.numAttentionHeads)) {
    if (config.hiddenSize % config.numAttentionHeads != 0)
      return badInput(llvm::formatv("{0} is {1}, which does not divide {2} {3}; {4} would",
                                    nameOf(config, &ModelConfig::numAttentionHeads), config.numAttentionHeads,
                                    nameOf(config, &ModelConfig::hiddenSize), config.hiddenSize,
                                    nearbyDivisors(config.hiddenSize, config.numAttentionHeads)));
    config.headSize = config.hiddenSize / config.numAttentionHeads;
  }
  if (config.ffnHiddenSize == unset && config.hiddenSize != unset) {
    if (llvm::MulOverflow(config.hiddenSize, int64_t(4), config.ffnHiddenSize))
      config.ffnHiddenSize = config.hiddenSize; // out of range
    else if (config.activation == Activation::SwiGlu)
      // With three products in place of two: as many parameters, in Megatron's rounding.
      config.ffnHiddenSize = std::max<int64_t>(config.ffnHiddenSize * 2 / 3 / 64 * 64, 1);
  }
  return Error::success();
}

Error tx::resolve(ModelConfig &config) {
  if (Error error = fillDefaults(config))
    return error;
  if (Error error = checkCounts(config))
    return error;
  if (config.getQuerySize() > kMaxSize / 8) // each factor has at most 28 bits
    return badInput(llvm::formatv("{0} x --kv-channels is {1} x {2}; the product must be at most {3}",
                                  nameOf(config, &ModelConfig::numAttentionHeads), config.numAttentionHeads,
                                  config.headSize, kMaxSize / 8));
  config.vocabSize = llvm::divideCeil(config.vocabSize, config.vocabDivisor) * config.vocabDivisor;
  if (config.vocabSize >= kMaxSize)
    return badInput(llvm::formatv("--vocab-size, padded to a multiple of {0}, is {1}; token ids have 31 bits",
                                  config.vocabDivisor, config.vocabSize));
  for (auto check : {checkNumbers, checkHeads, checkPositions})
    if (Error error = check(config))
      return error;
  if (Error error = chooseAttention(config))
    return error;
  // Flags may have made another family's model of it.
  if (const Family *family = findFittingFamily(config))
    config.type = family->name.str();
  return checkProducts(config);
}

double ModelConfig::getAttentionScale() const { return 1.0 / std::sqrt(static_cast<double>(headSize)); }

int64_t ModelConfig::getWindow(int64_t layer) const {
  return windows.empty() ? 0 : windows[std::min<size_t>(layer, windows.size() - 1)];
}

llvm::StringRef tx::stringifyDType(DType dtype) { return dtype == DType::F32 ? "f32" : "bf16"; }

static llvm::json::Object describeRope(const ModelConfig &config) {
  RopeTable table = makeRopeTable(config);
  return llvm::json::Object{{"theta", config.rope.theta},
                            {"rotary_size", config.getRotarySize()},
                            {"interleaved", config.rope.interleaved},
                            {"scaling", stringifyRopeScaling(config.rope.scaling)},
                            {"factor", config.rope.factor},
                            {"scale", table.scale}};
}

llvm::json::Object tx::toJson(const ModelConfig &config) {
  llvm::json::Object object{
      {"num_layers", config.numLayers},
      {"hidden_size", config.hiddenSize},
      {"num_attention_heads", config.numAttentionHeads},
      {"num_query_groups", config.numKeyValueHeads},
      {"head_size", config.headSize},
      {"ffn_hidden_size", config.ffnHiddenSize},
      {"vocab_size", config.vocabSize},
      {"max_position_embeddings", config.maxPositionEmbeddings},
      {"seq_length", config.seqLength},
      {"micro_batch_size", config.microBatchSize},
      {"normalization", stringifyNormalization(config.normalization)},
      {"norm_offset", config.normOffset ? 1 : 0},
      {"layernorm_epsilon", config.layernormEpsilon},
      {"position_embedding", stringifyPositionEmbedding(config.positions)},
      {"activation", stringifyActivation(config.activation)},
      {"qk_norm", config.qkNorm},
      {"qkv_bias", config.qkvBias},
      {"proj_bias", config.projBias},
      {"mlp_bias", config.mlpBias},
      {"attention_scale", config.getAttentionScale()},
      {"attention_dropout", config.attentionDropout},
      {"hidden_dropout", config.hiddenDropout},
      {"embedding_dropout", config.embeddingDropout},
      {"initializer_range", config.initializerRange},
      {"tied", config.tiedEmbeddings},
      {"dtype", stringifyDType(config.dtype)},
      {"attention_backend", stringifyAttentionBackend(config.attentionBackend)},
      {"parameters", config.countParameters()},
  };
  const Family *family = findFittingFamily(config);
  object["type"] = family ? llvm::StringRef(family->name) : "own form";
  if (config.positions == PositionEmbedding::Rope)
    object["rope"] = describeRope(config);
  return object;
}
