//===- Storage.cpp - Which values share bytes, and for how long ---------------------------------------------------===//

#include "tx/Plan/Storage.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"

using namespace tx;
using namespace tx::plan;

int plan::getTiedOperand(const Entry &entry, int value) {
  int producer = entry.values[value].producer;
  if (producer < 0)
    return -1;
  const Op &op = entry.ops[producer];
  for (auto [operand, result] : op.ties)
    if (op.results[result] == value)
      return op.operands[operand].value;
  return -1;
}

namespace {

constexpr int kState = 0; // the storage of all state
constexpr const char *kNoTxOp = "has no place in a step: it is no tx op";

class StorageBuilder {
public:
  StorageBuilder(const Step &step, const Entry &entry, const Schedule &schedule, const StateLayout &layout)
      : step(step), entry(entry), schedule(schedule), layout(layout), launchOf(entry.ops.size(), -1),
        lastUses(entry.values.size(), 0), parts(entry.values.size()) {
    for (int time = 0, e = schedule.launches.size(); time < e; ++time)
      for (int op : schedule.launches[time].ops)
        launchOf[op] = time;
    storages.places.resize(entry.values.size());
    storages.scratch.assign(schedule.launches.size(), -1);
  }

  Storages run() {
    storages.storages.push_back({MemorySegment::Persistent, layout.bytes});
    numberUses();
    if (planParts() && placeSources() && placeLaunches())
      checkStores();
    return std::move(storages);
  }

private:
  bool fail(StorageFault fault) {
    storages.fault = std::move(fault);
    return false;
  }
  bool failAt(int op, std::string text) {
    StorageFault fault;
    fault.op = op;
    fault.text = std::move(text);
    return fail(std::move(fault));
  }

  /// The view that the launch is; nothing if it is none.
  const View *getView(const Launch &launch) const {
    return launch.work == Work::View ? &*entry.ops[launch.ops.front()].view : nullptr;
  }
  /// A use of a slice counts as a use of its whole, and a use of a concat as a use of its parts: they share bytes.
  void numberUses() {
    const int end = schedule.launches.size();
    for (int value : entry.results)
      lastUses[value] = end;
    for (auto [value, state] : entry.stores)
      lastUses[value] = end;
    for (int time = end - 1; time >= 0; --time) {
      const Launch &launch = schedule.launches[time];
      int last = time;
      if (getView(launch))
        for (int result : launch.outputs)
          last = std::max(last, lastUses[result]);
      for (int operand : launch.inputs)
        lastUses[operand] = std::max(lastUses[operand], last);
    }
  }

  int addStorage(MemorySegment segment, int value) {
    Storage storage;
    storage.segment = segment;
    storage.bytes = entry.values[value].bytes;
    storages.storages.push_back(storage);
    return storages.storages.size() - 1;
  }

  void extend(int value) {
    Storage &storage = storages.storages[storages.places[value].storage];
    storage.upper = std::max<int64_t>(storage.upper, lastUses[value] + 1);
  }

  bool isPart(int value) const { return parts[value].storage >= 0; }

  /// Whether the launch makes a whole of parts, and not parts of a whole.
  bool makesWhole(const View &view, int time) const {
    int producer = entry.values[view.whole].producer;
    return producer >= 0 && launchOf[producer] == time;
  }

  /// Gives the parts of each concat their places in the whole, so that they are computed there. Goes from the last
  /// concat to the first: of two that want one part, the last one has it.
  bool planParts() {
    for (int time = schedule.launches.size() - 1; time >= 0; --time) {
      const View *view = getView(schedule.launches[time]);
      if (!view || view->packsState || !makesWhole(*view, time))
        continue;
      const Value &whole = entry.values[view->whole];
      int storage = addStorage(MemorySegment::Transient, view->whole);
      storages.storages[storage].lower = time;
      parts[view->whole] = {storage};
      for (auto [part, start] : view->parts) {
        if (!mayBePart(part))
          return failAt(schedule.launches[time].ops.front(),
                        "cannot put '" + toString(step.types[entry.values[part].type]) +
                            "' beside the others: it already has a place elsewhere (an argument, state, a view, or a "
                            "part of another tensor); compute it by an op of its own");
        bool hasRows = whole.rows > 1 && !view->hasRuns;
        parts[part] = {storage, start * whole.elementBytes, hasRows ? whole.columns : 0};
      }
    }
    return true;
  }

  bool mayBePart(int value) const {
    int producer = entry.values[value].producer;
    return producer >= 0 && entry.ops[producer].work != Work::View && !isPart(value) && findTied(value) < 0;
  }

  /// The value from outside of the launch that the result continues in place; -1: none.
  int findTied(int result) const {
    int launch = launchOf[entry.values[result].producer];
    int value = result;
    do
      value = getTiedOperand(entry, value);
    while (value >= 0 && isComputedBy(value, launch));
    return value;
  }

  bool isComputedBy(int value, int launch) const {
    int producer = entry.values[value].producer;
    return producer >= 0 && launchOf[producer] == launch;
  }

  /// Places what no launch computes.
  bool placeSources() {
    for (int argument : entry.arguments) {
      storages.places[argument] = {addStorage(MemorySegment::Argument, argument)};
      extend(argument);
    }
    for (int value = 0, e = entry.values.size(); value < e; ++value) {
      if (int state = entry.values[value].state; state >= 0) {
        storages.places[value] = {kState, layout.offsets[state]};
      } else if (entry.values[value].producer < 0 && storages.places[value].storage < 0) {
        StorageFault fault;
        fault.value = value;
        fault.text = kNoTxOp;
        return fail(std::move(fault));
      }
    }
    return true;
  }

