//===- ModelConfig.h - What model to build --------------------------------------------------------------*- C++ -*-===//
//
// Plain data. A preset or a config.json fills it first, then flags; then `resolve` fills the fields that none of them
// has set, and checks all of it.
//
//   ModelConfig config;
//   config.numLayers = 2, config.hiddenSize = 64, config.numAttentionHeads = 2;
//   config.vocabSize = 256, config.seqLength = 128;
//   if (llvm::Error error = resolve(config)) ...
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_MODELCONFIG_H
#define TX_FRONTEND_MODELCONFIG_H

#include "tx/Dialect/Tx/IR/TxEnums.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace tx {

/// The type of parameters and activations. Statistics, logits, gradients and optimizer state are f32 in both cases.
enum class DType { F32, BF16 };

/// Rotary positions: the columns of each head of q and k are rotated in pairs, by angles that grow with the position.
struct RopeConfig {
  double theta = 1e4;       ///< pair i of r / 2 turns by theta^(-2i/r) at each position
  double percent = 1.0;     ///< the part of a head's columns that is rotated
  bool interleaved = false; ///< pairs are columns (2i, 2i + 1), not (i, i + r / 2)
  RopeScaling scaling = RopeScaling::Default;
  double factor = 1.0; ///< of any scaling: how many times longer sequences become
  /// llama3 and yarn: the positions before scaling; if unset: maxPositionEmbeddings.
  std::optional<int64_t> originalPositions;
  double lowFrequencyFactor = 1.0, highFrequencyFactor = 4.0; ///< llama3
  double betaFast = 32.0, betaSlow = 1.0;                     ///< yarn
  bool truncate = true;                                       ///< yarn: round the range of its ramp to whole pairs
  /// yarn: cos and sin are multiplied by attentionFactor; if unset, by a ratio of the other two and the factor.
  std::optional<double> attentionFactor, mscale, mscaleAllDim;
};

struct ModelConfig {
  /// Marks a field that nobody has set.
  static constexpr int64_t kUnset = std::numeric_limits<int64_t>::min();
  /// Layers are unrolled, and the compiler's own memory grows with them.
  static constexpr int64_t kMaxLayers = 4096;

  /// The family (Family.h), by its model_type. Flags alone may leave it empty; `resolve` then finds the family whose
  /// form the model has.
  std::string type;
  int64_t numLayers = kUnset, hiddenSize = kUnset, numAttentionHeads = kUnset;
  int64_t numKeyValueHeads = kUnset; ///< if unset: numAttentionHeads
  int64_t headSize = kUnset;         ///< if unset: hiddenSize / numAttentionHeads
  int64_t ffnHiddenSize = kUnset; ///< if unset: 4 hiddenSize; with SwiGLU two thirds of that, down to a multiple of 64
  int64_t vocabSize = kUnset;
  int64_t vocabDivisor = 1;               ///< vocabSize is padded to a multiple of it
  int64_t maxPositionEmbeddings = kUnset; ///< if unset: seqLength
  int64_t seqLength = kUnset;             ///< if unset: maxPositionEmbeddings
  int64_t microBatchSize = 1;
  Normalization normalization = Normalization::LayerNorm;
  bool normOffset = false; ///< norms multiply by 1 + weight, and weights start at 0
  double layernormEpsilon = 1e-5;
  PositionEmbedding positions = PositionEmbedding::LearnedAbsolute;
  RopeConfig rope;
  Activation activation = Activation::Gelu;
  bool qkNorm = false; ///< each head of q and k is normalized before it is rotated
  /// Which products of a layer have a bias: q, k and v; attention's output; those of the MLP.
  bool qkvBias = true, projBias = true, mlpBias = true;
  double attentionDropout = 0.1;
  double hiddenDropout = 0.1;
  double embeddingDropout = 0.1; ///< Megatron has no flag for it and uses hiddenDropout
  double initializerRange = 0.02;
  bool scaledResidualInit = true; ///< products that add to the residual stream start smaller by sqrt(2 numLayers)
  bool qkNormDecay = false;       ///< weight decay applies to the weights of QK norms too
  bool tiedEmbeddings = true;
  DType dtype = DType::F32;
  /// `resolve` sets it to flash or unfused.
  AttentionBackend attentionBackend = AttentionBackend::Auto;
  int64_t seed = 1234;
  /// The window of each layer: how many tokens a token attends to, with itself; 0: all before it. Layers beyond the
  /// list have the last one's; empty: all layers attend to all tokens.
  std::vector<int64_t> windows;
  /// Fields of the config.json that change nothing here, to write them back beside the weights.
  llvm::json::Object extra;

  void setBiases(bool value) { qkvBias = projBias = mlpBias = value; }
  int64_t getHeadSize() const { return headSize; }
  /// The widths of q, and of k and v.
  int64_t getQuerySize() const { return numAttentionHeads * headSize; }
  int64_t getKeySize() const { return numKeyValueHeads * headSize; }
  /// How many columns of each head rotary positions rotate: an even number.
  int64_t getRotarySize() const { return static_cast<int64_t>(static_cast<double>(headSize) * rope.percent); }
  double getAttentionScale() const;
  int64_t getWindow(int64_t layer) const;
  /// The number of elements of all parameters together, as the model declares them (Parameters.h). The config must be
  /// resolved.
  int64_t countParameters() const;
};

/// Says why flash attention cannot be used for the model; empty if it can.
std::string findFlashObstacle(const ModelConfig &config);

/// Fills the fields that nobody has set, pads the vocabulary, and checks all fields. An error names the field by its
/// flag and by its name in the family's config.json.
llvm::Error resolve(ModelConfig &config);

/// The `model` object of the artifact's manifest (docs/Artifact.md). The config must be resolved.
llvm::json::Object toJson(const ModelConfig &config);

llvm::StringRef stringifyDType(DType dtype);

} // namespace tx

#endif // TX_FRONTEND_MODELCONFIG_H
