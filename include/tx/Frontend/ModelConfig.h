//===- ModelConfig.h - What model to build --------------------------------------------------------------*- C++ -*-===//
//
// Plain data, filled by a preset, a config.json and flags, in this order; then `resolve` fills what none of them said
// and checks the whole.
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

/// The type of parameters and activations. Statistics, logits, gradients and optimizer state are f32 with either.
enum class DType { F32, BF16 };

struct ModelConfig {
  /// Nobody gave a value.
  static constexpr int64_t kUnset = std::numeric_limits<int64_t>::min();

  std::string type = "gpt2";
  int64_t numLayers = kUnset, hiddenSize = kUnset, numAttentionHeads = kUnset;
  int64_t ffnHiddenSize = kUnset; ///< unset: 4 hiddenSize
  int64_t vocabSize = kUnset;
  int64_t vocabDivisor = 1;               ///< the table is padded to a multiple of it
  int64_t maxPositionEmbeddings = kUnset; ///< unset: seqLength
  int64_t seqLength = kUnset;             ///< unset: maxPositionEmbeddings
  int64_t microBatchSize = 1;
  double layernormEpsilon = 1e-5;
  double attentionDropout = 0.1;
  double hiddenDropout = 0.1;
  double embeddingDropout = 0.1; ///< Megatron has no own flag: hiddenDropout
  double initializerRange = 0.02;
  bool tiedEmbeddings = true;
  bool linearBias = true;
  DType dtype = DType::F32;
  /// Resolved: flash or unfused.
  AttentionBackend attentionBackend = AttentionBackend::Auto;
  int64_t seed = 1234;

  int64_t getHeadSize() const { return hiddenSize / numAttentionHeads; }
  /// Elements of all parameters. The config must be resolved.
  int64_t countParameters() const;
};

/// Why flash attention has no code for the model; empty if it has.
std::string findFlashObstacle(const ModelConfig &config);

/// Fills what nobody gave, pads the vocabulary, and checks everything. An error names the field as flag and as
/// config.json has it.
llvm::Error resolve(ModelConfig &config);

/// The artifact's `model` object (docs/Artifact.md), of a resolved config.
llvm::json::Object toJson(const ModelConfig &config);

llvm::StringRef stringifyDType(DType dtype);

} // namespace tx

#endif // TX_FRONTEND_MODELCONFIG_H
