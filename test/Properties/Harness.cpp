#include "Harness.h"
#include "LaunchTable.h"
#include "train/Safetensors.h"

#include "tx/Frontend/CompileOptions.h"
#include "txrt/runtime.h"

#include "llvm/ADT/StringExtras.h"

#include <array>
#include <cstring>
#include <optional>

using namespace txtest;

std::string txtest::joinFlags(const Flags &flags) { return llvm::join(flags, " "); }

//===--------------------------------------------------------------------------------------------------------------===//
// Compiling
//===--------------------------------------------------------------------------------------------------------------===//

int64_t Step::number(llvm::StringRef field) const { return report.getInteger(field).value_or(-1); }

size_t Step::recomputedOps() const {
  const llvm::json::Array *ops = report.getArray("recomputed");
  return ops ? ops->size() : 0;
}

Step txtest::compileStep(const Flags &flags, const tx::CompileHooks &hooks) {
  Step step;
  std::vector<llvm::StringRef> arguments(flags.begin(), flags.end());
  llvm::Expected<tx::CompileOptions> options = tx::parseCommandLine(arguments);
  if (!options) {
    step.error = llvm::toString(options.takeError());
    return step;
  }
  llvm::Expected<tx::CompiledStep> compiled = tx::compileToMemory(*options, hooks);
  if (!compiled) {
    step.error = llvm::toString(compiled.takeError());
    return step;
  }
  step.artifact.assign(compiled->artifact.begin(), compiled->artifact.end());
  step.report = std::move(compiled->report);
  return step;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Running
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// A session and the manifest's names for its bytes.
class Runner {
public:
  Runner(const Step &step, const RunOptions &options, RunResult &result) : options(options), result(result) {
    txrt_error error;
    if (txrt_artifact_open_memory(step.artifact.data(), step.artifact.size(), "step", &artifact, &error)) {
      result.error = error.message;
      return;
    }
    txrt_options sessionOptions{};
    sessionOptions.backend = options.backend;
    sessionOptions.no_graph = !options.graphed;
    sessionOptions.threads = options.threads;
    if (txrt_session_create(artifact, &sessionOptions, &session, &error)) {
      result.error = error.message;
      return;
    }
    manifest = *llvm::cantFail(llvm::json::parse(txrt_artifact_manifest(artifact))).getAsObject();
  }
  ~Runner() {
    if (session)
      txrt_session_destroy(session);
    if (artifact)
      txrt_artifact_close(artifact);
  }

  void run() {
    if (!result.error.empty())
      return;
    result.device = txrt_session_description(session);
    result.arenaBytes = txrt_session_arena_bytes(session);
    fillParameters();
    keepGlobals("0.", {"parameter"});
    for (int iteration = 1; iteration <= 2 && result.error.empty(); ++iteration)
      runIteration(iteration);
    if (result.error.empty())
      runFused(3);
    if (result.error.empty())
      runEvaluation(4);
    result.allocations = txrt_session_step_allocations(session);
    if (result.error.empty())
      result.strayBytes = countStrayBytes();
  }

private:
  struct Place {
    txrt_segment segment;
    uint64_t offset, bytes;
  };

  static Place locate(const llvm::json::Object &buffer) {
    static const std::map<llvm::StringRef, txrt_segment> segments = {{"persistent", TXRT_SEGMENT_PERSISTENT},
                                                                     {"argument", TXRT_SEGMENT_ARGUMENT},
                                                                     {"saved", TXRT_SEGMENT_SAVED},
                                                                     {"transient", TXRT_SEGMENT_TRANSIENT}};
    return {segments.at(*buffer.getString("segment")), uint64_t(*buffer.getInteger("offset")),
            uint64_t(*buffer.getInteger("bytes"))};
  }

  /// An argument or a result of an entry.
  std::optional<Place> find(llvm::StringRef entry, llvm::StringRef list, llvm::StringRef name) {
    for (const llvm::json::Value &value : *manifest.getArray("entries"))
      if (value.getAsObject()->getString("name") == entry)
        for (const llvm::json::Value &buffer : *value.getAsObject()->getArray(list))
          if (buffer.getAsObject()->getString("name") == name)
            return locate(*buffer.getAsObject());
    return std::nullopt;
  }

  template <typename T> void set(llvm::StringRef entry, llvm::StringRef name, const std::vector<T> &values) {
    if (std::optional<Place> place = find(entry, "arguments", name)) // dropout may be off: no key
      write(*place, values.data());
  }

  void write(const Place &place, const void *from) {
    txrt_error error;
    if (txrt_session_write(session, place.segment, place.offset, place.bytes, from, &error))
      result.error = error.message;
  }

  void keep(const std::string &name, const Place &place) {
    std::vector<char> bytes(place.bytes);
    txrt_error error;
    if (txrt_session_read(session, place.segment, place.offset, place.bytes, bytes.data(), &error))
      result.error = error.message;
    result.values.push_back({name, std::move(bytes)});
  }

  void keepGlobals(const std::string &prefix, llvm::ArrayRef<llvm::StringRef> roles) {
    for (const llvm::json::Value &value : *manifest.getArray("globals")) {
      const llvm::json::Object &global = *value.getAsObject();
      if (!llvm::is_contained(roles, *global.getString("role")))
        continue;
      std::string name = prefix + global.getString("name")->str();
      keep(name, locate(global));
      if (global.getString("dtype") == "bf16")
        result.narrow.insert(name);
    }
  }

  /// What lies between globals was zero, and the optimizer, which goes over it, has to leave it so: the norm of
  /// gradients counts it.
  int64_t countStrayBytes() {
    std::vector<char> state(*manifest.getObject("arena")->getInteger("persistent_bytes"));
    txrt_error error;
    if (txrt_session_read(session, TXRT_SEGMENT_PERSISTENT, 0, state.size(), state.data(), &error))
      result.error = error.message;
    for (const llvm::json::Value &value : *manifest.getArray("globals")) {
      Place place = locate(*value.getAsObject());
      std::fill_n(state.begin() + place.offset, place.bytes, 0);
    }
    return state.size() - std::count(state.begin(), state.end(), 0);
  }

  /// Weights of a size at which every part of the model matters.
  void fillParameters() {
    std::mt19937 random(options.seed);
    std::normal_distribution<float> normal;
    for (const llvm::json::Value &value : *manifest.getArray("globals")) {
      const llvm::json::Object &global = *value.getAsObject();
      if (*global.getString("role") != "parameter")
        continue;
      bool isNormWeight = global.getObject("init")->getString("kind") == "ones";
      Place place = locate(global);
      bool isNarrow = global.getString("dtype") == "bf16";
      std::vector<float> weights(place.bytes / (isNarrow ? 2 : 4));
      for (float &weight : weights)
        weight = (isNormWeight ? 1.0f : 0.0f) + 0.1f * normal(random);
      if (!isNarrow) {
        write(place, weights.data());
        continue;
      }
      std::vector<uint16_t> rounded(weights.size());
      std::transform(weights.begin(), weights.end(), rounded.begin(), txrt_bf16_from_f32);
      write(place, rounded.data());
      for (const llvm::json::Value &value : *manifest.getArray("globals")) {
        const llvm::json::Object &master = *value.getAsObject();
        if (master.getString("role") == "master" && master.getString("of") == global.getString("name"))
          write(locate(master), weights.data());
      }
    }
  }

  void runEntry(llvm::StringRef name) {
    txrt_error error;
    int entry = txrt_session_find_entry(session, name.str().c_str());
    if (entry < 0 || txrt_session_run(session, entry, &error))
      result.error = entry < 0 ? "no entry " + name.str() : std::string(error.message);
  }

  template <typename T> void keep(const std::string &name, const std::vector<T> &values) {
    auto *begin = reinterpret_cast<const char *>(values.data());
    result.values.push_back({name, std::vector<char>(begin, begin + values.size() * sizeof(T))});
  }

  /// Of the model's config, or of the tokens that a model without one takes.
  std::array<int64_t, 3> getSizes() {
    if (const llvm::json::Object *model = manifest.getObject("model"))
      return {*model->getInteger("micro_batch_size"), *model->getInteger("seq_length"),
              *model->getInteger("vocab_size")};
    for (const llvm::json::Value &entry : *manifest.getArray("entries"))
      for (const llvm::json::Value &value : *entry.getAsObject()->getArray("arguments"))
        if (const llvm::json::Object &tokens = *value.getAsObject(); tokens.getString("name") == "tokens") {
          const llvm::json::Array &shape = *tokens.getArray("shape");
          return {*shape[0].getAsInteger(), *shape[1].getAsInteger(), *tokens.getObject("ids")->getInteger("below")};
        }
    result.error = "no tokens";
    return {};
  }

  /// Random tokens and targets, some of which do not count.
  void setBatch(const std::string &prefix, llvm::StringRef entry, int iteration, int microbatch) {
    auto [batch, sequence, vocabulary] = getSizes();
    std::seed_seq seed{static_cast<uint32_t>(options.seed), static_cast<uint32_t>(iteration),
                       static_cast<uint32_t>(microbatch)};
    std::mt19937 random(seed);
    std::vector<int32_t> tokens(batch * sequence), targets(batch * sequence);
    for (size_t i = 0; i < tokens.size(); ++i) {
      tokens[i] = random() % vocabulary;
      targets[i] = random() % 8 ? static_cast<int32_t>(random() % vocabulary) : -100;
    }
    uint32_t sample = ((iteration - 1) * 2 + microbatch) * batch;
    std::vector<uint32_t> key = {options.keySeed, 11, sample, 0};
    set<int32_t>(entry, "tokens", tokens);
    set<int32_t>(entry, "targets", targets);
    set<uint32_t>(entry, "key", key);
    keep(prefix + "tokens", tokens);
    keep(prefix + "targets", targets);
    keep(prefix + "key", key);
    set<uint32_t>(entry, "previous_key", previousKey);
    previousKey = key;
    set<float>(entry, "loss_scale", {options.scaleFactor * lossScaleOf(batch, sequence)});
    set<uint8_t>(entry, "first", {static_cast<uint8_t>(microbatch == 0)});
  }

  void keepResults(const std::string &prefix, llvm::StringRef entry, std::initializer_list<const char *> names) {
    for (const char *name : names)
      if (std::optional<Place> place = find(entry, "results", name))
        keep(prefix + name, *place);
      else
        result.error = "no result " + std::string(name) + " of " + entry.str();
  }

  void runIteration(int iteration) {
    std::string prefix = std::to_string(iteration) + ".";
    for (int microbatch = 0; microbatch < 2; ++microbatch) {
      std::string name = prefix + std::to_string(microbatch) + ".";
      setBatch(name, "microbatch", iteration, microbatch);
      runEntry("microbatch");
      keepResults(name, "microbatch", {"loss_sum", "valid_count"});
    }
    keepGlobals(prefix, {"gradient"});
    set<float>("apply", "lr", {0.01f});
    set<int32_t>("apply", "step", {iteration});
    runEntry("apply");
    keepResults(prefix, "apply", {"grad_norm"});
    keepGlobals(prefix, {"parameter", "moment1", "moment2", "master"});
  }

  /// A microbatch and its update in one entry.
  void runFused(int iteration) {
    std::string prefix = std::to_string(iteration) + ".";
    setBatch(prefix, "step", iteration, 0);
    set<float>("step", "lr", {0.01f});
    set<int32_t>("step", "step", {iteration});
    runEntry("step");
    keepResults(prefix, "step", {"loss_sum", "valid_count", "grad_norm"});
    keepGlobals(prefix, {"gradient"});
    keepGlobals(prefix, {"parameter", "moment1", "moment2", "master"});
  }

  void runEvaluation(int iteration) {
    std::string prefix = std::to_string(iteration) + ".";
    setBatch(prefix, "evaluate", iteration, 0);
    runEntry("evaluate");
    keepResults(prefix, "evaluate", {"loss_sum", "valid_count"});
    if (txrt_session_find_entry(session, "predict") < 0)
      return; // no loss says what it predicts
    setBatch(prefix + "predict.", "predict", iteration, 0);
    auto [batch, sequence, vocabulary] = getSizes();
    std::vector<int32_t> rows(batch);
    for (size_t sample = 0; sample < rows.size(); ++sample)
      rows[sample] = static_cast<int32_t>((iteration + 3 * sample) % sequence);
    set<int32_t>("predict", "row", rows);
    runEntry("predict");
    keepResults(prefix, "predict", {"logits"});
  }

  const RunOptions &options;
  RunResult &result;
  txrt_artifact *artifact = nullptr;
  txrt_session *session = nullptr;
  llvm::json::Object manifest;
  std::vector<uint32_t> previousKey = {0, 0, 0, 0};
};

} // namespace

