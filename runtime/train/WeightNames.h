//===- WeightNames.h - What a stored tensor's name means ------------------------------------------------*- C++ -*-===//
//
// The artifact's manifest says what the model's weights are called and which other names a file may use (WeightsSpec).
// A stored name is that of a parameter or of its optimizer state, with or without a prefix; of a copy of a tied
// parameter; or of a buffer that is ignored.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_WEIGHTNAMES_H
#define TXRT_TRAIN_WEIGHTNAMES_H

#include "core/Manifest.h"

#include <map>
#include <string>

namespace txrt::train {

class WeightNames {
public:
  explicit WeightNames(const Manifest &manifest);

  /// What a stored name means. A parameter's f32 master fits every model: in a model without masters it is loaded into
  /// the parameter itself, whose value it is with more bits.
  struct Meaning {
    enum Kind { Unknown, Ignored, Value, MasterOf, TiedCopyOf } kind = Unknown;
    const GlobalSpec *global = nullptr;
  };
  Meaning of(const std::string &stored) const;

private:
  std::string withoutPrefix(const std::string &name) const;

  const WeightsSpec &spec;
  std::map<std::string, Meaning> meanings; // by the name without prefix
};

} // namespace txrt::train

#endif // TXRT_TRAIN_WEIGHTNAMES_H
