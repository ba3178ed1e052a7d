//===- NameTable.cpp - Names of values for people -----------------------------------------------------------------===//

#include "tx/Plan/NameTable.h"

#include "tx/Dialect/Tx/IR/Border.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace tx;

static std::string getPlace(ScopedOpInterface op) {
  ScopeAttr scope = op.getScope();
  std::string path = scope.getPath().str();
  return scope.isInLayer() ? "layers." + std::to_string(scope.getLayer()) + "." + path : path;
}

static bool isView(Operation *op) { return isa<ViewOpInterface>(op); }

namespace {
struct NamedParameter {
  StringRef name;
  Operation *reader = nullptr;
};
} // namespace

/// The parameter that the op reads, or from which its first operand comes: `q_proj` of model.layers.0.q_proj.weight. No
/// name if there is none, or if no short chain of ops leads to one.
static NamedParameter findParameter(Operation *op) {
  constexpr int kMostSteps = 3; // a product, a norm over heads, RoPE
  for (int step = 0; op && step < kMostSteps && op->getNumOperands() > 0; ++step) {
    for (Value operand : op->getOperands())
      if (auto load = operand.getDefiningOp<LoadOp>())
        if (StringRef name = load.getGlobal(); name.consume_back(".weight") || name.consume_back(".bias"))
          return {name.substr(name.rfind('.') + 1), op};
    op = op->getOperand(0).getDefiningOp();
  }
  return {};
}

NameTable::NameTable(func::FuncOp function) {
  // Forward ops, without views: how many there are at each place, and of each kind.
  llvm::StringMap<unsigned> opsAtPlace, opsOfKind;
  auto getKind = [](ScopedOpInterface op) { return getPlace(op) + "." + op->getName().stripDialect().str(); };
  function.walk([&](ScopedOpInterface op) {
    if (op.getScope().getSegment() == Segment::Forward && !isView(op))
      ++opsAtPlace[getPlace(op)], ++opsOfKind[getKind(op)];
  });

  const BorderOps border = findBorderOps(function.getBody());
  llvm::StringMap<unsigned> taken[getMaxEnumValForSegment() + 1];
  function.walk([&](ScopedOpInterface op) {
    std::string name = getPlace(op);
    NamedParameter parameter;
    if (opsOfKind.lookup(getKind(op)) > 1 && !isView(op))
      parameter = findParameter(op);
    if (parameter.reader) {
      // At the reader's own place its name is taken.
      bool isReadersPlace = parameter.reader != op && getPlace(cast<ScopedOpInterface>(parameter.reader)) == name;
      name += "." + parameter.name.str() + (isReadersPlace ? "." + op->getName().stripDialect().str() : "");
    } else if (isView(op) || border.contains(op) || opsAtPlace.lookup(name) > 1) {
      name = getKind(op);
    }
    if (unsigned earlier = taken[static_cast<unsigned>(op.getScope().getSegment())][name]++)
      name += "." + std::to_string(earlier);
    names[op] = std::move(name);
  });
}

std::string NameTable::nameOf(OpResult result) const {
  std::string name = nameOf(result.getOwner());
  if (auto op = dyn_cast<ScopedOpInterface>(result.getOwner())) {
    StringRef label = op.getResultLabel(result.getResultNumber());
    if (!label.empty())
      name += "." + label.str();
  }
  return name;
}

Value tx::getStorage(Value value) {
  while (auto view = value.getDefiningOp<ViewOpInterface>()) {
    Value whole = view.getViewedWhole();
    if (whole == value)
      break;
    value = whole;
  }
  // State that an op continues in place is still state, which has no scope.
  if (auto accumulating = value.getDefiningOp<AccumulatingOpInterface>())
    for (auto [operand, result] : accumulating.getTies())
      if (value == accumulating->getResult(result))
        if (Value start = getStorage(accumulating->getOperand(operand)); !start.getDefiningOp<ScopedOpInterface>())
          return start;
  return value;
}
