//===- LrSchedule.h - The learning rate of an iteration -------------------------------------------------*- C++ -*-===//
//
// Megatron's OptimizerParamScheduler.get_lr, counted in iterations. As in Megatron, the first iteration runs with the
// rate at position 0, which is 0 when there is a warm-up.
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

  /// The rate of the next iteration after `done` iterations: at(0) is that of the first one.
  double at(int64_t done) const;
};

/// Whether the step, which takes its rate as f32, can take this one: it is not negative, and f32 rounds it neither to
/// Inf nor, if it is more than 0, to 0.
bool isRate(double value);
/// The name of a style in --lr-decay-style.
const char *decayStyleName(DecayStyle style);
/// Finds the style with the name `text`; returns false if there is none.
bool findDecayStyle(const std::string &text, DecayStyle &style);
/// "constant, linear, ...", for messages.
std::string decayStyleNames();

} // namespace txrt::train

#endif // TXRT_TRAIN_LRSCHEDULE_H
