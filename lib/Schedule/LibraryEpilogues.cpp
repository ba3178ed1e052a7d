//===- LibraryEpilogues.cpp - What cuBLASLt does beside a product -------------------------------------------------===//

#include "LibraryEpilogues.h"

#include "txrt/abi.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tx;

static Type elementOf(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

static bool isSingle(const GemmForm &form) { return form.batch0 * form.batch1 == 1; }

/// Whether the library adds the bias: the product must be a single one, and the bias of C's type.
static bool addsBias(const GemmForm &form) {
  return form.bias && isSingle(form) && elementOf(form.bias) == elementOf(form.c.value);
}

/// Whether the value is a part of another tensor, or has parts: the other tensor then decides its address and row
/// stride.
static bool isViewed(Value value) {
  return value.getDefiningOp<ViewOpInterface>() || llvm::any_of(value.getUsers(), llvm::IsaPred<ViewOpInterface>);
}

std::string tx::findObstacle(const GemmForm &form, Value replaced) {
  std::string text;
  llvm::raw_string_ostream out(text);
  Type element = elementOf(form.c.value);
  if (!isSingle(form) || form.accumulate)
    out << "the product is one of a batch, or is added to something";
  else if (!element.isF32() && !element.isBF16())
    out << "the result is of " << element << ", not of f32 or bf16";
  else if (element != elementOf(form.a.value))
    out << "operands are of " << elementOf(form.a.value) << " and the result is of " << element;
  else if (form.bias && !addsBias(form))
    out << "the bias is of " << elementOf(form.bias) << ", the result of " << element;
  else if (form.n % TXRT_AUX_ROW_MULTIPLE)
    out << "rows have " << form.n << " elements, which is no multiple of " << TXRT_AUX_ROW_MULTIPLE;
  else if (isViewed(form.aux) || (replaced && isViewed(replaced)))
    out << "the product is a part of another tensor, or has parts";
  return text;
}

std::optional<step::Epilogue> tx::findEpilogue(const GemmForm &form) {
  if (form.function != ProductFunction::None && !findObstacle(form).empty())
    return std::nullopt;
  switch (form.function) {
  case ProductFunction::None:
    if (form.sumsA || form.sumsB)
      return form.sumsA ? step::Epilogue::SumsA : step::Epilogue::SumsB;
    if (addsBias(form))
      return step::Epilogue::Bias;
    return std::nullopt;
  case ProductFunction::Gelu:
    return form.bias ? step::Epilogue::GeluBias : step::Epilogue::Gelu;
  case ProductFunction::GeluGradient:
    return form.sumsC ? step::Epilogue::GeluGradSums : step::Epilogue::GeluGrad;
  }
  return std::nullopt;
}
