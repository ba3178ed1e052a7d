//===- Sampler.cpp - Text that the model continues ----------------------------------------------------------------===//

#include "Sampler.h"
#include "Error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace txrun {

int32_t drawToken(const float *logits, size_t vocabulary, double temperature, int64_t topK, double uniform,
                  std::vector<int32_t> &order) {
  order.resize(vocabulary);
  std::iota(order.begin(), order.end(), 0);
  // Of equal logits the smaller id counts as larger, so that the result is unique.
  auto larger = [&](int32_t a, int32_t b) { return logits[a] != logits[b] ? logits[a] > logits[b] : a < b; };
  size_t kept = topK > 0 ? std::min<size_t>(static_cast<size_t>(topK), vocabulary) : vocabulary;
  if (temperature <= 0)
    kept = 1;
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), larger);
  if (kept == 1)
    return order[0];
  double largest = logits[order[0]], total = 0;
  auto weight = [&](size_t i) { return std::exp((logits[order[i]] - largest) / temperature); };
  for (size_t i = 0; i < kept; ++i)
    total += weight(i);
  double point = uniform * total;
  for (size_t i = 0; i < kept; ++i) {
    point -= weight(i);
    if (point < 0)
      return order[i];
  }
  return order[kept - 1];
}

static std::vector<int32_t> parsePrompt(const std::string &prompt, uint64_t vocabulary, bool bytes) {
  std::vector<int32_t> tokens;
  if (bytes) {
    for (unsigned char byte : prompt) {
      if (byte >= vocabulary)
        fail(TXRT_BAD_INPUT, "--prompt: byte %u is not below the model's vocabulary of %llu", byte,
             (unsigned long long)vocabulary);
      tokens.push_back(byte);
    }
    return tokens;
  }
  for (size_t at = 0; at < prompt.size();) {
    if (prompt[at] == ' ') {
      ++at;
      continue;
    }
    int32_t id = -1;
    auto result = std::from_chars(prompt.data() + at, prompt.data() + prompt.size(), id);
    bool whole = result.ptr == prompt.data() + prompt.size() || *result.ptr == ' ';
    if (result.ec != std::errc() || !whole || id < 0 || uint64_t(id) >= vocabulary)
      fail(TXRT_BAD_INPUT,
           "--prompt: '%s' is no token id below %llu; this model's tokens are "
           "no bytes, so give ids with spaces between them",
           printable(prompt.substr(at, prompt.find(' ', at) - at)).c_str(), (unsigned long long)vocabulary);
    tokens.push_back(id);
    at = static_cast<size_t>(result.ptr - prompt.data());
  }
  return tokens;
}

void sampleText(const Model &model, int64_t count, const SamplerOptions &options, Console &console) {
  const BatchSpec &batch = model.batch();
  Entry entry = model.entry("predict");
  uint64_t micro = batch.microBatch, sequence = batch.sequence;
  Argument<int32_t> tokens = entry.argument<int32_t>("tokens", {micro, sequence});
  Argument<int32_t> row = entry.argument<int32_t>("row", {micro});
  if (entry.hasArgument("targets")) // a model may read them, for instance as further tokens
    entry.argument<int32_t>("targets", {micro, sequence})
        .set(std::vector<int32_t>(micro * sequence, batch.ignored.value_or(0)));
  // Draws from the whole vocabulary, or from as many tokens as the embedding has rows: a drawn token is the next input.
  uint64_t columns = batch.vocabulary;
  for (const TensorSpec &result : entry.specification().results)
    if (result.name == "logits" && result.shape.size() == 2)
      columns = std::max(columns, result.shape[1]);
  Result<float> logits = entry.result<float>("logits", {micro, columns});

  bool bytes = batch.vocabulary <= 256;
  // Escapes control bytes: a terminal must not obey what a model happens to write.
  auto show = [&](int32_t token) {
    if (!bytes)
      return std::to_string(token) + " ";
    bool control = (token < 32 && token != '\n' && token != '\t') || token == 127;
    return std::string(1, control && console.terminal() ? '?' : char(token));
  };
  std::vector<int32_t> context = parsePrompt(options.prompt, batch.vocabulary, bytes);
  std::string shown;
  for (int32_t token : context)
    shown += show(token);
  console.raw(shown);
  if (context.empty()) // a model needs one token at least: begin with a newline
    context.push_back(bytes && batch.vocabulary > '\n' ? '\n' : 0);

  RandomStream stream(options.seed, "sample");
  std::vector<int32_t> order;
  std::vector<float> last(batch.vocabulary); // the last token's logits
  for (int64_t i = 0; i < count && !model.ranks().interrupted(); ++i) {
    if (context.size() > sequence)
      context.erase(context.begin(), context.end() - sequence);
    // The first row of the microbatch has the context; the rest of it and the other rows are padding. Causal attention
    // does not see the padding after the context.
    std::vector<int32_t> padded(micro * sequence, 0);
    std::copy(context.begin(), context.end(), padded.begin());
    tokens.set(padded);
    row.set(std::vector<int32_t>(micro, static_cast<int32_t>(context.size() - 1)));
    entry.run();
    logits.get(0, batch.vocabulary, last.data());
    for (uint64_t v = 0; v < batch.vocabulary; ++v)
      if (!std::isfinite(last[v]))
        fail(TXRT_NUMERIC,
             "the logit of token %llu is %g: are the "
             "weights finite?",
             (unsigned long long)v, txrt::shown(last[v]));
    int32_t token =
        drawToken(last.data(), batch.vocabulary, options.temperature, options.topK, stream.uniform(uint64_t(i)), order);
    context.push_back(token);
    console.raw(show(token));
  }
  console.raw("\n");
}

} // namespace txrun
