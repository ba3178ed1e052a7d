//===- Fingerprint.h - Do ranks have the same data? -----------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_FINGERPRINT_H
#define TXRUN_FINGERPRINT_H

#include "Model.h"
#include "TokenData.h"

namespace txrun {

/// Of some samples, spread over all: files of another size or content have another one, but for a change in few places.
std::string fingerprintOf(SampleSource &source, const Model &model);

/// Of every bit of parameters and optimizer state.
std::string fingerprintOf(const Model &model);

} // namespace txrun

#endif // TXRUN_FINGERPRINT_H
