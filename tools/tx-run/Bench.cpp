//===- Bench.cpp - How long a step takes, and where ---------------------------------------------------------------===//

#include "Bench.h"
#include "DeviceFile.h"
#include "Error.h"
#include "Memory.h"
#include "Overlap.h"
#include "Trace.h"

#include <algorithm>
#include <chrono>
#include <map>

namespace txrun {

Spread spreadOf(std::vector<double> values) {
  if (values.empty())
    return {};
  std::sort(values.begin(), values.end());
  size_t middle = values.size() / 2;
  double median = values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

namespace {

/// Time and work that launches of one kind, phase or group take in one iteration.
struct Share {
  double seconds = 0, flops = 0, bytes = 0, launches = 0;

  void add(const txrt_launch_info &info) {
    double runs = double(info.runs);
    seconds += info.seconds;
    flops += double(info.flops) * runs;
    bytes += double(info.bytes) * runs;
    launches += runs;
  }
};

struct Profile {
  std::map<std::string, Share> phases, kinds, groups;
  Share all;
  CommunicationTime communication;
  bool hasCollectives = false;
};

/// The name of a launch's group. Equal launches of all layers form one group.
std::string groupName(const txrt_launch_info &info) {
  std::string name = info.kind == TXRT_LAUNCH_GEMM
                         ? format("gemm %llu x %llu x %llu", (unsigned long long)info.gemm[0],
                                  (unsigned long long)info.gemm[1], (unsigned long long)info.gemm[2]) +
                               (info.batch > 1 ? format(", %llu of them", (unsigned long long)info.batch) : "")
                         : printable(info.kernel, 60);
  return name + " (" + txrt_phase_name(info.phase) + ")";
}

/// Sums up the launches of the last iteration from the session's clocks, and adds their times to `times`.
Profile collect(const Model &model, const std::vector<Entry> &entries, DeviceTimes &times) {
  Profile profile;
  txrt_error error;
  for (const Entry &entry : entries) {
    int count = txrt_session_launch_count(model.session(), entry.index());
    std::vector<txrt_launch_info> launches;
    for (int i = 0; i < count; ++i) {
      txrt_launch_info info;
      check(txrt_session_launch_info(model.session(), entry.index(), i, &info, &error), error);
      for (Share *share : {&profile.all, &profile.phases[txrt_phase_name(info.phase)],
                           &profile.kinds[txrt_launch_kind_name(info.kind)], &profile.groups[groupName(info)]})
        share->add(info);
      launches.push_back(info);
      profile.hasCollectives |= info.kind == TXRT_LAUNCH_COLLECTIVE;
    }
    times.add(launches);
    // Start times are known only for the last run of an entry; its other runs count as equal.
    const CommunicationTime time = communicationTime(launches);
    const double runs = launches.empty() ? 0 : double(launches.front().runs);
    profile.communication.total += runs * time.total;
    profile.communication.exposed += runs * time.exposed;
  }
  return profile;
}

/// Takes the median over iterations for each share: a thread that the system has paused once must not make a kernel
/// look slow.
Profile medianOf(const std::vector<Profile> &profiles) {
  Profile result = profiles.front();
  auto reduce = [&](Share &share, auto find) {
    std::vector<double> seconds;
    for (const Profile &profile : profiles)
      seconds.push_back(find(profile).seconds);
    share.seconds = spreadOf(seconds).median;
  };
  reduce(result.all, [](const Profile &p) { return p.all; });
  for (auto member : {&Profile::phases, &Profile::kinds, &Profile::groups})
    for (auto &item : result.*member)
      reduce(item.second, [&](const Profile &p) { return (p.*member).at(item.first); });
  for (auto member : {&CommunicationTime::total, &CommunicationTime::exposed}) {
    std::vector<double> seconds;
    for (const Profile &profile : profiles)
      seconds.push_back(profile.communication.*member);
    result.communication.*member = spreadOf(seconds).median;
  }
  return result;
}

std::string row(const Share &share, double total, const std::string &name) {
  double seconds = std::max(share.seconds, 1e-12);
  return format("  %9.3f ms %5.1f %% %6.0f launches %8.1f GFLOP/s %7.1f GB/s  "
                "%s",
                share.seconds * 1e3, 100 * share.seconds / std::max(total, 1e-12), share.launches,
                share.flops / seconds * 1e-9, share.bytes / seconds * 1e-9, name.c_str());
}

void printTable(Console &console, const char *title, const std::map<std::string, Share> &shares, double total,
                size_t most) {
  std::vector<std::pair<std::string, Share>> order(shares.begin(), shares.end());
  std::sort(order.begin(), order.end(),
            [](const auto &a, const auto &b) { return a.second.seconds > b.second.seconds; });
  console.line(title);
  for (size_t i = 0; i < std::min(most, order.size()); ++i)
    console.line(row(order[i].second, total, order[i].first));
}

std::string jsonShares(const std::map<std::string, Share> &shares) {
  JsonLine line;
  for (const auto &item : shares)
    line.number((item.first + "_ms").c_str(), item.second.seconds * 1e3);
  return line.str();
}

/// The line on communication: seconds of one iteration on this rank.
std::string communicationLine(const CommunicationTime &time) {
  return format("communication: %.3f ms, of which %.3f ms (%.0f %%) exposed: "
                "nothing is computed meanwhile",
                time.total * 1e3, time.exposed * 1e3, 100 * time.exposed / std::max(time.total, 1e-12));
}

/// The JSON of time and rates of each group of launches.
std::string jsonGroups(const std::map<std::string, Share> &groups) {
  JsonLine line;
  for (const auto &[name, share] : groups) {
    double rate = share.seconds > 0 ? 1e-9 / share.seconds : 0;
    line.json(name.c_str(), JsonLine()
                                .number("ms", share.seconds * 1e3)
                                .number("launches", share.launches)
                                .number("gflops", share.flops * rate)
                                .number("gigabytes_per_second", share.bytes * rate)
                                .str());
  }
  return line.str();
}

txrt_device_memory deviceMemory(const Model &model) {
  txrt_error error;
  txrt_device_memory memory;
  check(txrt_session_device_memory(model.session(), &memory, &error), error);
  return memory;
}

/// Says how much memory is in use, and for what on a device. On the host the process takes a few MiB more than planned
/// for the program itself.
std::string whatIsTaken(const txrt_device_memory &device, double planned) {
  auto text = [](uint64_t bytes) { return readableBytes(double(bytes)); };
  if (device.total)
    return format("on the device %s: arena %s, libraries and graphs %s, context "
                  "and other processes %s",
                  text(device.arena + device.libraries + device.context).c_str(), text(device.arena).c_str(),
                  text(device.libraries).c_str(), text(device.context).c_str());
  double resident = double(residentBytes());
  return format("%s resident (%s more than planned), %s resident at most", readableBytes(resident).c_str(),
                readableBytes(std::max(0.0, resident - planned)).c_str(), text(peakResidentBytes()).c_str());
}

/// The line that compares planned bytes with the bytes that are in use.
std::string memoryLine(const Model &model, const txrt_device_memory &device) {
  double planned = double(model.manifest().peakBytes);
  double arena = double(txrt_session_arena_bytes(model.session()));
  return format("memory: %s planned, %s allocated%s, %s", readableBytes(planned).c_str(), readableBytes(arena).c_str(),
                planned == arena ? " (equal)" : " (DIFFERENT)", whatIsTaken(device, planned).c_str());
}

std::string jsonMemory(const txrt_device_memory &device) {
  JsonLine line;
  if (device.total)
    line.integer("device_arena_bytes", static_cast<int64_t>(device.arena))
        .integer("device_libraries_bytes", static_cast<int64_t>(device.libraries))
        .integer("device_context_bytes", static_cast<int64_t>(device.context))
        .integer("device_bytes", static_cast<int64_t>(device.total));
  else
    line.integer("rss_bytes", static_cast<int64_t>(residentBytes()))
        .integer("peak_rss_bytes", static_cast<int64_t>(peakResidentBytes()));
  return line.str();
}

} // namespace

void bench(const Model &model, StepRunner &runner, SampleSource &source, const BenchOptions &options, Console &console,
           Log &log) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  RunPosition position;
  position.seed = options.seed;
  auto once = [&] {
    if (model.ranks().interrupted())
      throw Failure(TXRT_INTERRUPTED, "interrupted");
    Clock::time_point start = Clock::now();
    StepResult result = runner.run(source, position, options.lr);
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    ++position.iteration;
    position.samples += runner.globalBatchSize();
    console.progress(
        format("step %lld  %.1f ms  loss %.4f", (long long)position.iteration, seconds * 1e3, shown(result.loss)));
    return seconds;
  };
  for (int64_t i = 0; i < options.warmup; ++i)
    once();
  for (int64_t i = 0; i < options.iterations; ++i)
    times.push_back(once());

  std::vector<Profile> profiles;
  DeviceTimes deviceTimes;
  const int64_t most = options.device.empty() ? 5 : options.iterations;
  for (int64_t i = 0; i < std::min(options.iterations, most); ++i) {
    txrt_session_profile(model.session(), 1);
    once();
    profiles.push_back(collect(model, runner.entries(), deviceTimes));
  }
  txrt_session_profile(model.session(), 0);
  if (!options.trace.empty() && model.ranks().isFirst()) {
    Trace trace(model);
    trace.add(runner.entries(), position.iteration, 0);
    trace.write(options.trace, console);
  }
  if (!options.device.empty())
    writeDevice(deviceTimes, {txrt_session_description(model.session()), deviceMemory(model)}, options.device,
                options.mergesDevice);
  Profile profile = medianOf(profiles);

  Spread spread = spreadOf(times);
  double tokens = double(runner.globalBatchSize() * model.batch().sequence);
  std::string entries;
  for (const Entry &entry : runner.entries())
    entries += (entries.empty() ? "" : " + ") + entry.name();
  console.line(format("%s: policy %s, %s", printable(model.path(), 200).c_str(),
                      printable(model.manifest().policy, 160).c_str(), txrt_session_description(model.session())));
  console.line(format("step (%s): median %.2f ms, %.2f to %.2f in %lld runs after %lld "
                      "to warm up; %.0f tokens/s, %.1f GFLOP/s",
                      entries.c_str(), spread.median * 1e3, spread.least * 1e3, spread.most * 1e3,
                      (long long)options.iterations, (long long)options.warmup, tokens / spread.median,
                      profile.all.flops / spread.median * 1e-9));
  printTable(console, "by phase (clock around each launch):", profile.phases, profile.all.seconds, 8);
  printTable(console, "by kind:", profile.kinds, profile.all.seconds, 8);
  printTable(console, "launches that take most:", profile.groups, profile.all.seconds, 15);
  if (profile.hasCollectives)
    console.line(communicationLine(profile.communication));
  int64_t allocations = txrt_session_step_allocations(model.session());
  console.line(allocations < 0 ? std::string("allocations during steps: not counted in "
                                             "this build")
                               : format("allocations during steps: %lld", (long long)allocations));
  const txrt_device_memory device = deviceMemory(model);
  console.line(memoryLine(model, device));

  JsonLine line;
  line.text("event", "bench")
      .text("policy", model.manifest().policy)
      .text("machine", txrt_session_description(model.session()))
      .integer("runs", options.iterations)
      .number("median_ms", spread.median * 1e3)
      .number("least_ms", spread.least * 1e3)
      .number("most_ms", spread.most * 1e3)
      .number("tokens_per_second", tokens / spread.median)
      .number("gflops", profile.all.flops / spread.median * 1e-9)
      .json("phases", jsonShares(profile.phases))
      .json("kinds", jsonShares(profile.kinds))
      .json("launches", jsonGroups(profile.groups))
      .integer("allocations", allocations)
      .integer("peak_bytes", static_cast<int64_t>(model.manifest().peakBytes))
      .integer("allocated_bytes", static_cast<int64_t>(txrt_session_arena_bytes(model.session())))
      .json("memory", jsonMemory(device));
  if (profile.hasCollectives)
    line.number("communication_ms", profile.communication.total * 1e3)
        .number("exposed_communication_ms", profile.communication.exposed * 1e3);
  log.write(line);
}

} // namespace txrun
