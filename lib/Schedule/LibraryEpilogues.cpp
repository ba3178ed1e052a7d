//===- LibraryEpilogues.cpp - What cuBLASLt does beside a product -------------------------------------------------===//

#include "LibraryEpilogues.h"

using namespace mlir;
using namespace tx;

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

/// Whether the library adds the bias: the product must be a single one, and the bias of C's type.
static bool addsBias(const GemmForm &form) {
  return form.bias && form.batch0 * form.batch1 == 1 && elementOf(form.bias) == elementOf(form.c.value);
}

std::optional<step::GemmRole> tx::findEpilogue(const GemmForm &form) {
  if (form.getSums())
    return form.sumsA ? step::GemmRole::SumsA : step::GemmRole::SumsB;
  if (addsBias(form))
    return step::GemmRole::Bias;
  return std::nullopt;
}
