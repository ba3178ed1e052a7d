//===- Advice.cpp - What to do with the table, in words -----------------------------------------------------------===//

#include "Advice.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace tx;
using llvm::formatv;

std::string tx::showBytes(int64_t bytes) {
  double amount = std::abs(static_cast<double>(bytes));
  const char *sign = bytes < 0 ? "-" : "";
  for (auto [unit, size] : {std::pair("GiB", 0x1p30), std::pair("MiB", 0x1p20), std::pair("KiB", 0x1p10)})
    if (amount >= size)
      return formatv("{0}{1:f1} {2}", sign, amount / size, unit).str();
  return formatv("{0} bytes", bytes).str();
}

static std::string showRow(const PlanRow &row) {
  return formatv("{0} at {1}", row.policy.name, row.microBatchSize).str();
}

static std::string showPercent(double share) { return formatv("{0:f1} %", 100 * share).str(); }

std::string tx::describeNetEffect(const PlanTable &table) {
  const PlanRow *best = table.getBest(), *none = table.getBestNone();
  if (!best)
    return "net effect of recomputation: none, since nothing fits";
  if (!none)
    return formatv("net effect of recomputation: without it nothing fits; {0} gives {1:f0} tokens/s", showRow(*best),
                   best->tokensPerSecond)
        .str();
  if (best == none)
    return formatv("net effect of recomputation: none; {0} is the fastest that fits, {1:f0} tokens/s", showRow(*best),
                   best->tokensPerSecond)
        .str();
  return formatv("net effect of recomputation: {0} {1:f0} tokens/s, {2} {3:f0} tokens/s: {4:f2} times as fast",
                 showRow(*none), none->tokensPerSecond, showRow(*best), best->tokensPerSecond,
                 best->tokensPerSecond / none->tokensPerSecond)
      .str();
}

/// The row of a policy at the smallest size.
static const PlanRow *findRow(const PlanTable &table, llvm::StringRef policy) {
  for (const PlanRow &row : table.rows)
    if (row.policy.name == policy)
      return &row;
  return nullptr;
}

/// Known machines whose memory holds so many bytes of arena.
static std::string listLargerDevices(int64_t peak, llvm::StringRef but) {
  std::vector<std::string> names;
  for (llvm::StringRef name : plan::getDeviceNames()) {
    llvm::Expected<plan::Device> device = plan::findDevice(name);
    if (!device) {
      llvm::consumeError(device.takeError());
      continue;
    }
    if (name != but && name != "cpu" && device->getMemoryBytes() - device->getOutsideBytes(0) >= peak)
      names.push_back(name.str());
  }
  return llvm::join(names, ", ");
}

static void adviseOnMissingMemory(const PlanTable &table, const PlanOptions &options,
                                  std::vector<std::string> &advice) {
  const PlanRow &least = table.getLeast();
  const ModelConfig &model = options.compile.model;
  std::string text = formatv("Still out of memory: {0} needs least, {1}, of which parameters, gradients and the "
                             "optimizer's state take {2}; {3} are missing.",
                             showRow(least), showBytes(least.step.peakBytes), showBytes(least.step.persistentBytes),
                             showBytes(-least.headroom));
  advice.push_back(text);
  if (least.step.persistentBytes > table.getBudget()) {
    advice.push_back("No recomputation helps: the state alone is larger than the memory. A smaller model, more memory, "
                     "or state that is divided among ranks, which Tx does not do yet, is what is left.");
  } else {
    std::string ways;
    if (least.microBatchSize > 1)
      ways += "a smaller --micro-batch-size; ";
    if (!options.compile.inputIsModule && model.dtype == DType::F32)
      ways += "--bf16 halves activations; ";
    advice.push_back("What is left: " + ways + "a shorter --seq-length; a smaller model.");
  }
  if (std::string names = listLargerDevices(least.step.peakBytes, options.device.name); !names.empty())
    advice.push_back("It fits on: " + names + ".");
}

/// What full recomputation costs against the best row, if that is not full itself.
static void adviseOnFull(const PlanTable &table, std::vector<std::string> &advice) {
  const PlanRow *best = table.getBest(), *full = findRow(table, "full"), *none = findRow(table, "none");
  if (!full || !none)
    return;
  double cost = full->seconds / none->seconds - 1;
  if (best->policy.name == "full") {
    advice.push_back(formatv("If full is too slow (it takes {0} more time than none): give it what it frees, in a "
                             "larger micro batch, or recompute fewer layers with --recompute-method block.",
                             showPercent(cost)));
    return;
  }
  if (best->policy.name != "none")
    advice.push_back(formatv("Full recomputation is not needed: it takes {0} more time than none and frees {1}.",
                             showPercent(cost), showBytes(none->step.peakBytes - full->step.peakBytes)));
}

/// What guides say of models of this kind.
static void adviseOnKind(const PlanTable &table, const PlanOptions &options, std::vector<std::string> &advice) {
  constexpr double kBillion = 1e9;
  double parameters = options.compile.inputIsModule ? 0 : double(options.compile.model.countParameters());
  if (parameters >= 20 * kBillion && parameters <= 100 * kBillion)
    advice.push_back("For 20 to 100 billion parameters guides begin with selective recomputation of what is cheap "
                     "(norms, activations), then add block for as few layers as memory asks for; full comes last.");
  if (llvm::is_contained(table.modules, RecomputeModule::Moe))
    advice.push_back("Experts: recompute moe_act first, which needs no product; moe replays the experts' products, "
                     "never the router's choices.");
  if (llvm::is_contained(table.modules, RecomputeModule::MlaUpProj))
    advice.push_back("Latent attention: mla_up_proj keeps the latents, and frees the queries, keys and values that are "
                     "made from them.");
}

std::vector<std::string> tx::adviseOnTable(const PlanTable &table, const PlanOptions &options) {
  std::vector<std::string> advice;
  for (const UselessModule &module : table.useless)
    advice.push_back(
        formatv("Leave {0} out of --recompute-modules{1}: it frees {2} and takes {3} more time.", module.name,
                module.name == "core_attn" ? " (flash attention computes its scores again anyway)" : "",
                module.freedBytes > 0 ? showBytes(module.freedBytes) : "nothing", showPercent(module.slowdown)));
  adviseOnKind(table, options, advice);
  const PlanRow *best = table.getBest();
  if (!best) {
    adviseOnMissingMemory(table, options, advice);
    return advice;
  }
  if (best->policy.name == "none")
    advice.push_back("Leave recomputation out: it would only make room for a larger micro batch, and that is not "
                     "faster than what fits without.");
  adviseOnFull(table, advice);
  constexpr double kLittle = 0.02; // of the device's memory
  if (double(best->headroom) < kLittle * double(table.memoryBytes))
    advice.push_back(formatv("{0} stay free. The arena is allocated once and exactly as planned; what lies outside it "
                             "is an estimate, so try the run before a long one.",
                             showBytes(best->headroom)));
  return advice;
}
