//===- LrSchedule.h - The learning rate of an iteration -------------------------------------------------*- C++ -*-===//
//
// Megatron's OptimizerParamScheduler.get_lr, counted in iterations. As there, the first iteration runs with the rate at
// position 0, which is 0 when there is a warm-up.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_LRSCHEDULE_H
#define TXRT_TRAIN_LRSCHEDULE_H

#include <cstdint>
#include <string>

namespace txrt::train {

enum class DecayStyle { Constant, Linear, Cosine, InverseSquareRoot };

struct LrSchedule {
  double maximum = 3e-4;
  double minimum = 0.0;
  int64_t warmupIterations = 0;
  int64_t decayIterations = 1;
  DecayStyle style = DecayStyle::Linear;

  /// `done` iterations lie behind, so the first one asks with 0.
  double at(int64_t done) const;
};

/// Whether the step's f32 can hold a rate: not negative, neither Inf nor, from more than 0, 0 there.
bool isRate(double value);
/// As --lr-decay-style has it.
const char *decayStyleName(DecayStyle style);
/// False for a name of none.
bool findDecayStyle(const std::string &text, DecayStyle &style);
/// "constant, linear, ...", for messages.
std::string decayStyleNames();

} // namespace txrt::train

#endif // TXRT_TRAIN_LRSCHEDULE_H
