//===- main.cpp - The whole way, shown ----------------------------------------------------------------------------===//
//
// tx-demo drives tx-compile and tx-run as a person would, keeps their files, and prints only what it reads from those
// files. tools/demo builds and runs it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Bigram.h"
#include "Model.h"
#include "Results.h"

#include <chrono>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <filesystem>

using namespace txdemo;
namespace fs = std::filesystem;

namespace {

constexpr int comparedSteps = 30;

struct Options {
  bool quick = false;
  std::string data, out, bin, bigram;
};

const char *const help = "tx-demo [--quick] --data TEXT --out FOLDER [--bin FOLDER]\n"
                         "tx-demo --bigram TEXT\n\n"
                         "Compiles a byte-level GPT, trains it on a text, runs it under every kind of\n"
                         "recompute policy, compares all bits, and prints a table and a sample.\n\n"
                         "  --quick       a smaller model: about a minute\n"
                         "  --data TEXT   the text; its first 90 % train, the rest validates\n"
                         "  --out FOLDER  where artifacts, reports, logs and weights go\n"
                         "  --bin FOLDER  where tx-compile and tx-run are (beside this program)\n"
                         "  --bigram TEXT only print the bigram entropy of the text's first 90 %\n";

Options parse(int argc, char **argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    std::string *value = flag == "--data"     ? &options.data
                         : flag == "--out"    ? &options.out
                         : flag == "--bin"    ? &options.bin
                         : flag == "--bigram" ? &options.bigram
                                              : nullptr;
    if (flag == "--help" || flag == "-h") {
      std::fputs(help, stdout);
      std::exit(0);
    }
    if (flag == "--quick")
      options.quick = true;
    else if (!value)
      throw Failure(2, "unknown argument '" + flag + "'; see tx-demo --help");
    else if (++i == argc)
      throw Failure(2, flag + " needs a value");
    else
      *value = argv[i];
  }
  if (options.bigram.empty() && (options.data.empty() || options.out.empty()))
    throw Failure(2, "--data and --out are needed; see tx-demo --help");
  if (options.bin.empty())
    options.bin = fs::read_symlink("/proc/self/exe").parent_path();
  return options;
}

std::string format(const char *form, ...) __attribute__((format(printf, 1, 2)));
std::string format(const char *form, ...) {
  char text[256];
  va_list arguments;
  va_start(arguments, form);
  std::vsnprintf(text, sizeof text, form, arguments);
  va_end(arguments);
  return text;
}

/// The bigram entropy of the training part of the text, split off as tx-run does it.
double trainingEntropy(const std::string &path) {
  std::string text = readFile(path);
  return bigramEntropy(text.substr(0, size_t(double(text.size()) * 0.9)));
}

class Demo {
public:
  explicit Demo(const Options &options)
      : options(options), model(demoModel(options.quick)), policies(demoPolicies(model)) {}

  /// Runs the demo and returns its exit code.
  int run() {
    auto start = std::chrono::steady_clock::now();
    fs::create_directories(options.out);
    double entropy = trainingEntropy(options.data);
    std::printf("[1/4] The text: %s, %ju bytes. A byte after its predecessor "
                "has %.4f nats\n      (bigram entropy of the training 90 %%).\n",
                options.data.c_str(), uintmax_t(fs::file_size(options.data)), entropy);
    compile();
    bool learnt = train(entropy);
    bool same = compare();
    std::printf("\nA sample of the trained model's text:\n\n%s\n\n", sample().c_str());
    std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("All files are in %s. %s%.0f s in all.\n", options.out.c_str(),
                options.quick ? "This was --quick: a small model. " : "", seconds.count());
    return !learnt ? 1 : !same ? 6 : 0;
  }

private:
  std::string file(const std::string &stem, const char *ending) const { return options.out + "/" + stem + ending; }

  void compileOne(const std::string &stem, int microBatch, const Command &policy) {
    Command command = {options.bin + "/tx-compile"};
    for (const Command &flags : {model.flags(microBatch), policy})
      command.insert(command.end(), flags.begin(), flags.end());
    command.insert(command.end(), {"-o", file(stem, ".txa"), "--report", file(stem, ".json")});
    runQuietly(command, file(stem, ".compile.log"));
  }

  void compile() {
    std::printf("[2/4] Compiling the training step under %zu policies:\n", policies.size());
    for (const Policy &policy : policies) {
      auto start = std::chrono::steady_clock::now();
      compileOne(policy.file, model.batch, policy.flags);
      std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      plans.push_back(readPlan(file(policy.file, ".json")));
      std::printf("      %-34s %5.1f s, planned peak %s\n", policy.name.c_str(), seconds.count(),
                  mebibytes(plans.back().peakBytes).c_str());
      std::fflush(stdout);
    }
  }

