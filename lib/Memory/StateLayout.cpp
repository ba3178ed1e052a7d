//===- StateLayout.cpp - Where state lies -------------------------------------------------------------------------===//

#include "StateLayout.h"
#include "Storage.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

using namespace mlir;
using namespace tx;
using namespace tx::memory;

static_assert(kRunAlignment % TXRT_BUFFER_ALIGNMENT == 0, "a run starts where a buffer may, also one of bytes");

StringRef memory::findState(Value value) {
  while (auto result = dyn_cast_if_present<OpResult>(value)) {
    if (auto load = dyn_cast<LoadOp>(result.getOwner()))
      return load.getGlobal();
    value = getTiedOperand(result);
  }
  return {};
}

namespace {

/// Globals that lie side by side; each has its byte offset from the start of the first one.
struct Row {
  SmallVector<std::pair<StringRef, int64_t>> members;
  int64_t bytes = 0;
};

class RowTable {
public:
  LogicalResult add(ViewOpInterface op) {
    Row row;
    Type whole = op.getViewedWhole().getType();
    row.bytes = getByteSize(whole);
    int64_t elementBytes = row.bytes / cast<RankedTensorType>(whole).getNumElements();
    for (auto [part, start] : op.getViewedParts()) {
      StringRef global = findState(part);
      if (global.empty())
        return op->emitOpError("packs ") << part.getType() << ", which is not state; a part is loaded, or "
                                         << "continues what was loaded in place";
      row.members.push_back({global, start * elementBytes});
    }
    if (const Row *known = find(row.members.front().first); known && known->members == row.members)
      return success();
    rows.push_back(std::make_unique<Row>(row));
    for (auto [global, start] : row.members)
      if (!rowOf.try_emplace(global, rows.back().get()).second)
        return op->emitOpError("packs @") << global << " in another order than before; state lies in one";
    return success();
  }

  const Row *find(StringRef global) const { return rowOf.lookup(global); }

private:
  std::vector<std::unique_ptr<Row>> rows;
  llvm::StringMap<const Row *> rowOf;
};

} // namespace

FailureOr<StateLayout> StateLayout::compute(ModuleOp module) {
  RowTable rows;
  auto result = module.walk([&](ViewOpInterface op) {
    return op.packsState() && failed(rows.add(op)) ? WalkResult::interrupt() : WalkResult::advance();
  });
  if (result.wasInterrupted())
    return failure();

  StateLayout layout;
  for (unsigned role = 0; role <= getMaxEnumValForGlobalRole(); ++role)
    for (auto global : module.getOps<GlobalOp>()) {
      if (global.getRole() != static_cast<GlobalRole>(role) || layout.offsets.count(global.getSymName()))
        continue;
      Row alone{{{global.getSymName(), 0}}, getByteSize(global.getType())};
      const Row *row = rows.find(global.getSymName());
      for (auto [member, start] : (row ? *row : alone).members)
        layout.offsets[member] = layout.bytes + start;
      layout.bytes += llvm::alignTo((row ? *row : alone).bytes, TXRT_BUFFER_ALIGNMENT);
    }
  return layout;
}
