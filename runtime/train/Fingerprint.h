//===- Fingerprint.h - Do ranks have the same data? -----------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_FINGERPRINT_H
#define TXRT_TRAIN_FINGERPRINT_H

#include "train/Model.h"
#include "train/Samples.h"

namespace txrt::train {

/// The fingerprint of a few samples from all over the source. Two files of different size or content have different
/// fingerprints, unless they differ in few places only.
std::string fingerprintOf(SampleSource &source, const Model &model);

/// The fingerprint of every bit of parameters and optimizer state.
std::string fingerprintOf(const Model &model);

} // namespace txrt::train

#endif // TXRT_TRAIN_FINGERPRINT_H