  bool train(double entropy) {
    std::printf("[3/4] Training %.1f million parameters for %d steps of %d "
                "bytes, with policy %s:\n",
                double(plans[0].parameterBytes) / 4e6, model.trainIterations, model.batch * model.sequence,
                policies[0].name.c_str());
    std::string log = fresh("train", ".jsonl");
    txdemo::run({options.bin + "/tx-run", file(policies[0].file, ".txa"), "--data-path", options.data, "--train-iters",
                 std::to_string(model.trainIterations), "--lr", model.learningRate, "--lr-warmup-iters",
                 std::to_string(model.warmup), "--lr-decay-style", "cosine", "--eval-interval",
                 std::to_string(model.evalInterval), "--log", log, "--save", file("model", ".safetensors")});
    Run result = readRun(log);
    if (result.evaluations.empty())
      throw Failure(1, log + ": has no evaluation");
    double last = result.evaluations.back().loss;
    for (const Run::Evaluation &evaluation : result.evaluations) {
      if (evaluation.loss >= entropy)
        continue;
      std::printf("      The validation loss was below the bigram entropy "
                  "(%.4f < %.4f) at step %ju;\n      after all %d steps it is "
                  "%.4f.\n",
                  evaluation.loss, entropy, uintmax_t(evaluation.step), model.trainIterations, last);
      break;
    }
    if (last >= entropy)
      std::printf("      FAILED: the validation loss %.4f is not below the "
                  "bigram entropy %.4f.\n",
                  last, entropy);
    return last < entropy;
  }

  /// Trains under each policy, from the same weights, with the same data and dropout, and compares with `none`.
  bool compare() {
    std::printf("[4/4] %d identical steps under each policy:\n", comparedSteps);
    std::vector<std::vector<std::string>> rows = {{"policy", "planned peak", "allocated", "of none", "recompute",
                                                   "ms/step", "loss at " + std::to_string(comparedSteps), "bits"}};
    bool allSame = true, allAsPlanned = true;
    Run none;
    for (size_t i = 0; i < policies.size(); ++i) {
      const std::string &stem = policies[i].file;
      std::string log = fresh(stem, ".jsonl");
      runQuietly({options.bin + "/tx-run", file(stem, ".txa"), "--data-path", options.data, "--train-iters",
                  std::to_string(comparedSteps), "--lr", model.learningRate, "--lr-decay-style", "constant", "--log",
                  log, "--dump-gradients", file(stem, ".gradients.safetensors"), "--save",
                  file(stem, ".weights.safetensors"), "--save-optim"},
                 file(stem, ".run.log"));
      Run result = readRun(log);
      if (i == 0)
        none = result;
      bool same = result.losses == none.losses && result.gradientNorms == none.gradientNorms &&
                  result.losses.size() == size_t(comparedSteps) && sameAsNone(stem, ".gradients.safetensors") &&
                  sameAsNone(stem, ".weights.safetensors");
      allSame &= same;
      allAsPlanned &= result.allocatedBytes == plans[i].peakBytes;
      rows.push_back({policies[i].name, mebibytes(plans[i].peakBytes), mebibytes(result.allocatedBytes),
                      format("%.0f %%", 100.0 * double(plans[i].peakBytes) / double(plans[0].peakBytes)),
                      format("%.2f GFLOP (%.1f %%)", plans[i].recomputeFlops / 1e9,
                             100 * plans[i].recomputeFlops / (plans[i].forwardFlops + plans[i].backwardFlops)),
                      format("%.1f", result.medianStepMs), format("%.7f", result.losses.back()),
                      i == 0 ? "-"
                      : same ? "same"
                             : "DIFFER"});
      std::printf("      %-34s %6.1f ms a step\n", policies[i].name.c_str(), result.medianStepMs);
      std::fflush(stdout);
    }
    std::printf("\n%s\n", table(rows).c_str());
    std::printf(allSame ? "Bit-identical: under every policy the loss and the gradient "
                          "norm of all %d steps,\nevery gradient of the last step, and "
                          "all weights and optimizer state after it have\nthe same bits "
                          "as under none.\n"
                        : "FAILED: within %d steps some policy changed bits of losses, "
                          "gradients, weights or\noptimizer state.\n",
                comparedSteps);
    std::puts(allAsPlanned ? "Allocated bytes equal planned bytes for every policy."
                           : "FAILED: allocated bytes differ from planned bytes.");
    return allSame && allAsPlanned;
  }

  std::string sample() {
    // Compiles for a microbatch of one row: computing a whole batch for each letter would take minutes.
    compileOne("sample", /*microBatch=*/1, policies[0].flags);
    std::string output = file("sample", ".txt");
    runQuietly({options.bin + "/tx-run", file("sample", ".txa"), "--load", file("model", ".safetensors"), "--sample",
                "500", "--temperature", "0.8", "--prompt", "And God said"},
               output);
    return readFile(output);
  }

  /// The name of a file, which it removes if it exists: tx-run appends to logs, and lines of an earlier run must not
  /// count.
  std::string fresh(const std::string &stem, const char *ending) const {
    fs::remove(file(stem, ending));
    return file(stem, ending);
  }

  bool sameAsNone(const std::string &stem, const char *ending) const {
    return sameBytes(file(stem, ending), file(policies[0].file, ending));
  }

  const Options options;
  const Model model;
  const std::vector<Policy> policies;
  std::vector<Plan> plans;
};

} // namespace

int main(int argc, char **argv) {
  try {
    Options options = parse(argc, argv);
    if (options.bigram.empty())
      return Demo(options).run();
    double entropy = trainingEntropy(options.bigram);
    std::printf("%.4f nats, %.4f bits\n", entropy, entropy / std::log(2.0));
    return 0;
  } catch (const Failure &failure) {
    std::fflush(stdout);
    std::fprintf(stderr, "tx-demo: error: %s\n", failure.what());
    return failure.code;
  } catch (const fs::filesystem_error &error) {
    std::fflush(stdout);
    std::fprintf(stderr, "tx-demo: error: %s\n", error.what());
    return 7;
  }
}
