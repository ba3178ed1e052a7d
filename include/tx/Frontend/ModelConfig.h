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
#include <string>

namespace tx {

/// The type of parameters and activations. Statistics, logits, gradients and optimizer state are f32 in both cases.
enum class DType { F32, BF16 };

struct ModelConfig {
  /// Marks a field that nobody has set.
  static constexpr int64_t kUnset = std::numeric_limits<int64_t>::min();

  std::string type = "gpt2";
  int64_t numLayers = kUnset, hiddenSize = kUnset, numAttentionHeads = kUnset;
  int64_t ffnHiddenSize = kUnset; ///< if unset: 4 hiddenSize
  int64_t vocabSize = kUnset;
  int64_t vocabDivisor = 1;               ///< vocabSize is padded to a multiple of it
  int64_t maxPositionEmbeddings = kUnset; ///< if unset: seqLength
  int64_t seqLength = kUnset;             ///< if unset: maxPositionEmbeddings
  int64_t microBatchSize = 1;
  double layernormEpsilon = 1e-5;
  double attentionDropout = 0.1;
  double hiddenDropout = 0.1;
  double embeddingDropout = 0.1; ///< Megatron has no flag for it and uses hiddenDropout
  double initializerRange = 0.02;
  bool tiedEmbeddings = true;
  bool linearBias = true;
  DType dtype = DType::F32;
  /// `resolve` sets it to flash or unfused.
  AttentionBackend attentionBackend = AttentionBackend::Auto;
  int64_t seed = 1234;

  int64_t getHeadSize() const { return hiddenSize / numAttentionHeads; }
  /// The number of elements of all parameters together. The config must be resolved.
  int64_t countParameters() const;
};

/// Says why flash attention cannot be used for the model; empty if it can.
std::string findFlashObstacle(const ModelConfig &config);

/// Fills the fields that nobody has set, pads the vocabulary, and checks all fields. An error names the field by its
/// flag and by its name in config.json.
llvm::Error resolve(ModelConfig &config);

/// The `model` object of the artifact's manifest (docs/Artifact.md). The config must be resolved.
llvm::json::Object toJson(const ModelConfig &config);

llvm::StringRef stringifyDType(DType dtype);

} // namespace tx

#endif // TX_FRONTEND_MODELCONFIG_H
