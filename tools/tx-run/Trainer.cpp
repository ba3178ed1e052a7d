//===- Trainer.cpp - Iterations until the work is done ------------------------------------------------------------===//

#include "Trainer.h"
#include "Error.h"
#include "Interrupt.h"
#include "Memory.h"
#include "Resume.h"
#include "Trace.h"

#include <algorithm>
#include <cmath>

namespace txrun {

// How long an iteration may go on after a signal, so that it is saved: the first one is not known yet, others take
// about as long as the slowest so far.
static constexpr double leastPatience = 60, slownessPatience = 10;

Trainer::Trainer(const Options &options, const Model &model, SampleSource &training, SampleSource *validation,
                 RunPosition position, Console &console, Log &log)
    : options(options), model(model), position(position), console(console), log(log),
      runner(model, training, options.globalBatchSize > 0 ? static_cast<uint64_t>(options.globalBatchSize) : 0,
             position.seed, options.checkForNan),
      first(position.iteration) {
  if (first < options.trainIterations) { // else they stay what they were
    model.ranks().together([&] {
      schedule = resumeSchedule(options, position.settings, runner.globalBatchSize(), console);
      if (first > 0 && position.settings.empty())
        console.line("note: the checkpoint does not say with which schedule it "
                     "was trained");
    });
    this->position.settings = settingsOf(options, schedule, runner.globalBatchSize());
  }
  if (options.evalInterval > 0 && validation)
    evaluator = std::make_unique<Evaluator>(model, *validation);
}

ExitCode Trainer::run() {
  model.ranks().together([&] { logStart(); });
  if (position.iteration >= options.trainIterations && first > 0)
    console.line(format("%s stands at iteration %lld, so none of the %lld is "
                        "left to train",
                        printable(options.load, 200).c_str(), (long long)first, (long long)options.trainIterations));
  began = Clock::now();
  Ranks &ranks = model.ranks();
  Patience patience(leastPatience);
  double slowest = 0;
  bool stopped = ranks.interrupted();
  while (position.iteration < options.trainIterations && !stopped) {
    double rate = schedule.at(position.iteration);
    const bool traced = isTraced();
    txrt_session_profile(model.session(), traced);
    Clock::time_point start = Clock::now();
    StepResult result = runner.run(position.samples, position.iteration + 1, rate);
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    slowest = std::max(slowest, seconds);
    patience.set(std::max(leastPatience, slownessPatience * slowest));
    ++position.iteration;
    position.samples += runner.globalBatchSize();
    stopped = ranks.interrupted();
    if (traced)
      ranks.together([&] {
        if (ranks.isFirst())
          writeTrace(model, runner.entries(), options.trace, console);
      });
    try {
      ranks.together([&] { report(result, rate, seconds, stopped); });
      if (evaluator && position.iteration % options.evalInterval == 0)
        evaluate();
    } catch (const Error &error) {
      // Nobody watches any more, or the log's disk is full: what was trained is kept.
      Patience writing(Patience::endless);
      if (error.code == ExitCode::Io)
        writeCheckpoint();
      throw;
    }
    if (options.saveInterval > 0 && position.iteration % options.saveInterval == 0)
      save();
  }
  // What is written is what the run was for; other ranks wait for it.
  Patience writing(Patience::endless);
  if (!options.dumpGradients.empty() && position.iteration > first)
    ranks.together([&] {
      if (ranks.isFirst())
        dumpGradients(model, options.dumpGradients);
      console.line("gradients of iteration " + std::to_string(position.iteration) + " written to " +
                   printable(options.dumpGradients, 200));
    });
  save();
  if (!stopped)
    return ExitCode::Ok;
  console.line(format("interrupted after iteration %lld of %lld%s", (long long)position.iteration,
                      (long long)options.trainIterations,
                      options.save.empty()    ? "; nothing is saved without --save"
                      : options.saveOptimizer ? "; --load continues"
                                              : "; --load begins again from these weights, "
                                                "--save-optim would have let it continue"));
  return ExitCode::Interrupted;
}

/// The second iteration of this run, if there is one: the first is not yet warm.
bool Trainer::isTraced() const {
  if (options.trace.empty())
    return false;
  return position.iteration == std::min(first + 1, options.trainIterations - 1);
}

void Trainer::save() {
  Patience writing(Patience::endless);
  model.ranks().together([&] { writeCheckpoint(); });
}

void Trainer::writeCheckpoint() {
  if (options.save.empty() || savedAt == position.iteration)
    return;
  if (model.ranks().isFirst())
    saveWeights(model, options.save, position, options.saveOptimizer);
  savedAt = position.iteration;
  console.line(
      format("iteration %lld saved to %s", (long long)position.iteration, printable(options.save, 200).c_str()));
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
                .json("seed", std::to_string(position.seed)) // of 64 bits
                .integer("step", position.iteration)
                .integer("global_batch_size", static_cast<int64_t>(runner.globalBatchSize()))
                .integer("peak_bytes", static_cast<int64_t>(manifest.peakBytes))
                .integer("allocated_bytes", static_cast<int64_t>(arena)));
  console.line(format("policy %s; %llu x %llu tokens an iteration; %s in the arena, %s "
                      "planned; %s",
                      manifest.policy.empty() ? "unknown" : printable(manifest.policy, 160).c_str(),
                      (unsigned long long)runner.globalBatchSize(), (unsigned long long)model.batch().sequence,
                      humanBytes(double(arena)).c_str(), humanBytes(double(manifest.peakBytes)).c_str(),
                      txrt_session_description(model.session())));
}

void Trainer::report(const StepResult &result, double rate, double seconds, bool isLast) {
  double speed = double(result.tokens) / seconds;
  log.write(JsonLine()
                .text("event", "step")
                .integer("step", position.iteration)
                .number("loss", result.loss)
                .number("grad_norm", result.gradientNorm)
                .number("lr", rate)
                .number("tokens_per_second", speed)
                .number("seconds", seconds)
                .number("ms", seconds * 1e3)
                .integer("valid_count", static_cast<int64_t>(result.validCount))
                .integer("samples", static_cast<int64_t>(position.samples))
                .integer("peak_bytes", static_cast<int64_t>(model.manifest().peakBytes))
                .integer("rss_bytes", static_cast<int64_t>(residentBytes())));

  double elapsed = std::chrono::duration<double>(Clock::now() - began).count();
  double left = elapsed / double(position.iteration - first) * double(options.trainIterations - position.iteration);
  std::string text = format("iteration %*lld/%lld  loss %.4f  grad norm %.3f  lr %.2e  %.1f ms  %.0f "
                            "tokens/s",
                            (int)std::to_string(options.trainIterations).size(), (long long)position.iteration,
                            (long long)options.trainIterations, shown(result.loss), shown(result.gradientNorm), rate,
                            seconds * 1e3, speed);
  if (!std::isfinite(result.gradientNorm))
    console.line(text + "  nothing updated");
  else if (position.iteration % options.logInterval == 0 || position.iteration == options.trainIterations || isLast)
    console.line(text);
  else
    console.progress(text + format("  %.0f s left", left));
}

void Trainer::evaluate() {
  const EvaluationResult result = evaluator->run(options.evalIterations);
  model.ranks().together([&] { reportEvaluation(result, position.iteration, model, console, log); });
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
