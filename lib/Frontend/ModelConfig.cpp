//===- ModelConfig.cpp - Defaults and checks of a model -----------------------------------------------------------===//

#include "tx/Frontend/ModelConfig.h"
#include "tx/Frontend/UserError.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace tx;
using llvm::Error;

namespace {
struct Count {
  const char *name; ///< the flag, and the field's name in config.json if it has one
  int64_t ModelConfig::*field;
  int64_t maximum;
};
struct Number {
  const char *name;
  double ModelConfig::*field;
};
} // namespace

// Bounds that are far above any model, and low enough that sums of products do not overflow. The bound on layers is
// lower, since layers are unrolled and the compiler's own memory grows with them.
static constexpr int64_t kMaxLayers = 4096;
static constexpr int64_t kMaxSize = int64_t(1) << 31;

static const Count kCounts[] = {
    {"--num-layers (n_layer)", &ModelConfig::numLayers, kMaxLayers},
    {"--hidden-size (n_embd)", &ModelConfig::hiddenSize, kMaxSize / 8},
    {"--num-attention-heads (n_head)", &ModelConfig::numAttentionHeads, kMaxSize},
    {"--ffn-hidden-size (n_inner)", &ModelConfig::ffnHiddenSize, kMaxSize},
    {"--vocab-size (vocab_size)", &ModelConfig::vocabSize, kMaxSize - 1}, // token ids are i32
    {"--make-vocab-size-divisible-by", &ModelConfig::vocabDivisor, kMaxSize},
    {"--max-position-embeddings (n_positions)", &ModelConfig::maxPositionEmbeddings, kMaxSize},
    {"--seq-length", &ModelConfig::seqLength, kMaxSize},
    {"--micro-batch-size", &ModelConfig::microBatchSize, kMaxSize},
};

static const Number kDropouts[] = {
    {"--attention-dropout (attn_pdrop)", &ModelConfig::attentionDropout},
    {"--hidden-dropout (resid_pdrop)", &ModelConfig::hiddenDropout},
    {"--hidden-dropout (embd_pdrop)", &ModelConfig::embeddingDropout},
};

static Error checkCounts(const ModelConfig &config) {
  for (const Count &count : kCounts) {
    int64_t value = config.*count.field;
    if (value == ModelConfig::kUnset)
      return badInput(llvm::formatv("{0} is missing: give it, or start from a config.json or a preset "
                                    "such as gpt2-124m",
                                    count.name));
    if (value < 1 || value > count.maximum)
      return badInput(llvm::formatv("{0} is {1}; it must be from 1 to {2}", count.name, value, count.maximum));
  }
  return Error::success();
}

