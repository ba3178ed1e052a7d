//===- StateLayout.cpp - Where state lies -------------------------------------------------------------------------===//

#include "tx/Plan/Storage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <numeric>

using namespace tx;
using namespace tx::plan;

namespace {

/// State that lies side by side; each has its byte offset from the start of the first one.
struct Row {
  std::vector<std::pair<int, int64_t>> members;
  int64_t bytes = 0;
};

/// The rows that ops take.
class RowTable {
public:
  explicit RowTable(const Step &step) : step(step), rowOf(step.states.size(), -1) {}

  std::optional<StorageFault> add(const Entry &entry, int op) {
    const View &view = *entry.ops[op].view;
    const Value &whole = entry.values[view.whole];
    Row row{{}, whole.bytes};
    for (auto [part, start] : view.parts) {
      int state = findState(entry, part);
      if (state < 0)
        return fault(op, "packs '" + toString(step.types[entry.values[part].type]) +
                             "', which is not state; a part is loaded, or continues what was loaded in place");
      row.members.push_back({state, start * whole.elementBytes});
    }
    if (const Row *known = find(row.members.front().first); known && known->members == row.members)
      return std::nullopt;
    for (auto [state, start] : row.members)
      if (std::exchange(rowOf[state], rows.size()) >= 0)
        return fault(op, "packs @" + step.states[state].name + " in another order than before; state lies in one");
    rows.push_back(std::move(row));
    return std::nullopt;
  }

  const Row *find(int state) const { return rowOf[state] < 0 ? nullptr : &rows[rowOf[state]]; }

private:
  static StorageFault fault(int op, std::string text) {
    StorageFault fault;
    fault.op = op;
    fault.text = std::move(text);
    return fault;
  }

  const Step &step;
  std::vector<Row> rows;
  std::vector<int> rowOf; // by state
};

} // namespace

StateLayout StateLayout::compute(const Step &step) {
  StateLayout layout;
  RowTable rows(step);
  for (int entry = 0, e = step.entries.size(); entry < e; ++entry)
    for (int op = 0, o = step.entries[entry].ops.size(); op < o; ++op) {
      const std::optional<View> &view = step.entries[entry].ops[op].view;
      if (!view || !view->packsState)
        continue;
      if ((layout.fault = rows.add(step.entries[entry], op))) {
        layout.fault->entry = entry;
        return layout;
      }
    }

  std::vector<int> byRole(step.states.size());
  std::iota(byRole.begin(), byRole.end(), 0);
  llvm::sort(byRole,
             [&](int a, int b) { return std::pair(step.states[a].role, a) < std::pair(step.states[b].role, b); });
  constexpr int64_t kNowhere = -1;
  layout.offsets.assign(step.states.size(), kNowhere);
  for (int state : byRole) {
    if (layout.offsets[state] != kNowhere)
      continue;
    Row alone{{{state, 0}}, step.states[state].bytes};
    const Row *row = rows.find(state);
    for (auto [member, start] : (row ? *row : alone).members)
      layout.offsets[member] = layout.bytes + start;
    layout.bytes += llvm::alignTo((row ? *row : alone).bytes, TXRT_BUFFER_ALIGNMENT);
  }
  return layout;
}

int plan::findState(const Entry &entry, int value) {
  for (; value >= 0; value = getTiedOperand(entry, value))
    if (entry.values[value].state >= 0)
      return entry.values[value].state;
  return -1;
}
