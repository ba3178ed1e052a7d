//===- FakeRuntime.cpp - A bigram model in place of an artifact ---------------------------------------------------===//

#include "FakeRuntime.h"

#include "core/Failure.h"
#include "core/Manifest.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

using nlohmann::json;

namespace {

struct Layout {
  json manifest = json::object();
  uint64_t sizes[4] = {};

  json tensor(const char *name, const char *dtype, std::vector<uint64_t> shape, int segment) {
    static const char *const names[] = {"persistent", "argument", "saved", "transient"};
    uint64_t bytes = std::strcmp(dtype, "i1") == 0 ? 1 : std::strcmp(dtype, "bf16") == 0 ? 2 : 4;
    for (uint64_t size : shape)
      bytes *= size;
    json value = {{"name", name},   {"dtype", dtype},          {"shape", shape}, {"segment", names[segment]},
                  {"bytes", bytes}, {"offset", sizes[segment]}};
    sizes[segment] = (sizes[segment] + bytes + 63) / 64 * 64;
    return value;
  }
};

} // namespace

std::string fakeArtifact(const FakeModel &model) {
  Layout layout;
  auto v = static_cast<uint64_t>(model.vocabulary);
  auto s = static_cast<uint64_t>(model.sequence);
  auto b = static_cast<uint64_t>(model.microBatch);
  json globals = json::array();
  std::vector<std::pair<const char *, const char *>> kinds = {
      {"", "parameter"}, {".grad", "gradient"}, {".exp_avg", "moment1"}};
  if (model.secondMoment)
    kinds.push_back({".exp_avg_sq", "moment2"});
  if (model.narrow)
    kinds.push_back({".master", "master"});
  for (const auto &kind : kinds) {
    std::string name = std::string("transformer.wte.weight") + kind.first;
    json global = layout.tensor(name.c_str(), model.narrow && !*kind.first ? "bf16" : "f32", {v, v}, 0);
    global["role"] = kind.second;
    if (*kind.first)
      global["of"] = "transformer.wte.weight";
    else
      global["init"] = {{"kind", "normal"}, {"stddev", 0.02}};
    globals.push_back(global);
  }
  json tokens = layout.tensor("tokens", "i32", {b, s}, 1);
  json targets = layout.tensor("targets", "i32", {b, s}, 1);
  tokens["ids"] = {{"below", v}};
  targets["ids"] = {{"below", v}, {"ignored", -100}};
  json key = layout.tensor("key", "i32", {4}, 1);
  json scale = layout.tensor("loss_scale", "f32", {}, 1);
  json first = layout.tensor("first", "i1", {}, 1);
  // On purpose at the same place as the tokens.
  json lr = tokens, step = targets;
  for (json *scalar : {&lr, &step}) {
    (*scalar)["shape"] = json::array();
    (*scalar)["bytes"] = 4;
    scalar->erase("ids");
  }
  lr["name"] = "lr";
  lr["dtype"] = "f32";
  step["name"] = "step";
  json ownLr = layout.tensor("lr", "f32", {}, 1);
  json ownStep = layout.tensor("step", "i32", {}, 1);
  json loss = layout.tensor("loss_sum", "f32", {}, 3);
  json valid = layout.tensor("valid_count", "f32", {}, 3);
  json norm = layout.tensor("grad_norm", "f32", {}, 3);
  json row = layout.tensor("row", "i32", {b}, 1);
  row["ids"] = {{"below", s}};
  json logits = layout.tensor("logits", "f32", {b, v}, 3);
  json entries = {
      {{"name", "microbatch"}, {"arguments", {tokens, targets, key, scale, first}}, {"results", {loss, valid}}},
      {{"name", "apply"}, {"arguments", {lr, step}}, {"results", {norm}}},
      {{"name", "step"},
       {"arguments", {tokens, targets, key, scale, first, ownLr, ownStep}},
       {"results", {loss, valid, norm}}},
      {{"name", "evaluate"}, {"arguments", {tokens, targets}}, {"results", {loss, valid}}},
      {{"name", "predict"}, {"arguments", {tokens, row}}, {"results", json::array({logits})}}};
  if (!model.fused)
    entries.erase(2);
  uint64_t total = 0;
  for (uint64_t size : layout.sizes)
    total += size;
  json manifest = {{"format", "tx-artifact"},
                   {"abi_version", TXRT_ABI_VERSION},
                   {"target", {{"backend", "host"}, {"triple", "fake"}, {"features", json::array()}}},
                   {"compiler", "fake"},
                   {"arena",
                    {{"persistent_bytes", layout.sizes[0]},
                     {"argument_bytes", layout.sizes[1]},
                     {"saved_bytes", layout.sizes[2]},
                     {"transient_bytes", layout.sizes[3]}}},
                   {"report", {{"peak_bytes", total}}},
                   {"model", {{"type", "gpt2"}, {"num_layers", 1}, {"tied", model.tied}}},
                   {"weights",
                    {{"prefix", "transformer."},
                     {"tied", model.tied ? json{{"lm_head.weight", "transformer.wte.weight"}} : json::object()},
                     {"ignored", {"*.attn.bias", "*.attn.masked_bias"}},
                     {"config", {{"model_type", "gpt2"}, {"vocab_size", v}, {"torch_dtype", "float32"}}}}},
                   {"seed", 1234},
                   {"policy", {{"description", model.policy}}},
                   {"fake", json::parse(model.faults)},
                   {"globals", globals},
                   {"entries", entries}};
  return manifest.dump();
}

