//===- Rope.cpp - Rotary frequencies ------------------------------------------------------------------------------===//
//
// Frequencies are computed in f32, as Hugging Face's classes do: a double would be nearer to the formula, and farther
// from the angles with which weights were trained. What these classes compute with Python's floats is double here.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Frontend/Rope.h"

#include <algorithm>
#include <cmath>

using namespace tx;

static constexpr double kPi = 3.14159265358979323846;

/// base^(2i/size) for each pair i.
static std::vector<float> getPeriods(double base, int64_t size) {
  std::vector<float> periods;
  for (int64_t column = 0; column < size; column += 2) {
    float exponent = static_cast<float>(column) / static_cast<float>(size);
    periods.push_back(static_cast<float>(std::pow(static_cast<double>(static_cast<float>(base)), exponent)));
  }
  return periods;
}

/// Peng et al. 2023 name it NTK-aware; sequences within the positions of the model are as without scaling.
static double getDynamicTheta(const ModelConfig &config) {
  const RopeConfig &rope = config.rope;
  double positions = static_cast<double>(config.maxPositionEmbeddings);
  double length = std::max(static_cast<double>(config.seqLength), positions);
  double size = static_cast<double>(config.getRotarySize());
  return rope.theta * std::pow(rope.factor * length / positions - (rope.factor - 1.0), size / (size - 2.0));
}

/// LLaMA 3.1: long waves are stretched by the factor, short ones are kept, and those between are mixed.
static float scaleAsLlama3(float frequency, const ModelConfig &config) {
  const RopeConfig &rope = config.rope;
  double positions = static_cast<double>(rope.originalPositions.value_or(config.maxPositionEmbeddings));
  float factor = static_cast<float>(rope.factor);
  float wave = static_cast<float>(2.0 * kPi) / frequency;
  if (wave < static_cast<float>(positions / rope.highFrequencyFactor))
    return frequency;
  if (wave > static_cast<float>(positions / rope.lowFrequencyFactor))
    return frequency / factor;
  float part = (static_cast<float>(positions) / wave - static_cast<float>(rope.lowFrequencyFactor)) /
               static_cast<float>(rope.highFrequencyFactor - rope.lowFrequencyFactor);
  return (1.0f - part) * frequency / factor + part * frequency;
}

/// YaRN (Peng et al. 2023): pairs that turn often are kept, pairs that turn seldom are stretched, with a ramp between.
static std::vector<float> scaleAsYarn(const std::vector<float> &periods, const ModelConfig &config) {
  const RopeConfig &rope = config.rope;
  double size = static_cast<double>(config.getRotarySize());
  double positions = static_cast<double>(rope.originalPositions.value_or(config.maxPositionEmbeddings));
  // The pair that turns `rotations` times within the positions.
  auto findPair = [&](double rotations) {
    return size * std::log(positions / (rotations * 2.0 * kPi)) / (2.0 * std::log(rope.theta));
  };
  double low = findPair(rope.betaFast), high = findPair(rope.betaSlow);
  if (rope.truncate)
    low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0), high = std::min(high, size - 1.0);
  if (low == high)
    high += 0.001;
  std::vector<float> frequencies;
  for (size_t i = 0; i < periods.size(); ++i) {
    float ramp = (static_cast<float>(i) - static_cast<float>(low)) / static_cast<float>(high - low);
    float kept = 1.0f - std::clamp(ramp, 0.0f, 1.0f);
    float stretched = 1.0f / (static_cast<float>(rope.factor) * periods[i]);
    frequencies.push_back(stretched * (1.0f - kept) + 1.0f / periods[i] * kept);
  }
  return frequencies;
}

static double getYarnScale(const RopeConfig &rope) {
  if (rope.attentionFactor)
    return *rope.attentionFactor;
  auto grow = [&](double by) { return rope.factor <= 1.0 ? 1.0 : 0.1 * by * std::log(rope.factor) + 1.0; };
  return rope.mscale && rope.mscaleAllDim ? grow(*rope.mscale) / grow(*rope.mscaleAllDim) : grow(1.0);
}

RopeTable tx::makeRopeTable(const ModelConfig &config) {
  const RopeConfig &rope = config.rope;
  double theta = rope.scaling == RopeScaling::Dynamic ? getDynamicTheta(config) : rope.theta;
  std::vector<float> periods = getPeriods(theta, config.getRotarySize());
  RopeTable table;
  if (rope.scaling == RopeScaling::Yarn) {
    std::vector<float> frequencies = scaleAsYarn(periods, config);
    table.frequencies.assign(frequencies.begin(), frequencies.end());
    table.scale = getYarnScale(rope);
    return table;
  }
  for (float period : periods) {
    float frequency = 1.0f / period;
    if (rope.scaling == RopeScaling::Linear)
      frequency /= static_cast<float>(rope.factor);
    if (rope.scaling == RopeScaling::Llama3)
      frequency = scaleAsLlama3(frequency, config);
    table.frequencies.push_back(frequency);
  }
  return table;
}
