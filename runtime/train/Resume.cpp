//===- Resume.cpp - Does a run continue with its checkpoint's schedule? -------------------------------------------===//

#include "train/Resume.h"
#include "core/Failure.h"

#include <charconv>

namespace txrt::train {

/// Whether a setting belongs to the schedule. The other settings may change within a run; a note about it is enough.
static bool isSchedule(const std::string &name) {
  return name != "global-batch-size" && name != "data-order" && name != "split";
}

static std::string list(const std::vector<double> &values) {
  std::string text;
  for (double value : values)
    text += (text.empty() ? "" : ",") + shortest(value);
  return text;
}

RunSettings settingsOf(const DataOptions &data, const LrSchedule &schedule, uint64_t globalBatch) {
  RunSettings settings = {{"lr", shortest(schedule.maximum)},
                          {"lr-warmup-iters", std::to_string(schedule.warmupIterations)},
                          {"lr-decay-style", decayStyleName(schedule.style)},
                          {"global-batch-size", std::to_string(globalBatch)}};
  if (!data.path.empty() && !isPrepared(data.path)) { // prepared samples have an order of their own
    settings["data-order"] = data.order == DataOrder::Random ? "random" : "sequential";
    if (data.validPath.empty())
      settings["split"] = list(data.split);
  }
  if (schedule.style != DecayStyle::Constant) { // a constant rate has neither a minimum nor an end
    settings["min-lr"] = shortest(schedule.minimum);
    settings["lr-decay-iters"] = std::to_string(schedule.decayIterations);
  }
  return settings;
}

namespace {

/// The schedule that a checkpoint's settings describe.
class StoredSchedule {
public:
  StoredSchedule(const RunSettings &settings, const std::string &file)
      : settings(settings), file(printable(file, 200)) {}

  void apply(LrSchedule &schedule) const {
    read("lr", schedule.maximum);
    read("min-lr", schedule.minimum);
    read("lr-warmup-iters", schedule.warmupIterations);
    read("lr-decay-iters", schedule.decayIterations);
    const auto style = settings.find("lr-decay-style");
    if (style != settings.end() && !findDecayStyle(style->second, schedule.style))
      refuse("lr-decay-style", style->second);
  }

private:
  static bool isRateOrCount(double rate) { return isRate(rate); }
  static bool isRateOrCount(int64_t count) { return count >= 0; }
  template <typename T> void read(const char *name, T &value) const {
    const auto found = settings.find(name);
    if (found == settings.end())
      return;
    const std::string &text = found->second;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec != std::errc() || result.ptr != text.data() + text.size() || !isRateOrCount(value))
      refuse(name, text);
  }
  [[noreturn]] void refuse(const char *name, const std::string &text) const {
    fail(TXRT_BAD_INPUT, "%s: its metadata 'tx.%s' is '%s', which --%s can not be", file.c_str(), name,
         printable(text).c_str(), name);
  }

  const RunSettings &settings;
  const std::string file;
};

} // namespace

/// The settings that differ, of the schedule or (without `ofSchedule`) all others: "--lr 0.01 (this run: 0.02),
/// --min-lr 0 (this run: 0.001)".
static std::string differences(const RunSettings &mine, const RunSettings &from, bool ofSchedule) {
  std::string text;
  for (const auto &[name, value] : mine) {
    const auto stored = from.find(name);
    if (isSchedule(name) == ofSchedule && stored != from.end() && stored->second != value)
      text += (text.empty() ? "--" : ", --") + name + " " + printable(stored->second) + " (this run: " + value + ")";
  }
  return text;
}

LrSchedule resumeSchedule(const LrSchedule &given, Holds holds, const RunSettings &mine, const RunSettings &from,
                          const std::string &file, const Notes &note) {
  LrSchedule schedule = given;
  auto say = [&](const std::string &line) {
    if (note)
      note(line);
  };
  const std::string changed = differences(mine, from, false);
  if (!changed.empty())
    say("note: the checkpoint was trained with " + changed);
  const std::string different = differences(mine, from, true);
  if (different.empty())
    return schedule;
  if (holds == Holds::Neither)
    fail(TXRT_BAD_INPUT,
         "%s: was trained with %s: give what it was trained with, or --override-opt_param-scheduler to go on with this "
         "run's schedule, or --use-checkpoint-opt_param-scheduler to go on with the checkpoint's",
         printable(file, 200).c_str(), different.c_str());
  if (holds == Holds::Stored)
    StoredSchedule(from, file).apply(schedule);
  say(format("note: the checkpoint was trained with %s; this run goes on with %s", different.c_str(),
             holds == Holds::Stored ? "the checkpoint's" : "its own"));
  return schedule;
}

} // namespace txrt::train