static Error checkNumbers(const ModelConfig &config) {
  for (const Number &dropout : kDropouts) {
    double value = config.*dropout.field;
    if (!(value >= 0.0 && value < 1.0))
      return badInput(llvm::formatv("{0} is {1}; it must be at least 0 and below 1", dropout.name, show(value)));
  }
  if (!(config.layernormEpsilon > 0.0 && std::isfinite(config.layernormEpsilon)))
    return badInput(
        llvm::formatv("--norm-epsilon (layer_norm_epsilon) is {0}; it must be above 0", show(config.layernormEpsilon)));
  if (!(config.initializerRange >= 0.0 && std::isfinite(config.initializerRange)))
    return badInput(llvm::formatv("--init-method-std (initializer_range) is {0}; it must be at least 0",
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

static Error checkRelations(const ModelConfig &config) {
  if (config.hiddenSize % config.numAttentionHeads != 0)
    return badInput(llvm::formatv("--num-attention-heads (n_head) is {0}, which does not divide "
                                  "--hidden-size (n_embd) {1}; {2} would",
                                  config.numAttentionHeads, config.hiddenSize,
                                  nearbyDivisors(config.hiddenSize, config.numAttentionHeads)));
  if (config.seqLength > config.maxPositionEmbeddings)
    return badInput(llvm::formatv("--seq-length is {0}, above --max-position-embeddings (n_positions) {1}: "
                                  "learned positions end there; lower the one or raise the other",
                                  config.seqLength, config.maxPositionEmbeddings));
  return Error::success();
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
  // 2^45 elements times 4096 layers, 4 bytes and a dozen such activations in each layer stay below 2^63.
  int64_t widest = std::max(std::max(3 * c.hiddenSize, c.ffnHiddenSize), c.vocabSize);
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
      {"the table of positions (max-position-embeddings x hidden-size) would have",
       48,
       {c.maxPositionEmbeddings, c.hiddenSize}},
      {"a step (micro-batch-size x seq-length x the weights) would multiply",
       58,
       {c.numLayers, c.microBatchSize, c.seqLength, c.hiddenSize, widest}},
      {"attention (num-layers x micro-batch-size x seq-length x seq-length x hidden-size) would multiply",
       58,
       {c.numLayers, c.microBatchSize, c.seqLength, c.seqLength, c.hiddenSize}},
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

Error tx::resolve(ModelConfig &config) {
  constexpr int64_t unset = ModelConfig::kUnset;
  if (config.maxPositionEmbeddings == unset)
    config.maxPositionEmbeddings = config.seqLength;
  if (config.seqLength == unset)
    config.seqLength = config.maxPositionEmbeddings;
  if (config.ffnHiddenSize == unset && config.hiddenSize != unset &&
      llvm::MulOverflow(config.hiddenSize, int64_t(4), config.ffnHiddenSize))
    config.ffnHiddenSize = config.hiddenSize; // on overflow hiddenSize is out of range; checkCounts reports it
  if (Error error = checkCounts(config))
    return error;
  config.vocabSize = llvm::divideCeil(config.vocabSize, config.vocabDivisor) * config.vocabDivisor;
  if (config.vocabSize >= kMaxSize)
    return badInput(llvm::formatv("--vocab-size, padded to a multiple of {0}, is {1}; token ids have 31 bits",
                                  config.vocabDivisor, config.vocabSize));
  if (Error error = checkNumbers(config))
    return error;
  if (Error error = checkRelations(config))
    return error;
  if (Error error = chooseAttention(config))
    return error;
  return checkProducts(config);
}

int64_t ModelConfig::countParameters() const {
  int64_t h = hiddenSize, f = ffnHiddenSize, bias = linearBias ? 1 : 0;
  int64_t layer = 2 * 2 * h                  // two norms
                  + h * 3 * h + bias * 3 * h // attn.c_attn
                  + h * h + bias * h         // attn.c_proj
                  + h * f + bias * f         // mlp.c_fc
                  + f * h + bias * h;        // mlp.c_proj
  return vocabSize * h * (tiedEmbeddings ? 1 : 2) + maxPositionEmbeddings * h + numLayers * layer + 2 * h;
}

llvm::StringRef tx::stringifyDType(DType dtype) { return dtype == DType::F32 ? "f32" : "bf16"; }

llvm::json::Object tx::toJson(const ModelConfig &config) {
  return llvm::json::Object{
      {"type", config.type},
      {"num_layers", config.numLayers},
      {"hidden_size", config.hiddenSize},
      {"num_attention_heads", config.numAttentionHeads},
      {"ffn_hidden_size", config.ffnHiddenSize},
      {"vocab_size", config.vocabSize},
      {"max_position_embeddings", config.maxPositionEmbeddings},
      {"seq_length", config.seqLength},
      {"micro_batch_size", config.microBatchSize},
      {"layernorm_epsilon", config.layernormEpsilon},
      {"attention_dropout", config.attentionDropout},
      {"hidden_dropout", config.hiddenDropout},
      {"embedding_dropout", config.embeddingDropout},
      {"initializer_range", config.initializerRange},
      {"tied", config.tiedEmbeddings},
      {"linear_bias", config.linearBias},
      {"dtype", stringifyDType(config.dtype)},
      {"attention_backend", stringifyAttentionBackend(config.attentionBackend)},
      {"parameters", config.countParameters()},
  };
}
