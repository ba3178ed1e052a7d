//===- GeneratedModel.h - Random models in tx ops -------------------------------------------------------*- C++ -*-===//
//
// Test support: what no frontend builds. Values are used several times, parameters are shared by unlike ops, slices
// overlap and leave holes, there are several losses with ignore indices of their own, over shared logits and targets.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_REFERENCE_GENERATEDMODEL_H
#define TX_TEST_REFERENCE_GENERATEDMODEL_H

#include <cstdint>
#include <string>
#include <vector>

namespace tx {

struct GeneratedModel {
  std::string text; ///< a module; its loss takes tokens, targets and a key
  int64_t batch, sequence, vocabulary;
  bool isForStep;
  int layers;
  std::vector<std::string> modules; ///< that the policy `selective` may name
};

/// For a step: the targets may hold -100, which every cross entropy of them leaves out, and all losses are of one
/// prediction, since evaluation returns one.
GeneratedModel generateModel(uint64_t seed, bool isForStep);

} // namespace tx

#endif // TX_TEST_REFERENCE_GENERATEDMODEL_H