RunResult txtest::runStep(const Step &step, const RunOptions &options) {
  RunResult result;
  Runner(step, options, result).run();
  return result;
}

float txtest::lossScaleOf(int64_t batch, int64_t sequence) { return 1.0f / static_cast<float>(2 * batch * sequence); }

float RunResult::scalar(llvm::StringRef name) const {
  float value = 0;
  for (const auto &[known, bytes] : values)
    if (known == name)
      memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::vector<float> RunResult::floats(const std::string &name) const {
  if (!narrow.count(name))
    return list<float>(name);
  std::vector<float> wide;
  for (uint16_t bits : list<uint16_t>(name))
    wide.push_back(txrt_bf16_to_f32(bits));
  return wide;
}

std::string txtest::firstDifference(const RunResult &a, const RunResult &b) {
  if (a.values.size() != b.values.size())
    return "the number of values";
  for (size_t i = 0; i < a.values.size(); ++i)
    if (a.values[i] != b.values[i])
      return a.values[i].first;
  return "";
}

//===--------------------------------------------------------------------------------------------------------------===//
// The launch table against the report
//===--------------------------------------------------------------------------------------------------------------===//

static std::string compare(const char *what, int64_t found, int64_t planned) {
  if (found == planned)
    return "";
  return std::string(what) + ": " + std::to_string(found) + " in the launches, " + std::to_string(planned) +
         " in the report; ";
}

std::string txtest::findLaunchFault(const Step &step, const Step &none) {
  int64_t products = 0;
  for (const llvm::json::Value &op : *step.report.getArray("recomputed"))
    products += *op.getAsObject()->getInteger("flops") > 0;
  RecomputeWork work = measureRecompute(step.artifact), without = measureRecompute(none.artifact);
  int64_t vectorFlops = work.vectorFlops - without.vectorFlops;
  int64_t productFlops = step.number("recompute_flops");
  // A flash attention is products and the work between them in one launch.
  std::string flops = compare("all recompute FLOPs", work.productFlops + work.tileFlops + vectorFlops,
                              productFlops + step.number("recompute_vector_flops"));
  if (!work.tileFlops)
    flops += compare("recompute FLOPs", work.productFlops, productFlops);
  // An activation may be replayed in the launch of its gradient, which is one of backward.
  return compare("recomputed products", work.products, products) + flops +
         compare("anything recomputed", work.launches > 0 || vectorFlops > 0, step.recomputedOps() > 0) +
         compare("recomputed within forward", work.early, 0);
}

std::string txtest::findSavedFault(const Step &step) {
  return compare("saved bytes", measureRecompute(step.artifact).savedBytes, step.number("saved_activation_bytes"));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Random models and policies
//===--------------------------------------------------------------------------------------------------------------===//

static int pick(std::mt19937 &random, int low, int high) {
  return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1));
}

