//===- Samples.cpp - Which tokens a sample has --------------------------------------------------------------------===//

#include "train/Samples.h"
#include "core/Failure.h"
#include "train/Safetensors.h"

#include <algorithm>
#include <cstring>

namespace txrt::train {

/// How many targets of a row are not ignored.
static uint64_t countValid(const int32_t *row, const BatchSpec &batch) {
  if (!batch.ignored)
    return batch.sequence;
  return batch.sequence - static_cast<uint64_t>(std::count(row, row + batch.sequence, *batch.ignored));
}

uint64_t SampleSource::valid(uint64_t index) {
  if (!batch.ignoresId())
    return length(index);
  std::vector<int32_t> tokens(batch.sequence), targets(batch.sequence);
  sample(index, tokens.data(), targets.data());
  return countValid(targets.data(), batch);
}

WindowSource::WindowSource(TokenRange range, const BatchSpec &batch, DataOrder order, uint64_t seed, const char *what)
    : SampleSource(batch), range(std::move(range)), order(order), stream(seed, "data"), window(batch.sequence + 1) {
  if (this->range.size() <= batch.sequence)
    fail(TXRT_BAD_INPUT,
         "%s: has %llu %s tokens, a window of the model needs %llu (its "
         "sequence and one more); more data%s",
         printable(this->range.file->path(), 200).c_str(), (unsigned long long)this->range.size(), what,
         (unsigned long long)(batch.sequence + 1),
         this->range.size() < this->range.file->size() ? ", or another --split" : "");
}

uint64_t WindowSource::place(uint64_t index) const {
  uint64_t places = range.size() - batch.sequence;
  if (order == DataOrder::Random)
    return stream.below(index, places);
  uint64_t windows = (range.size() - 1) / batch.sequence;
  return index % windows * batch.sequence;
}

void WindowSource::sample(uint64_t index, int32_t *tokens, int32_t *targets) {
  range.file->read(range.begin + place(index), batch.sequence + 1, window.data());
  std::copy(window.begin(), window.end() - 1, tokens);
  std::copy(window.begin() + 1, window.end(), targets);
}

CoveringSource::CoveringSource(TokenRange range, const BatchSpec &batch)
    : SampleSource(batch), range(std::move(range)), window(batch.sequence + 1) {
  if (this->range.size() < 2)
    fail(TXRT_BAD_INPUT,
         "%s: has %llu tokens to evaluate, 2 are the least (one to predict from "
         "and one to predict)",
         printable(this->range.file->path(), 200).c_str(), (unsigned long long)this->range.size());
}

uint64_t CoveringSource::size() const { return (range.size() - 1 + batch.sequence - 1) / batch.sequence; }

uint64_t CoveringSource::length(uint64_t index) const {
  return std::min(batch.sequence, range.size() - 1 - index * batch.sequence);
}

void CoveringSource::sample(uint64_t index, int32_t *tokens, int32_t *targets) {
  uint64_t count = length(index);
  range.file->read(range.begin + index * batch.sequence, count + 1, window.data());
  for (uint64_t i = 0; i < batch.sequence; ++i) {
    tokens[i] = i < count ? window[i] : 0;
    targets[i] = i < count ? window[i + 1] : batch.ignored.value_or(0);
  }
}

bool isPrepared(const std::string &path) {
  static const char ending[] = ".safetensors";
  const size_t length = sizeof ending - 1;
  return path.size() >= length && path.compare(path.size() - length, length, ending) == 0;
}

/// Reads the tensor `name` and checks its ids. With `mayIgnore` (targets) an id may also be the ignored one.
static std::vector<int32_t> readIds(const SafetensorsReader &reader, const char *name, const BatchSpec &batch,
                                    bool mayIgnore) {
  std::string shown = printable(reader.path(), 200);
  const StoredTensor *tensor = reader.find(name);
  if (!tensor)
    fail(TXRT_BAD_INPUT,
         "%s: has no tensor '%s'; prepared samples are "
         "'tokens' and 'targets'",
         shown.c_str(), name);
  if ((tensor->dtype != "I32" && tensor->dtype != "I64") || tensor->shape.size() != 2 ||
      tensor->shape[1] != batch.sequence || tensor->shape[0] == 0)
    fail(TXRT_BAD_INPUT, "%s: '%s' is %s %s; the model needs I32 or I64 [samples, %llu]", shown.c_str(), name,
         tensor->dtype.c_str(), shapeText(tensor->shape).c_str(), (unsigned long long)batch.sequence);
  const uint64_t width = tensor->dtype == "I64" ? 8 : 4;
  std::vector<unsigned char> raw(1 << 20);
  std::vector<int32_t> ids(tensor->elements);
  for (uint64_t i = 0; i < tensor->elements; ++i) {
    const uint64_t at = i * width % raw.size();
    if (at == 0)
      reader.readRaw(*tensor, i * width, std::min<uint64_t>(raw.size(), tensor->bytes - i * width), raw.data());
    int64_t id;
    if (width == 8) {
      std::memcpy(&id, raw.data() + at, 8);
    } else {
      int32_t narrow;
      std::memcpy(&narrow, raw.data() + at, 4);
      id = narrow;
    }
    if (!batch.takes(id, mayIgnore))
      fail(TXRT_BAD_INPUT, "%s: '%s' has %lld at index %llu, the model's vocabulary has %llu", shown.c_str(), name,
           (long long)id, (unsigned long long)i, (unsigned long long)batch.vocabulary);
    ids[i] = static_cast<int32_t>(id);
  }
  return ids;
}

PreparedSource::PreparedSource(const std::string &path, const BatchSpec &batch) : SampleSource(batch) {
  SafetensorsReader reader(path);
  tokens = readIds(reader, "tokens", batch, false);
  targets = readIds(reader, "targets", batch, true);
  if (tokens.size() != targets.size())
    fail(TXRT_BAD_INPUT, "%s: has %zu samples of tokens and %zu of targets", printable(path, 200).c_str(),
         size_t(tokens.size() / batch.sequence), size_t(targets.size() / batch.sequence));
  count = tokens.size() / batch.sequence;
}

uint64_t PreparedSource::length(uint64_t index) const {
  return countValid(targets.data() + index % count * batch.sequence, batch);
}

void PreparedSource::sample(uint64_t index, int32_t *toTokens, int32_t *toTargets) {
  uint64_t at = index % count * batch.sequence;
  std::copy_n(tokens.begin() + at, batch.sequence, toTokens);
  std::copy_n(targets.begin() + at, batch.sequence, toTargets);
}

MemorySource::MemorySource(const int32_t *tokens, const int32_t *targets, uint64_t first, uint64_t rows,
                           const BatchSpec &batch)
    : SampleSource(batch), tokens(tokens), targets(targets), first(first), rows(rows) {
  auto check = [&](const char *what, const int32_t *ids, bool mayIgnore) {
    for (uint64_t i = 0; i < rows * batch.sequence; ++i)
      if (!batch.takes(ids[i], mayIgnore))
        fail(TXRT_BAD_INPUT, "%s have %d at row %llu, column %llu; the model's vocabulary has %llu", what, ids[i],
             (unsigned long long)(i / batch.sequence), (unsigned long long)(i % batch.sequence),
             (unsigned long long)batch.vocabulary);
  };
  check("tokens", tokens, false);
  check("targets", targets, true);
}

uint64_t MemorySource::length(uint64_t index) const {
  return countValid(targets + (index - first) * batch.sequence, batch);
}

void MemorySource::sample(uint64_t index, int32_t *toTokens, int32_t *toTargets) {
  const uint64_t at = (index - first) * batch.sequence;
  std::copy_n(tokens + at, batch.sequence, toTokens);
  std::copy_n(targets + at, batch.sequence, toTargets);
}

SyntheticSource::SyntheticSource(const BatchSpec &batch, uint64_t seed)
    : SampleSource(batch), stream(seed, "synthetic") {}

void SyntheticSource::sample(uint64_t index, int32_t *tokens, int32_t *targets) {
  for (uint64_t i = 0; i < batch.sequence; ++i) {
    uint64_t base = (index * batch.sequence + i) * 2;
    tokens[i] = static_cast<int32_t>(stream.below(base, batch.vocabulary));
    targets[i] = static_cast<int32_t>(stream.below(base + 1, batch.vocabulary));
  }
}

} // namespace txrt::train