struct txrt_artifact {
  std::string text;
  json manifest;
  txrt::Manifest read;
};

const txrt::Manifest &txrt::manifestOf(const txrt_artifact *artifact) { return artifact->read; }

struct txrt_session {
  const txrt_artifact *artifact;
  std::vector<unsigned char> segments[4];
  std::map<std::string, json> tensors; // by entry and name, or global's name
  int microbatches = 0;

  template <typename T> T *at(const std::string &name) {
    const json &tensor = tensors.at(name);
    static const std::map<std::string, int> index = {
        {"persistent", 0}, {"argument", 1}, {"saved", 2}, {"transient", 3}};
    return reinterpret_cast<T *>(segments[index.at(tensor["segment"].get<std::string>())].data() +
                                 tensor["offset"].get<uint64_t>());
  }
  int fault(const char *name) { return artifact->manifest["fake"].value(name, -1); }
  void forward(const std::string &entry, bool backward);
  void predict();
  void apply(const std::string &entry);
};

void txrt_session::forward(const std::string &entry, bool backward) {
  const json &shape = tensors.at(entry + ".tokens")["shape"];
  int v = tensors.at("transformer.wte.weight")["shape"][0], rows = shape[0].get<int>() * shape[1].get<int>();
  const int32_t *tokens = at<int32_t>(entry + ".tokens");
  const int32_t *targets = at<int32_t>(entry + ".targets");
  const float *w = at<float>("transformer.wte.weight");
  float *gradient = at<float>("transformer.wte.weight.grad");
  float scale = backward ? *at<float>(entry + ".loss_scale") : 0;
  if (backward && *at<bool>(entry + ".first"))
    std::memset(gradient, 0, sizeof(float) * v * v);
  double loss = 0;
  int valid = 0;
  for (int row = 0; row < rows; ++row) {
    const float *logits = w + tokens[row] * v;
    if (targets[row] < 0)
      continue;
    double sum = 0;
    for (int i = 0; i < v; ++i)
      sum += std::exp(logits[i]);
    loss += std::log(sum) - logits[targets[row]];
    ++valid;
    if (backward)
      for (int i = 0; i < v; ++i)
        gradient[tokens[row] * v + i] += static_cast<float>(scale * (std::exp(logits[i]) / sum - (i == targets[row])));
  }
  *at<float>(entry + ".loss_sum") = static_cast<float>(loss);
  *at<float>(entry + ".valid_count") = static_cast<float>(valid);
  if (!backward)
    return;
  ++microbatches;
  bool transient = artifact->manifest["fake"].value("transient", false);
  auto hit = [&](const char *name) {
    int when = fault(name);
    return when > 0 && (microbatches == when || (!transient && microbatches == when + 1));
  };
  if (hit("nan_loss_at") || hit("nan_loss_alone_at"))
    *at<float>(entry + ".loss_sum") = NAN;
  if (hit("nan_loss_at"))
    gradient[0] = NAN;
  if (hit("nan_gradient_at"))
    gradient[5] = NAN;
  if (microbatches == fault("flip_at"))
    reinterpret_cast<unsigned char *>(gradient)[7 * 4] ^= 1;
}

void txrt_session::predict() {
  const json &shape = tensors.at("predict.tokens")["shape"];
  int v = tensors.at("transformer.wte.weight")["shape"][0], samples = shape[0], sequence = shape[1];
  const int32_t *tokens = at<int32_t>("predict.tokens"), *row = at<int32_t>("predict.row");
  for (int sample = 0; sample < samples; ++sample)
    std::memcpy(at<float>("predict.logits") + sample * v,
                at<float>("transformer.wte.weight") + tokens[sample * sequence + row[sample]] * v, sizeof(float) * v);
}

void txrt_session::apply(const std::string &entry) {
  int v = tensors.at("transformer.wte.weight")["shape"][0];
  float lr = *at<float>(entry + ".lr");
  float *w = at<float>("transformer.wte.weight");
  float *gradient = at<float>("transformer.wte.weight.grad");
  float *momentum = at<float>("transformer.wte.weight.exp_avg");
  double norm = 0;
  for (int i = 0; i < v * v; ++i)
    norm += double(gradient[i]) * gradient[i];
  for (int i = 0; std::isfinite(norm) && i < v * v; ++i) {
    momentum[i] = 0.9f * momentum[i] + gradient[i];
    w[i] -= lr * momentum[i];
  }
  *at<float>(entry + ".grad_norm") = static_cast<float>(std::sqrt(norm));
}

static txrt_status refuse(txrt_error *error, const std::string &message) {
  error->code = TXRT_BAD_INPUT;
  std::snprintf(error->message, sizeof error->message, "%s", message.c_str());
  return TXRT_BAD_INPUT;
}