/// LLaMA's layers, with what its relatives have: grouped queries, heads of any width, a norm of queries and keys,
/// biases, positions that rotate a part of a head or pairs.
static void makeLlama(std::mt19937 &random, RandomModel &model, int heads) {
  Flags &flags = model.flags;
  auto add = [&](Flags more) { flags.insert(flags.end(), more.begin(), more.end()); };
  add({"--swiglu", "--normalization", "RMSNorm", "--position-embedding-type", "rope", "--kv-channels",
       std::to_string(model.odd ? 2 * (2 * pick(random, 1, 9) + 1) : 16 * pick(random, 1, 3))});
  if (random() % 4)
    add({"--disable-bias-linear"});
  if (heads % 2 == 0 && random() % 2)
    add({"--group-query-attention", "--num-query-groups", std::to_string(heads / 2)});
  model.qkNorm = random() % 2;
  if (model.qkNorm)
    add({"--qk-layernorm"});
  else if (random() % 2)
    add({"--add-qkv-bias"});
  if (random() % 4 == 0)
    add({"--rotary-interleaved"});
  if (random() % 4 == 0)
    add({"--apply-layernorm-1p"});
}

RandomModel txtest::randomModel(std::mt19937 &random, bool dropout, bool odd) {
  RandomModel model;
  model.layers = pick(random, 2, 5);
  model.dropout = dropout;
  model.odd = odd;
  model.flash = random() % 2;
  model.narrow = random() % 2;
  int heads = pick(random, 1, 4);
  int hidden = odd ? heads * (2 * pick(random, 2, 10) + 1) : 16 * heads * pick(random, 1, 2);
  int ffn = odd ? 2 * pick(random, 10, 60) + 1 : 16 * pick(random, 2, 8);
  int sequence = odd ? 2 * pick(random, 3, 12) + 1 : 16;
  if (model.flash) // up to three tiles
    sequence = odd ? 2 * pick(random, 3, 70) + 1 : 16 * pick(random, 1, 9);
  model.flags = {"--num-layers",
                 std::to_string(model.layers),
                 "--hidden-size",
                 std::to_string(hidden),
                 "--num-attention-heads",
                 std::to_string(heads),
                 "--ffn-hidden-size",
                 std::to_string(ffn),
                 "--seq-length",
                 std::to_string(sequence),
                 "--max-position-embeddings",
                 std::to_string(sequence + pick(random, 0, 3)),
                 "--micro-batch-size",
                 std::to_string(pick(random, 1, 3)),
                 "--vocab-size",
                 std::to_string(odd ? 2 * pick(random, 5, 40) + 1 : 64),
                 "--attention-dropout",
                 dropout ? "0.1" : "0",
                 "--hidden-dropout",
                 dropout ? "0.2" : "0",
                 model.narrow ? "--bf16" : "--fp32",
                 "--attention-backend",
                 model.flash ? "flash" : "unfused"};
  if (random() % 2)
    model.flags.push_back("--untie-embeddings-and-output-weights");
  if (random() % 2)
    makeLlama(random, model, heads);
  else if (random() % 4 == 0)
    model.flags.push_back("--disable-bias-linear");
  return model;
}

