//===- Verify.cpp - Does recomputation change a bit? --------------------------------------------------------------===//

#include "Verify.h"
#include "Error.h"
#include "txrt/bf16.h"

#include <algorithm>
#include <cstring>

namespace txrun {

void checkTwins(const Model &policy, const Model &none) {
  const BatchSpec &a = policy.batch(), &b = none.batch();
  std::string paths = printable(policy.path(), 200) + " and " + printable(none.path(), 200);
  if (a.vocabulary != b.vocabulary || a.sequence != b.sequence || a.microBatch != b.microBatch)
    fail(TXRT_BAD_INPUT,
         "%s: are two models (vocabulary %llu and %llu, batch %llu x %llu and "
         "%llu x %llu); compile both from the same flags",
         paths.c_str(), (unsigned long long)a.vocabulary, (unsigned long long)b.vocabulary,
         (unsigned long long)a.microBatch, (unsigned long long)a.sequence, (unsigned long long)b.microBatch,
         (unsigned long long)b.sequence);
  if (policy.manifest().globals.size() != none.manifest().globals.size())
    fail(TXRT_BAD_INPUT, "%s: have %zu and %zu parameters and states", paths.c_str(), policy.manifest().globals.size(),
         none.manifest().globals.size());
  for (const GlobalSpec &global : policy.manifest().globals) {
    const GlobalSpec *twin = none.manifest().findGlobal(global.name);
    if (!twin || twin->shape != global.shape || twin->dtype != global.dtype)
      fail(TXRT_BAD_INPUT,
           "%s: '%s' is %s %s in the first and %s in the "
           "second",
           paths.c_str(), printable(global.name).c_str(), dtypeName(global.dtype), shapeText(global.shape).c_str(),
           twin ? (std::string(dtypeName(twin->dtype)) + " " + shapeText(twin->shape)).c_str() : "missing");
  }
}

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

[[noreturn]] static void failDifferent(int64_t step, const std::string &what, float a, float b) {
  fail(TXRT_NUMERIC,
       "iteration %lld: %s differs: %.9g (0x%08x) under the policy, %.9g "
       "(0x%08x) under none",
       (long long)step, what.c_str(), shown(a), bitsOf(a), shown(b), bitsOf(b));
}

static void compareGlobal(const Model &policy, const Model &none, const GlobalSpec &global, int64_t step) {
  const GlobalSpec &twin = *none.manifest().findGlobal(global.name);
  const uint64_t width = dtypeBytes(global.dtype);
  uint64_t index = 0, differing = 0;
  char first[2][4] = {}; // the two elements that differ first
  std::vector<char> a(copyBytes), b(copyBytes);
  for (uint64_t at = 0; at < global.bytes; at += copyBytes) {
    const uint64_t bytes = std::min(copyBytes, global.bytes - at);
    policy.read(global, at, bytes, a.data());
    none.read(twin, at, bytes, b.data());
    if (std::memcmp(a.data(), b.data(), bytes) == 0)
      continue;
    for (uint64_t i = 0; i < bytes; i += width) {
      if (std::memcmp(&a[i], &b[i], width) == 0)
        continue;
      if (differing++ == 0) {
        index = (at + i) / width;
        std::memcpy(first[0], &a[i], width);
        std::memcpy(first[1], &b[i], width);
      }
    }
  }
  if (differing == 0)
    return;
  std::string what =
      format("%s at index %llu (the first of %llu of %llu)", printable(global.name, 160).c_str(),
             (unsigned long long)index, (unsigned long long)differing, (unsigned long long)global.elements());
  float x = 0, y = 0;
  if (global.dtype == TXRT_DTYPE_BF16) {
    uint16_t narrow[2];
    std::memcpy(narrow, first[0], 2);
    std::memcpy(narrow + 1, first[1], 2);
    x = txrt_bf16_to_f32(narrow[0]);
    y = txrt_bf16_to_f32(narrow[1]);
  } else {
    std::memcpy(&x, first[0], 4);
    std::memcpy(&y, first[1], 4);
  }
  failDifferent(step, what, x, y);
}

/// Counts the launches of recomputations in one iteration. Without any, the comparison would prove nothing.
static uint64_t recomputeLaunches(const Model &model, const StepRunner &runner) {
  uint64_t count = 0;
  txrt_error error;
  for (const Entry &entry : runner.entries())
    for (int i = 0; i < txrt_session_launch_count(model.session(), entry.index()); ++i) {
      txrt_launch_info info;
      check(txrt_session_launch_info(model.session(), entry.index(), i, &info, &error), error);
      count += info.phase == TXRT_PHASE_RECOMPUTE;
    }
  return count;
}

void verifyRecompute(const Model &policy, const Model &none, SampleSource &source, const VerifyOptions &options,
                     Console &console, Log &log) {
  StepRunner a(policy, options.globalBatch, options.guard);
  StepRunner b(none, options.globalBatch, options.guard);
  RunPosition position;
  position.seed = options.seed;
  uint64_t compared = 0;
  for (int64_t step = 1; step <= options.iterations; ++step) {
    StepResult x = a.run(source, position, options.lr);
    StepResult y = b.run(source, position, options.lr);
    position.iteration = step;
    position.samples += a.globalBatchSize();
    if (std::memcmp(&x.loss, &y.loss, sizeof x.loss) != 0)
      fail(TXRT_NUMERIC,
           "iteration %lld: the loss differs: %.17g under the policy, %.17g "
           "under none",
           (long long)step, shown(x.loss), shown(y.loss));
    // Compares gradients before the gradient norm: a gradient that differs explains a norm that differs.
    policy.ranks().together([&] {
      for (Role role : {Role::Gradient, Role::Parameter, Role::Moment1, Role::Moment2, Role::Master})
        for (const GlobalSpec *global : policy.manifest().withRole(role)) {
          compareGlobal(policy, none, *global, step);
          compared += global->elements();
        }
    });
    if (bitsOf(x.gradientNorm) != bitsOf(y.gradientNorm))
      failDifferent(step, "the gradient norm", x.gradientNorm, y.gradientNorm);
    console.progress(format("iteration %lld/%lld  loss %.9g  same bits", (long long)step, (long long)options.iterations,
                            shown(x.loss)));
    if (policy.ranks().interrupted())
      throw Failure(TXRT_INTERRUPTED, format("interrupted after %lld of %lld iterations, which "
                                             "were the same in every bit",
                                             (long long)step, (long long)options.iterations));
  }
  console.line(format("same bits: %lld iterations under '%s' (%llu recompute launches) and "
                      "under '%s' (%llu): losses, gradient norms, and %llu values of "
                      "gradients, parameters and optimizer state",
                      (long long)options.iterations, printable(policy.manifest().policy, 160).c_str(),
                      (unsigned long long)recomputeLaunches(policy, a), printable(none.manifest().policy, 160).c_str(),
                      (unsigned long long)recomputeLaunches(none, b), (unsigned long long)compared));
  log.write(JsonLine()
                .text("event", "verify")
                .text("policy", policy.manifest().policy)
                .text("against", none.manifest().policy)
                .integer("iterations", options.iterations)
                .integer("recompute_launches", static_cast<int64_t>(recomputeLaunches(policy, a)))
                .integer("values", static_cast<int64_t>(compared))
                .json("same", "true"));
}

} // namespace txrun
