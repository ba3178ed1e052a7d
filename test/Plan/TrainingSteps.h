//===- TrainingSteps.h - synthetic training steps -------------------------------------------------------*- C++ -*-===//
//
// Buffers with the lifetimes of a pipeline stage's training step: one-forward- one-backward over microbatches, saved
// values from forward to backward, short transients, replays and gradients in backward. Sizes are those of a
// transformer layer in units of a hidden-state tensor. Integers and one linear congruential generator only, so every
// machine sees the same steps.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_PLAN_TRAININGSTEPS_H
#define TX_TEST_PLAN_TRAININGSTEPS_H

#include "tx/Plan/Placement.h"

#include <algorithm>

namespace tx::plan::test {

class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 2862933555777941757ull + 3037000493ull) {}
  /// A number in [0, bound).
  int64_t below(int64_t bound) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(bound));
  }
  bool percent(int64_t chance) { return below(100) < chance; }

private:
  uint64_t state;
};

struct StepShape {
  int layers = 4;
  int microbatches = 4;
  int inFlight = 2;          ///< 1F1B: min(microbatches, stages - stage)
  int keepPercent = 50;      ///< of the values, how many a layer's plan saves
  bool samePlan = true;      ///< all layers share one plan
  bool unevenLayers = false; ///< hybrid models: each layer has its own sizes
  int64_t unit = 1 << 20;    ///< bytes of one hidden state
  uint64_t seed = 1;
};

/// The buffers of one step, alignment 256.
inline std::vector<Buffer> makeTrainingStep(const StepShape &shape) {
  // One layer's forward values: twelfths of a hidden state, and how many ops later the value is last read in forward.
  struct Value {
    int twelfths, reach;
  };
  static const Value kValues[] = {{12, 1}, {1, 9},  {36, 2}, {12, 3}, {12, 2}, {40, 1}, {40, 1}, {2, 1},  {12, 1},
                                  {12, 4}, {12, 7}, {12, 1}, {1, 5},  {48, 2}, {48, 1}, {24, 2}, {12, 1}, {12, 2}};
  const int numValues = sizeof(kValues) / sizeof(kValues[0]);

  Random random(shape.seed);
  std::vector<std::vector<bool>> keep(shape.layers);
  for (int l = 0; l < shape.layers; ++l) {
    if (l > 0 && shape.samePlan) {
      keep[l] = keep[0];
      continue;
    }
    for (int v = 0; v < numValues; ++v)
      keep[l].push_back(random.percent(shape.keepPercent));
  }
  std::vector<std::vector<int64_t>> bytes(shape.layers);
  for (std::vector<int64_t> &layer : bytes)
    for (const Value &value : kValues) {
      int64_t percent = shape.unevenLayers ? 50 + random.below(100) : 100;
      layer.push_back(value.twelfths * shape.unit / 12 * percent / 100);
    }

  std::vector<Buffer> buffers;
  int64_t now = 0;
  auto add = [&](int64_t lower, int64_t upper, int64_t size) {
    buffers.push_back({lower, upper, size, 256});
    return buffers.size() - 1;
  };
  // saved[mb][layer][value] is the buffer that still has to learn its end.
  std::vector<std::vector<std::vector<size_t>>> saved(shape.microbatches);

  auto forward = [&](int mb) {
    saved[mb].assign(shape.layers, std::vector<size_t>(numValues, ~size_t(0)));
    for (int l = 0; l < shape.layers; ++l)
      for (int v = 0; v < numValues; ++v, ++now) {
        if (v == 5 || v == 13)
          add(now, now + 1, shape.unit / 3); // library workspace
        size_t b = add(now, now + 1 + kValues[v].reach, bytes[l][v]);
        // A layer's first value is its input, which every plan keeps.
        if (keep[l][v] || v == 0)
          saved[mb][l][v] = b;
      }
  };
  auto backward = [&](int mb) {
    for (int step = 0; step < 4; ++step, ++now) // loss, its gradient
      add(now, now + 2, shape.unit * (step + 1));
    for (int l = shape.layers - 1; l >= 0; --l) {
      std::vector<size_t> &at = saved[mb][l];
      // Replays, in forward order, of what was not kept.
      for (int v = 0; v < numValues; ++v)
        if (at[v] == ~size_t(0)) {
          at[v] = add(now, now + 1, bytes[l][v]);
          ++now;
        }
      for (int v = numValues - 1; v >= 0; --v, ++now) {
        add(now, now + 1 + kValues[v].reach, buffers[at[v]].size); // its gradient
        if (v % 3 == 2)
          add(now, now + 1, 4 * shape.unit); // a weight's gradient
        buffers[at[v]].upper = now + 1;      // last read
      }
    }
  };
  int ahead = std::min(shape.inFlight, shape.microbatches);
  for (int mb = 0; mb < ahead; ++mb)
    forward(mb);
  for (int mb = 0; mb < shape.microbatches; ++mb) {
    backward(mb);
    if (mb + ahead < shape.microbatches)
      forward(mb + ahead);
  }
  return buffers;
}

} // namespace tx::plan::test

#endif // TX_TEST_PLAN_TRAININGSTEPS_H