Flags txtest::randomPolicy(std::mt19937 &random, const RandomModel &model) {
  auto number = [&](int low, int high) { return std::to_string(pick(random, low, high)); };
  Flags modules;
  auto someModules = [&]() {
    std::vector<std::string> names = {"core_attn", "mlp", "layernorm", "mlp_act"};
    if (model.qkNorm)
      names.push_back("qk_norm");
    std::vector<std::string> chosen;
    // By itself, it frees next to nothing of a flash attention.
    while (chosen.empty() || (model.flash && chosen == std::vector<std::string>{"core_attn"})) {
      chosen.clear();
      for (const std::string &name : names)
        if (random() % 2)
          chosen.push_back(name);
    }
    return Flags{"--recompute-granularity", "selective", "--recompute-modules", llvm::join(chosen, ",")};
  };
  auto someLayers = [&]() {
    int first = pick(random, 0, model.layers - 1), last = pick(random, first, model.layers - 1);
    return first == last ? std::to_string(first) : std::to_string(first) + "-" + std::to_string(last);
  };
  switch (random() % 6) {
  case 0:
    return someModules();
  case 1:
    return {"--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers",
            number(1, model.layers)};
  case 2:
    return {"--recompute-granularity", "full", "--recompute-method", "block", "--recompute-num-layers",
            number(1, model.layers)};
  case 3: {
    Flags flags = someModules();
    flags.insert(flags.end(), {"--recompute-method", "block", "--recompute-num-layers", number(1, model.layers)});
    return flags;
  }
  case 4: {
    Flags flags = random() % 2 ? someModules() : Flags{"--recompute-granularity", "full"};
    flags.insert(flags.end(), {"--recompute-layers", someLayers()});
    return flags;
  }
  default: {
    std::vector<std::string> saved = {"self_attention.qkv",      "mlp_residual",
                                      "self_attention.residual", "mlp.fc1",
                                      "layernorm.input",         "self_attention.core_attn"};
    return {"--recompute-save-only", saved[random() % saved.size()] + "," + saved[random() % 2]};
  }
  }
}
