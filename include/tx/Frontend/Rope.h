//===- Rope.h - Rotary frequencies ----------------------------------------------------------------------*- C++ -*-===//
//
// Pair i of a head's columns turns by `frequencies[i]` radians at each position; cos and sin of the angles are
// multiplied by `scale`. The formulas are those of Hugging Face's classes, step by step in their types, so that weights
// that were trained there see the same angles.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_ROPE_H
#define TX_FRONTEND_ROPE_H

#include "tx/Frontend/ModelConfig.h"

namespace tx {

struct RopeTable {
  std::vector<double> frequencies; ///< each is an f32 number
  double scale = 1.0;              ///< yarn's attention factor
};

/// The table of a resolved config with rotary positions.
RopeTable makeRopeTable(const ModelConfig &config);

} // namespace tx

#endif // TX_FRONTEND_ROPE_H
