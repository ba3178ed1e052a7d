//===- Fingerprint.h - Do ranks have the same data? -----------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_FINGERPRINT_H
#define TXRT_TRAIN_FINGERPRINT_H

#include "train/Model.h"
#include "train/Samples.h"

namespace txrt::train {

/// Of some samples, spread over all: files of another size or content have another one, but for a change in few places.
std::string fingerprintOf(SampleSource &source, const Model &model);

/// Of every bit of parameters and optimizer state.
std::string fingerprintOf(const Model &model);

} // namespace txrt::train

#endif // TXRT_TRAIN_FINGERPRINT_H