  bool placeLaunches() {
    for (int time = 0, e = schedule.launches.size(); time < e; ++time) {
      const Launch &launch = schedule.launches[time];
      if (launch.work == Work::Other)
        return failAt(launch.ops.front(), kNoTxOp);
      if (const View *view = getView(launch); view && !makesWhole(*view, time)) {
        placeParts(*view);
        continue;
      } else if (view && view->packsState) { // the state layout has put the parts side by side in this order
        int first = findState(entry, view->parts.front().first);
        storages.places[view->whole] = {kState, layout.offsets[first]};
        continue;
      }
      for (int result : launch.outputs)
        placeResult(result, time);
      placeScratch(time);
    }
    return true;
  }

  /// Places the parts of a whole that has its place already.
  void placeParts(const View &view) {
    const Place whole = storages.places[view.whole];
    const Value &value = entry.values[view.whole];
    int64_t stride = whole.rowStride ? whole.rowStride : value.columns;
    for (auto [part, start] : view.parts)
      storages.places[part] = {whole.storage, whole.byteOffset + start * value.elementBytes, view.hasRuns ? 0 : stride};
  }

  void placeResult(int result, int time) {
    Place &place = storages.places[result];
    if (isPart(result)) {
      place = parts[result];
      Storage &storage = storages.storages[place.storage];
      storage.lower = std::min<int64_t>(storage.lower, time);
    } else if (int tied = findTied(result); tied >= 0) {
      place = storages.places[tied];
    } else if (std::optional<Place> taken = findDyingInput(result, time)) {
      place = *taken;
    } else {
      place = {addStorage(MemorySegment::Transient, result)};
      storages.storages.back().lower = time;
      storages.storages.back().upper = time + 1; // it is written even if nobody reads it
    }
    extend(result);
  }

  /// The place of an input that the kernel is the last to read, where it may write the result.
  std::optional<Place> findDyingInput(int output, int time) const {
    const Launch &launch = schedule.launches[time];
    if (!launch.isKernel())
      return std::nullopt;
    for (int input : launch.inputs) {
      const Place &place = storages.places[input];
      const Storage &storage = storages.storages[place.storage];
      if (storage.segment != MemorySegment::Transient || place.rowStride || place.byteOffset ||
          storage.bytes != entry.values[output].bytes || storage.upper > time + 1 || !mayReplace(launch, input, output))
        continue;
      // Another output may have taken the place already. Another input may be a view of the same storage, which the
      // kernel reads in another order.
      auto isThere = [&](int other) { return other != input && storages.places[other].storage == place.storage; };
      if (llvm::none_of(launch.outputs, isThere) && llvm::none_of(launch.inputs, isThere))
        return place;
    }
    return std::nullopt;
  }

  /// Whether the kernel may write `output` where `input` lies: every op that reads the input reads it element by
  /// element, and in a pass over the row that is no later than the pass that writes the output.
  bool mayReplace(const Launch &launch, int input, int output) const {
    if (entry.values[input].type != entry.values[output].type)
      return false;
    struct Member {
      int op;
      unsigned ready; // the pass over the row after which its results are complete
      bool reads;     // the input, directly or through other ops
    };
    llvm::SmallVector<Member, 8> members;
    auto findMember = [&](int value) {
      return llvm::find_if(members, [&](const Member &member) { return member.op == entry.values[value].producer; });
    };
    unsigned lastRead = 0;
    for (int number : launch.ops) {
      const Op &op = entry.ops[number];
      Member member{number, 0, false};
      for (const Operand &operand : op.operands) {
        if (operand.value == input) {
          if (!operand.mayBeReplaced)
            return false;
          member.reads = true;
        } else if (auto *producer = findMember(operand.value); producer != members.end()) {
          member.ready = std::max(member.ready, producer->ready);
          member.reads |= producer->reads;
        }
      }
      member.ready += op.reductionPasses;
      if (member.reads)
        lastRead = std::max(lastRead, member.ready);
      members.push_back(member);
    }
    auto *writer = findMember(output);
    return writer != members.end() && lastRead <= writer->ready;
  }

  /// Scratch lives only while its op runs: nobody reads what a library leaves there.
  void placeScratch(int time) {
    int64_t bytes = 0;
    for (int op : schedule.launches[time].ops)
      bytes = std::max(bytes, entry.ops[op].scratchBytes);
    if (bytes <= 0)
      return;
    storages.scratch[time] = storages.storages.size();
    Storage storage;
    storage.bytes = llvm::alignTo(bytes, TXRT_SCRATCH_ALIGNMENT);
    storage.alignment = TXRT_SCRATCH_ALIGNMENT;
    storage.lower = time;
    storage.upper = time + 1;
    storages.storages.push_back(storage);
  }

  void checkStores() {
    for (int store = 0, e = entry.stores.size(); store < e; ++store) {
      auto [value, state] = entry.stores[store];
      if (storages.places[value] == Place{kState, layout.offsets[state]})
        continue;
      StorageFault fault;
      fault.store = store;
      fault.text = "stores a value that was not computed in place of @" + step.states[state].name +
                   "; an accumulator or an optimizer must continue the loaded one";
      return (void)fail(std::move(fault));
    }
  }

  const Step &step;
  const Entry &entry;
  const Schedule &schedule;
  const StateLayout &layout;
  std::vector<int> launchOf; // by op
  std::vector<int> lastUses; // by value: launches; uses of a value's views count as its own
  std::vector<Place> parts;  // by value: the places where concats need their parts
  Storages storages;
};

} // namespace

Storages plan::computeStorages(const Step &step, const Entry &entry, const Schedule &schedule,
                               const StateLayout &layout) {
  return StorageBuilder(step, entry, schedule, layout).run();
}
