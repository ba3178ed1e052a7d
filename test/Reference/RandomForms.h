//===- RandomForms.h - Forms of decoders to test ---------------------------------------------------------*- C++
//-*-===//

#ifndef TX_TEST_REFERENCE_RANDOMFORMS_H
#define TX_TEST_REFERENCE_RANDOMFORMS_H

#include "tx/Frontend/ModelConfig.h"

namespace tx {

/// Gives the config of a GPT the form of LLaMA, with any of what its relatives differ in. `between(first, last)` draws
/// a number.
template <typename Between> void drawLlamaForm(ModelConfig &config, Between between) {
  config.normalization = Normalization::RMSNorm;
  config.normOffset = between(0, 1);
  config.positions = PositionEmbedding::Rope;
  config.activation = Activation::SwiGlu;
  config.qkNorm = between(0, 1);
  config.qkvBias = between(0, 1), config.projBias = between(0, 1), config.mlpBias = between(0, 1);
  config.headSize = 2 * between(1, 3);
  int64_t shared = between(1, 3);
  config.numKeyValueHeads = config.numAttentionHeads % shared == 0 ? config.numAttentionHeads / shared : 1;
  config.rope.interleaved = between(0, 1);
  config.rope.percent = config.headSize == 4 && between(0, 1) ? 0.5 : 1.0;
  config.rope.theta = 100.0;
  config.rope.scaling = static_cast<RopeScaling>(between(0, 4));
  config.rope.factor = config.rope.scaling == RopeScaling::Default ? 1.0 : 4.0;
  if (config.rope.scaling == RopeScaling::Dynamic && config.getRotarySize() == 2) // its theta has no such pair
    config.rope.scaling = RopeScaling::Linear;
}

} // namespace tx

#endif // TX_TEST_REFERENCE_RANDOMFORMS_H
