//===- DropoutMask.h - Which elements a dropout drops ---------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REFERENCE_DROPOUTMASK_H
#define TX_LIB_REFERENCE_DROPOUTMASK_H

#include "Philox.h"

#include "tx/Reference/Interpreter.h"

namespace tx {

/// The mask of one site (a hash of layer and module path). The description of tx.dropout defines it.
class DropoutMask {
public:
  DropoutMask(const Tensor &key, uint32_t site, double probability) : site(site), limit(probability * 4294967296.0) {
    for (int i = 0; i < 3; ++i)
      words[i] = static_cast<uint32_t>(static_cast<int64_t>(key.values[i]));
  }

  /// Whether dropout drops an element. `sample` counts in the microbatch, `row` and `column` in the sample.
  bool drops(int64_t sample, int64_t row, int64_t column) const {
    PhiloxCounter counter = {static_cast<uint32_t>(16 * (column / 64) + column % 16), static_cast<uint32_t>(row),
                             words[2] + static_cast<uint32_t>(sample), site};
    uint32_t word = philox4x32(counter, {words[0], words[1]})[column / 16 % 4];
    return word < limit;
  }

private:
  uint32_t words[3];
  uint32_t site;
  double limit;
};

} // namespace tx

#endif // TX_LIB_REFERENCE_DROPOUTMASK_H
