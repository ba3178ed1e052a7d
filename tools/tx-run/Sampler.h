//===- Sampler.h - Text that the model continues --------------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_SAMPLER_H
#define TXRUN_SAMPLER_H

#include "Console.h"
#include "train/Model.h"
#include "train/Random.h"

namespace txrun {

struct SamplerOptions {
  std::string prompt;
  double temperature = 1.0;
  int64_t topK = 0; // 0: all tokens
  uint64_t seed = 0;
};

/// Writes the prompt and `count` tokens after it as they are drawn. The context is at most the model's sequence: its
/// beginning falls away.
void sampleText(const Model &model, int64_t count, const SamplerOptions &options, Console &console);

/// A token from logits: softmax(logits / temperature) over the k largest, at the point `uniform` of [0, 1). `order` is
/// scratch.
int32_t drawToken(const float *logits, size_t vocabulary, double temperature, int64_t topK, double uniform,
                  std::vector<int32_t> &order);

} // namespace txrun

#endif // TXRUN_SAMPLER_H
