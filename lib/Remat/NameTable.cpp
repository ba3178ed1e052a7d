//===- NameTable.cpp - Names of values for people -----------------------------------------------------------------===//

#include "NameTable.h"

#include "tx/Dialect/Tx/IR/Border.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace tx;

static std::string getPlace(ScopedOpInterface op) {
  ScopeAttr scope = op.getScope();
  std::string path = scope.getPath().str();
  return scope.isInLayer() ? "layers." + std::to_string(scope.getLayer()) + "." + path : path;
}

static bool isView(Operation *op) { return isa<ViewOpInterface>(op); }

NameTable::NameTable(func::FuncOp function) {
  llvm::StringMap<unsigned> opsAtPlace; // counts the forward ops at each place, without views
  function.walk([&](ScopedOpInterface op) {
    if (op.getScope().getSegment() == Segment::Forward && !isView(op))
      ++opsAtPlace[getPlace(op)];
  });

  const BorderOps border = findBorderOps(function.getBody());
  llvm::StringMap<unsigned> taken[getMaxEnumValForSegment() + 1];
  function.walk([&](ScopedOpInterface op) {
    std::string name = getPlace(op);
    if (isView(op) || border.contains(op) || opsAtPlace.lookup(name) > 1)
      name += "." + op->getName().stripDialect().str();
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
  return value;
}
