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

/// Writes the prompt, and `count` tokens after it as soon as each is drawn. The context is at most as long as the
/// model's sequence; older tokens are dropped.
void sampleText(const Model &model, int64_t count, const SamplerOptions &options, Console &console);

/// Draws a token from softmax(logits / temperature) over the k largest logits. `uniform` is a random number in [0, 1)
/// that chooses the token; `order` is scratch memory.
int32_t drawToken(const float *logits, size_t vocabulary, double temperature, int64_t topK, double uniform,
                  std::vector<int32_t> &order);

} // namespace txrun

#endif // TXRUN_SAMPLER_H
