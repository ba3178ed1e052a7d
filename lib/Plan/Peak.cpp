//===- Peak.cpp - How many bytes a step takes ---------------------------------------------------------------------===//

#include "tx/Plan/Peak.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <tuple>

using namespace tx;
using namespace tx::plan;

int64_t plan::getSegmentAlignment(const Step &step) {
  bool hasScratch = llvm::any_of(step.entries, [](const Entry &entry) {
    return llvm::any_of(entry.ops, [](const Op &op) { return op.scratchBytes > 0; });
  });
  return hasScratch ? TXRT_SCRATCH_ALIGNMENT : TXRT_BUFFER_ALIGNMENT;
}

int64_t plan::getPersistentBytes(const Step &step, const StateLayout &layout) {
  return llvm::alignTo(layout.bytes, getSegmentAlignment(step));
}

static bool isTransient(const Storage &storage) { return storage.segment == MemorySegment::Transient; }

static Buffer toBuffer(const Storage &storage) {
  return {storage.lower, storage.upper, storage.bytes, storage.alignment};
}

std::vector<Buffer> plan::getBuffers(const Storages &storages) {
  std::vector<Buffer> buffers;
  for (const Storage &storage : storages.storages)
    if (isTransient(storage))
      buffers.push_back(toBuffer(storage));
  return buffers;
}

int64_t plan::getArgumentBytes(const Storages &storages, int64_t segmentAlignment) {
  int64_t bytes = 0;
  for (const Storage &storage : storages.storages)
    if (storage.segment == MemorySegment::Argument)
      bytes += toBuffer(storage).alignedSize();
  return llvm::alignTo(bytes, segmentAlignment);
}

/// For each launch, and for the end: the bytes that are alive.
static std::vector<int64_t> countLiveBytes(const Storages &storages) {
  std::vector<int64_t> live(storages.scratch.size() + 2, 0);
  for (const Storage &storage : storages.storages)
    if (isTransient(storage)) {
      live[storage.lower] += toBuffer(storage).alignedSize();
      live[storage.upper] -= toBuffer(storage).alignedSize();
    }
  for (size_t time = 1; time < live.size(); ++time)
    live[time] += live[time - 1];
  return live;
}

int64_t plan::getLiveBytes(const Storages &storages) { return *llvm::max_element(countLiveBytes(storages)); }

EntryPeak plan::placeStorages(const Storages &storages, int64_t segmentAlignment, const PlacementOptions &options) {
  EntryPeak peak;
  Placement placement = place(getBuffers(storages), options);
  peak.argumentBytes = getArgumentBytes(storages, segmentAlignment);
  peak.transientBytes = placement.height;
  peak.liveBytes = placement.lowerBound;
  int64_t argumentBytes = 0;
  auto offset = placement.offsets.begin();
  for (const Storage &storage : storages.storages) {
    switch (storage.segment) {
    case MemorySegment::Persistent: // the storage of all state starts at byte 0 of its segment
      peak.starts.push_back(0);
      break;
    case MemorySegment::Argument:
      peak.starts.push_back(argumentBytes);
      argumentBytes += toBuffer(storage).alignedSize();
      break;
    case MemorySegment::Transient:
      peak.starts.push_back(*offset++);
      break;
    }
  }
  return peak;
}

std::optional<std::string> plan::verifyPlacement(const Storages &storages, const EntryPeak &peak) {
  Placement placement;
  for (auto [storage, start] : llvm::zip(storages.storages, peak.starts))
    if (isTransient(storage))
      placement.offsets.push_back(start);
  placement.height = peak.transientBytes;
  placement.lowerBound = peak.liveBytes;
  return verifyPlacement(getBuffers(storages), placement);
}

/// The arena that holds what `measure` says of each entry's storages.
static Peak measureEntries(const Step &step, const std::vector<Schedule> &schedules,
                           llvm::function_ref<EntryPeak(const Storages &)> measure) {
  Peak peak;
  StateLayout layout = StateLayout::compute(step);
  peak.persistentBytes = getPersistentBytes(step, layout);
  peak.fault = layout.fault;
  for (int entry = 0, e = step.entries.size(); entry < e && !peak.fault; ++entry) {
    Storages storages = computeStorages(step, step.entries[entry], schedules[entry], layout);
    if ((peak.fault = storages.fault)) {
      peak.fault->entry = entry;
      break;
    }
    peak.entries.push_back(measure(storages));
    const EntryPeak &added = peak.entries.back();
    peak.argumentBytes = std::max(peak.argumentBytes, added.argumentBytes);
    if (peak.largest < 0 || added.transientBytes > peak.transientBytes)
      peak.largest = entry;
    peak.transientBytes = std::max(peak.transientBytes, added.transientBytes);
  }
  return peak;
}

Peak plan::computePeak(const Step &step, const std::vector<Schedule> &schedules, const PlacementOptions &options) {
  int64_t alignment = getSegmentAlignment(step);
  return measureEntries(step, schedules,
                        [&](const Storages &storages) { return placeStorages(storages, alignment, options); });
}

Peak plan::computeLeastPeak(const Step &step, const std::vector<Schedule> &schedules) {
  int64_t alignment = getSegmentAlignment(step);
  return measureEntries(step, schedules, [&](const Storages &storages) {
    EntryPeak peak;
    peak.argumentBytes = getArgumentBytes(storages, alignment);
    peak.transientBytes = peak.liveBytes = getLiveBytes(storages);
    return peak;
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// What holds the peak up
//===--------------------------------------------------------------------------------------------------------------===//

/// For each storage its widest value; of several the latest that has been computed at `time`. Of a concat, that is the
/// whole, also while there are only parts.
static std::vector<int> nameStorages(const Entry &entry, const Schedule &schedule, const Storages &storages, int time) {
  std::vector<int> launchOf(entry.ops.size(), -1);
  for (int launch = 0, e = schedule.launches.size(); launch < e; ++launch)
    for (int op : schedule.launches[launch].ops)
      launchOf[op] = launch;
  std::vector<int> names(storages.storages.size(), -1);
  auto rank = [&](int value) {
    int producer = entry.values[value].producer;
    int launch = producer < 0 ? -1 : launchOf[producer];
    return std::tuple(entry.values[value].bytes, launch <= time, launch <= time ? launch : -launch);
  };
  for (int value = 0, e = entry.values.size(); value < e; ++value) {
    int storage = storages.places[value].storage;
    if (storage >= 0 && (names[storage] < 0 || rank(names[storage]) < rank(value)))
      names[storage] = value;
  }
  return names;
}

LivePoint plan::findPeakPoint(const Entry &entry, const Schedule &schedule, const Storages &storages) {
  LivePoint point;
  std::vector<int64_t> live = countLiveBytes(storages);
  auto most = llvm::max_element(live);
  if (*most == 0)
    return point;
  point.launch = most - live.begin();
  point.bytes = *most;
  std::vector<int> names = nameStorages(entry, schedule, storages, point.launch);
  for (auto [number, storage] : llvm::enumerate(storages.storages))
    if (isTransient(storage) && storage.bytes && storage.lower <= point.launch && point.launch < storage.upper)
      point.storages.push_back({static_cast<int>(number), names[number], toBuffer(storage).alignedSize()});
  llvm::sort(point.storages, [](const LiveStorage &a, const LiveStorage &b) {
    return std::pair(b.bytes, a.storage) < std::pair(a.bytes, b.storage);
  });
  return point;
}
