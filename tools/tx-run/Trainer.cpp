//===- Trainer.cpp - Iterations until the work is done ------------------------------------------------------------===//

#include "Trainer.h"
#include "Error.h"
#include "Interrupt.h"
#include "Memory.h"

#include <algorithm>
#include <cmath>

namespace txrun {

// How long an iteration may go on after a signal, so that it can be finished and saved: at least 60 seconds, as nobody
// knows how long the first one takes; then 10 times the slowest iteration so far.
static constexpr double leastPatience = 60, slownessPatience = 10;

Trainer::Trainer(const Options &options, Training &training, Console &console, Log &log, EventFile &curves)
    : options(options), training(training), model(training.model), console(console), log(log), curves(curves),
      first(iteration()) {
  if (first < options.trainIterations) // if no iteration is left to train, keep the checkpoint's settings
    training.setSchedule(scheduleOf(options), whichHolds(options));
}

txrt_status Trainer::run() {
  model.ranks().together([&] { logStart(); });
  if (iteration() >= options.trainIterations && first > 0)
    console.line(format("%s stands at iteration %lld, so none of the %lld is "
                        "left to train",
                        printable(options.load, 200).c_str(), (long long)first, (long long)options.trainIterations));
  began = Clock::now();
  Ranks &ranks = model.ranks();
  Patience patience(leastPatience);
  double slowest = 0;
  bool stopped = ranks.interrupted();
  while (iteration() < options.trainIterations && !stopped) {
    const double rate = training.rate();
    const bool isNowTraced = isTraced();
    txrt_session_profile(model.session(), isNowTraced);
    Clock::time_point start = Clock::now();
    const StepResult result = training.step(rate);
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    slowest = std::max(slowest, seconds);
    patience.set(std::max(leastPatience, slownessPatience * slowest));
    stopped = ranks.interrupted();
    if (isNowTraced)
      trace(std::chrono::duration<double>(start - began).count());
    try {
      ranks.together([&] { report(result, rate, seconds, stopped); });
      if (options.evalInterval > 0 && iteration() % options.evalInterval == 0)
        evaluate();
    } catch (const Failure &failure) {
      // The reader of the output has gone, or the log's disk is full: save the weights before the run ends.
      Patience writing(Patience::endless);
      if (failure.code == TXRT_IO)
        writeCheckpoint();
      throw;
    }
    if (options.saveInterval > 0 && iteration() % options.saveInterval == 0)
      save();
  }
  // Signals do not cut off the writing of results, and other ranks wait for it, however long it takes.
  Patience writing(Patience::endless);
  ranks.together([&] { writeTrace(); });
  if (!options.dumpGradients.empty() && iteration() > first)
    ranks.together([&] {
      if (ranks.isFirst())
        dumpGradients(model, options.dumpGradients);
      console.line("gradients of iteration " + std::to_string(iteration()) + " written to " +
                   printable(options.dumpGradients, 200));
    });
  save();
  if (!stopped)
    return TXRT_OK;
  console.line(format("interrupted after iteration %lld of %lld%s", (long long)iteration(),
                      (long long)options.trainIterations,
                      options.save.empty()    ? "; nothing is saved without --save"
                      : options.saveOptimizer ? "; --load continues"
                                              : "; --load begins again from these weights, "
                                                "--save-optim would have let it continue"));
  return TXRT_INTERRUPTED;
}

/// Whether to trace the iteration that begins now: with --profile those it names, else the second one of the run, as
/// the first is slower than usual; the first if there is no second.
bool Trainer::isTraced() const {
  if (options.trace.empty())
    return false;
  if (options.profile)
    return options.profileStart <= iteration() && iteration() < options.profileEnd;
  return iteration() == std::min(first + 1, options.trainIterations - 1);
}

/// Adds the iteration that has ended to the trace, and writes it after the last one.
void Trainer::trace(double start) {
  model.ranks().together([&] {
    if (model.ranks().isFirst()) {
      if (!traced)
        traced.emplace(model);
      traced->add(training.runner().entries(), iteration(), start);
    }
    if (!isTraced())
      writeTrace();
  });
}

void Trainer::writeTrace() {
  if (traced)
    traced->write(options.trace, console);
  else if (options.profile && model.ranks().isFirst() && !wroteTrace)
    console.line(format("nothing to trace: no iteration between --profile-step-start %lld and --profile-step-end %lld",
                        (long long)options.profileStart, (long long)options.profileEnd));
  wroteTrace |= traced.has_value();
  traced.reset();
}

void Trainer::save() {
  Patience writing(Patience::endless);
  model.ranks().together([&] { writeCheckpoint(); });
}

void Trainer::writeCheckpoint() {
  if (options.save.empty() || savedAt == iteration())
    return;
  if (model.ranks().isFirst())
    saveWeights(model, saveRequestOf(options), training.position(), console.progressOfBytes());
  savedAt = iteration();
  console.line(format("iteration %lld saved to %s", (long long)iteration(), printable(options.save, 200).c_str()));
}

void Trainer::logStart() {
  const Manifest &manifest = model.manifest();
  uint64_t arena = txrt_session_arena_bytes(model.session());
  log.write(JsonLine()
                .text("event", "start")
                .text("artifact", model.path())
                .text("digest", model.digest())
                .text("policy", manifest.policy)
                .text("machine", txrt_session_description(model.session()))
                .json("seed", std::to_string(training.position().seed)) // uint64_t, which integer() cannot write
                .integer("step", iteration())
                .integer("global_batch_size", static_cast<int64_t>(training.runner().globalBatchSize()))
                .integer("peak_bytes", static_cast<int64_t>(manifest.peakBytes))
                .integer("allocated_bytes", static_cast<int64_t>(arena)));
  console.line(format("policy %s; %llu x %llu tokens an iteration; %s in the arena, %s "
                      "planned; %s",
                      manifest.policy.empty() ? "unknown" : printable(manifest.policy, 160).c_str(),
                      (unsigned long long)training.runner().globalBatchSize(),
                      (unsigned long long)model.batch().sequence, readableBytes(double(arena)).c_str(),
                      readableBytes(double(manifest.peakBytes)).c_str(), txrt_session_description(model.session())));
}

void Trainer::report(const StepResult &result, double rate, double seconds, bool isLast) {
  double speed = double(result.tokens) / seconds;
  log.write(JsonLine()
                .text("event", "step")
                .integer("step", iteration())
                .number("loss", result.loss)
                .number("grad_norm", result.gradientNorm)
                .number("lr", rate)
                .number("tokens_per_second", speed)
                .number("seconds", seconds)
                .number("ms", seconds * 1e3)
                .integer("valid_count", static_cast<int64_t>(result.validCount))
                .integer("samples", static_cast<int64_t>(training.position().samples))
                .integer("peak_bytes", static_cast<int64_t>(model.manifest().peakBytes))
                .integer("rss_bytes", static_cast<int64_t>(residentBytes())));
  if (iteration() % options.tensorboardInterval == 0)
    addToCurves(result, rate, seconds);

  double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
  double left = elapsed / double(iteration() - first) * double(options.trainIterations - iteration());
  std::string text = format("iteration %*lld/%lld  loss %.4f  grad norm %.3f  lr %.2e  %.1f ms  %.0f "
                            "tokens/s",
                            (int)std::to_string(options.trainIterations).size(), (long long)iteration(),
                            (long long)options.trainIterations, shown(result.loss), shown(result.gradientNorm), rate,
                            seconds * 1e3, speed);
  if (!std::isfinite(result.gradientNorm))
    console.line(text + "  nothing updated");
  else if (iteration() % options.logInterval == 0 || iteration() == options.trainIterations || isLast)
    console.line(text);
  else
    console.progress(text + format("  %.0f s left", left));
}

/// The tags are Megatron's where it has the curve.
void Trainer::addToCurves(const StepResult &result, double rate, double seconds) {
  Scalars scalars = {{"lm loss", result.loss},
                     {"learning-rate", rate},
                     {"grad-norm", double(result.gradientNorm)},
                     {"iteration-time", seconds},
                     {"tokens-per-second", double(result.tokens) / seconds}};
  if (options.tensorboardMemory) {
    scalars.emplace_back("mem-planned-bytes", double(model.manifest().peakBytes));
    scalars.emplace_back("mem-allocated-bytes", double(txrt_session_arena_bytes(model.session())));
    scalars.emplace_back("mem-resident-bytes", double(residentBytes()));
  }
  curves.add(iteration(), scalars);
}

void Trainer::evaluate() {
  const EvaluationResult result = training.evaluate(options.evalIterations);
  model.ranks().together([&] {
    reportEvaluation(result, iteration(), model, console, log);
    curves.add(iteration(), {{"lm loss validation", result.loss}, {"lm loss validation ppl", result.perplexity}});
  });
}

void reportEvaluation(const EvaluationResult &result, int64_t step, const Model &model, Console &console, Log &log) {
  bool bytes = model.batch().vocabulary == 256;
  JsonLine line;
  line.text("event", "evaluation")
      .integer("step", step)
      .number("loss", result.loss)
      .number("perplexity", result.perplexity)
      .number(bytes ? "bits_per_byte" : "bits_per_token", result.bitsPerToken)
      .integer("valid_count", static_cast<int64_t>(result.validCount));
  log.write(line);
  console.line(format("validation loss %.4f  perplexity %.3f  %.4f bits per %s "
                      " (%llu tokens)",
                      shown(result.loss), shown(result.perplexity), shown(result.bitsPerToken),
                      bytes ? "byte" : "token", (unsigned long long)result.validCount));
}

} // namespace txrun
