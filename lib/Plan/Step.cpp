//===- Step.cpp - One training step as plain data -----------------------------------------------------------------===//

#include "tx/Plan/Step.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

using namespace tx;
using namespace tx::plan;

bool Op::isInside(RecomputeModule module) const { return llvm::is_contained(path, stringifyRecomputeModule(module)); }

bool Op::reads(int value) const {
  return llvm::any_of(operands, [&](const Operand &operand) { return operand.value == value; });
}

std::optional<int> Entry::findLayer(int number) const {
  auto found = llvm::lower_bound(layers, number);
  if (found == layers.end() || *found != number)
    return std::nullopt;
  return static_cast<int>(found - layers.begin());
}

void Entry::addLayer(int number) {
  auto place = llvm::lower_bound(layers, number);
  if (number >= 0 && (place == layers.end() || *place != number))
    layers.insert(place, number);
}

bool Entry::hasBackward() const {
  return llvm::any_of(ops, [](const Op &op) { return op.segment == Segment::Backward; });
}

std::vector<std::vector<int>> Entry::computeUsers() const {
  std::vector<std::vector<int>> users(values.size());
  for (int op = 0, e = ops.size(); op < e; ++op)
    for (const Operand &operand : ops[op].operands)
      if (users[operand.value].empty() || users[operand.value].back() != op)
        users[operand.value].push_back(op);
  return users;
}

std::vector<RecomputeModule> Entry::getModulesPresent() const {
  std::vector<RecomputeModule> present;
  for (unsigned value = 0; value <= getMaxEnumValForRecomputeModule(); ++value) {
    auto module = static_cast<RecomputeModule>(value);
    if (llvm::any_of(ops, [&](const Op &op) { return op.isForward() && op.layer >= 0 && op.isInside(module); }))
      present.push_back(module);
  }
  return present;
}

const Entry *Step::findEntry(const std::string &name) const {
  auto found = llvm::find_if(entries, [&](const Entry &entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

static const char *getName(ElementType element) {
  switch (element) {
  case ElementType::F32:
    return "f32";
  case ElementType::BF16:
    return "bf16";
  case ElementType::F16:
    return "f16";
  case ElementType::F64:
    return "f64";
  case ElementType::I32:
    return "i32";
  case ElementType::I1:
    return "i1";
  case ElementType::I8:
    return "i8";
  }
  llvm_unreachable("all element types are listed");
}

std::string plan::toString(const TensorType &type) {
  std::string text = "tensor<";
  for (int64_t size : type.shape)
    text += std::to_string(size) + "x";
  return text + getName(type.element) + ">";
}