extern "C" {

txrt_status txrt_artifact_open(const char *path, txrt_artifact **artifact, txrt_error *error) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  json manifest = json::parse(text, nullptr, false);
  if (manifest.is_discarded())
    return refuse(error, std::string(path) + ": is no artifact");
  return txrt::guarded(error, [&] { *artifact = new txrt_artifact{text, manifest, txrt::readManifest(path, text)}; });
}

void txrt_artifact_close(txrt_artifact *artifact) { delete artifact; }

const char *txrt_artifact_manifest(const txrt_artifact *artifact) { return artifact->text.c_str(); }

const char *txrt_backend_name(int index) {
  static const char *const names[] = {"host", "cuda", "dryrun", nullptr};
  return names[index];
}
const char *txrt_artifact_backend(const txrt_artifact *) { return "host"; }
const char *txrt_artifact_digest(const txrt_artifact *) { return "0"; }
txrt_status txrt_artifact_print_memory_map(const txrt_artifact *, const char *, FILE *, txrt_error *) {
  return TXRT_OK;
}

txrt_status txrt_artifact_visit_memory(const txrt_artifact *, int, void (*)(void *, const txrt_memory_block *), void *,
                                       txrt_error *) {
  return TXRT_OK;
}

txrt_status txrt_session_create(const txrt_artifact *artifact, const txrt_options *, txrt_session **session,
                                txrt_error *) {
  auto *made = new txrt_session{};
  made->artifact = artifact;
  const json &arena = artifact->manifest["arena"];
  const char *const names[] = {"persistent_bytes", "argument_bytes", "saved_bytes", "transient_bytes"};
  for (int i = 0; i < 4; ++i)
    made->segments[i].resize(arena[names[i]].get<uint64_t>());
  for (const json &global : artifact->manifest["globals"])
    made->tensors[global["name"]] = global;
  for (const json &entry : artifact->manifest["entries"])
    for (const char *side : {"arguments", "results"})
      for (const json &tensor : entry[side])
        made->tensors[entry["name"].get<std::string>() + "." + tensor["name"].get<std::string>()] = tensor;
  *session = made;
  return TXRT_OK;
}

void txrt_session_destroy(txrt_session *session) { delete session; }
const char *txrt_session_description(const txrt_session *) { return "fake"; }
int txrt_session_threads(const txrt_session *) { return 2; }

uint64_t txrt_session_arena_bytes(const txrt_session *session) {
  uint64_t total = 0;
  for (const auto &segment : session->segments)
    total += segment.size();
  return total;
}

txrt_status txrt_session_device_memory(const txrt_session *, txrt_device_memory *memory, txrt_error *) {
  *memory = {};
  return TXRT_OK;
}

txrt_status txrt_session_write(txrt_session *session, txrt_segment segment, uint64_t offset, uint64_t bytes,
                               const void *from, txrt_error *error) {
  auto &data = session->segments[segment];
  if (offset > data.size() || bytes > data.size() - offset)
    return refuse(error, "outside");
  std::memcpy(data.data() + offset, from, bytes);
  return TXRT_OK;
}

txrt_status txrt_session_read(const txrt_session *session, txrt_segment segment, uint64_t offset, uint64_t bytes,
                              void *to, txrt_error *error) {
  const auto &data = session->segments[segment];
  if (offset > data.size() || bytes > data.size() - offset)
    return refuse(error, "outside");
  std::memcpy(to, data.data() + offset, bytes);
  return TXRT_OK;
}

int txrt_session_find_entry(const txrt_session *, const char *name) {
  std::string text = name;
  return text == "microbatch" ? 0
         : text == "apply"    ? 1
         : text == "evaluate" ? 2
         : text == "step"     ? 3
         : text == "predict"  ? 4
                              : -1;
}

txrt_status txrt_session_run(txrt_session *session, int entry, txrt_error *) {
  if (entry == 0)
    session->forward("microbatch", true);
  if (entry == 1)
    session->apply("apply");
  if (entry == 2)
    session->forward("evaluate", false);
  if (entry == 3) {
    session->forward("step", true);
    session->apply("step");
  }
  if (entry == 4)
    session->predict();
  return TXRT_OK;
}

int64_t txrt_session_step_allocations(const txrt_session *) { return 0; }
int txrt_session_entry_count(const txrt_session *) { return 5; }
int txrt_session_launch_count(const txrt_session *, int) { return 1; }

txrt_status txrt_session_launch_info(const txrt_session *session, int entry, int, txrt_launch_info *info,
                                     txrt_error *) {
  *info = {};
  info->name = info->kernel = "bigram";
  info->phase = entry == 1                                                       ? TXRT_PHASE_OPTIMIZER
                : session->artifact->manifest["policy"]["description"] == "none" ? TXRT_PHASE_FORWARD
                                                                                 : TXRT_PHASE_RECOMPUTE;
  info->layer = -1;
  info->seconds = 0.001;
  info->runs = 5;
  return TXRT_OK;
}

void txrt_session_profile(txrt_session *, int) {}

} // extern "C"
