//===- Resume.cpp - Does a run go on as its checkpoint began? -----------------------------------------------------===//

#include "Resume.h"
#include "Error.h"
#include "TokenData.h"

#include <charconv>

namespace txrun {

/// May change on the way; to know it is enough.
static bool isSchedule(const std::string &name) {
  return name != "global-batch-size" && name != "data-order" && name != "split";
}

static std::string shortest(double value) {
  char digits[64];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, result.ptr);
}

static LrSchedule makeSchedule(const Options &options) {
  LrSchedule schedule;
  schedule.maximum = options.lr;
  schedule.minimum = options.minLr;
  schedule.warmupIterations = options.lrWarmupIterations;
  schedule.decayIterations = options.lrDecayIterations > 0 ? options.lrDecayIterations : options.trainIterations;
  schedule.style = options.lrDecayStyle;
  return schedule;
}

static std::string shortest(const std::vector<double> &values) {
  std::string text;
  for (double value : values)
    text += (text.empty() ? "" : ",") + shortest(value);
  return text;
}

RunSettings settingsOf(const Options &options, const LrSchedule &schedule, uint64_t globalBatch) {
  RunSettings settings = {{"lr", shortest(schedule.maximum)},
                          {"lr-warmup-iters", std::to_string(schedule.warmupIterations)},
                          {"lr-decay-style", decayStyleName(schedule.style)},
                          {"global-batch-size", std::to_string(globalBatch)}};
  if (!isPrepared(options.dataPath)) { // whose samples are in their order
    settings["data-order"] = options.dataOrder == DataOrder::Random ? "random" : "sequential";
    if (options.validDataPath.empty())
      settings["split"] = shortest(options.split);
  }
  if (schedule.style != DecayStyle::Constant) { // which has no end
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
    fail(ExitCode::BadInput, "%s: its metadata 'tx.%s' is '%s', which --%s can not be", file.c_str(), name,
         printable(text).c_str(), name);
  }

  const RunSettings &settings;
  const std::string file;
};

} // namespace

/// "--lr 0.01 (this run: 0.02), --min-lr 0 (this run: 0.001)": of the schedule, or of all else.
static std::string differences(const RunSettings &mine, const RunSettings &from, bool ofSchedule) {
  std::string text;
  for (const auto &[name, value] : mine) {
    const auto stored = from.find(name);
    if (isSchedule(name) == ofSchedule && stored != from.end() && stored->second != value)
      text += (text.empty() ? "--" : ", --") + name + " " + printable(stored->second) + " (this run: " + value + ")";
  }
  return text;
}

LrSchedule resumeSchedule(const Options &options, const RunSettings &from, uint64_t globalBatch, Console &console) {
  LrSchedule schedule = makeSchedule(options);
  if (from.empty())
    return schedule;
  const RunSettings mine = settingsOf(options, schedule, globalBatch);
  const std::string changed = differences(mine, from, false);
  if (!changed.empty())
    console.line("note: the checkpoint was trained with " + changed);
  const std::string different = differences(mine, from, true);
  if (different.empty())
    return schedule;
  if (!options.overrideScheduler && !options.useCheckpointScheduler)
    fail(ExitCode::BadInput,
         "%s: was trained with %s: give what it was trained with, or "
         "--override-opt_param-scheduler to go on with this run's schedule, or "
         "--use-checkpoint-opt_param-scheduler to go on with the checkpoint's",
         printable(options.load, 200).c_str(), different.c_str());
  if (options.useCheckpointScheduler)
    StoredSchedule(from, options.load).apply(schedule);
  console.line(format("note: the checkpoint was trained with %s; this run goes on "
                      "with %s",
                      different.c_str(), options.useCheckpointScheduler ? "the checkpoint's" : "its own"));
  return schedule;
}

} // namespace txrun
