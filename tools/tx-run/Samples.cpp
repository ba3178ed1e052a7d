//===- Samples.cpp - Which tokens a sample has ----------------------------===//

#include "Error.h"
#include "Safetensors.h"
#include "TokenData.h"

#include <algorithm>
#include <cstring>

namespace txrun {

WindowSource::WindowSource(TokenRange range, uint64_t seqLength,
                           DataOrder order, uint64_t seed, const char *what)
    : range(std::move(range)), seqLength(seqLength), order(order),
      stream(seed, "data"), window(seqLength + 1) {
  if (this->range.size() <= seqLength)
    fail(ExitCode::BadInput,
         "%s: has %llu %s tokens, a window of the model needs %llu (its "
         "sequence and one more); more data, or another --split",
         printable(this->range.file->path(), 200).c_str(),
         (unsigned long long)this->range.size(), what,
         (unsigned long long)(seqLength + 1));
}

uint64_t WindowSource::place(uint64_t index) const {
  uint64_t places = range.size() - seqLength;
  if (order == DataOrder::Random)
    return stream.below(index, places);
  uint64_t windows = (range.size() - 1) / seqLength;
  return index % windows * seqLength;
}

void WindowSource::sample(uint64_t index, int32_t *tokens, int32_t *targets) {
  range.file->read(range.begin + place(index), seqLength + 1, window.data());
  std::copy(window.begin(), window.end() - 1, tokens);
  std::copy(window.begin() + 1, window.end(), targets);
}

CoveringSource::CoveringSource(TokenRange range, uint64_t seqLength)
    : range(std::move(range)), seqLength(seqLength), window(seqLength + 1) {
  if (this->range.size() < 2)
    fail(ExitCode::BadInput,
         "%s: has %llu tokens to evaluate, 2 are the least (one to predict from "
         "and one to predict)",
         printable(this->range.file->path(), 200).c_str(),
         (unsigned long long)this->range.size());
}

uint64_t CoveringSource::size() const {
  return (range.size() - 1 + seqLength - 1) / seqLength;
}

uint64_t CoveringSource::valid(uint64_t index) const {
  return std::min(seqLength, range.size() - 1 - index * seqLength);
}

void CoveringSource::sample(uint64_t index, int32_t *tokens,
                            int32_t *targets) {
  uint64_t count = valid(index);
  range.file->read(range.begin + index * seqLength, count + 1, window.data());
  for (uint64_t i = 0; i < seqLength; ++i) {
    tokens[i] = i < count ? window[i] : 0;
    targets[i] = i < count ? window[i + 1] : ignoreIndex;
  }
}

/// Checks ids; those of targets may also be ignored.
static std::vector<int32_t> readIds(const SafetensorsReader &reader,
                                    const char *name, uint64_t seqLength,
                                    uint64_t vocabulary, bool mayIgnore) {
  std::string shown = printable(reader.path(), 200);
  const StoredTensor *tensor = reader.find(name);
  if (!tensor)
    fail(ExitCode::BadInput, "%s: has no tensor '%s'; prepared samples are "
                             "'tokens' and 'targets'",
         shown.c_str(), name);
  if ((tensor->dtype != "I32" && tensor->dtype != "I64") ||
      tensor->shape.size() != 2 || tensor->shape[1] != seqLength ||
      tensor->shape[0] == 0)
    fail(ExitCode::BadInput,
         "%s: '%s' is %s %s; the model needs I32 or I64 [samples, %llu]",
         shown.c_str(), name, tensor->dtype.c_str(),
         shapeText(tensor->shape).c_str(), (unsigned long long)seqLength);
  std::vector<unsigned char> raw(tensor->bytes);
  reader.readRaw(*tensor, raw.data());
  std::vector<int32_t> ids(tensor->elements);
  for (uint64_t i = 0; i < tensor->elements; ++i) {
    int64_t id;
    if (tensor->dtype == "I64") {
      std::memcpy(&id, raw.data() + i * 8, 8);
    } else {
      int32_t narrow;
      std::memcpy(&narrow, raw.data() + i * 4, 4);
      id = narrow;
    }
    if ((id < 0 || uint64_t(id) >= vocabulary) &&
        !(mayIgnore && id == ignoreIndex))
      fail(ExitCode::BadInput,
           "%s: '%s' has %lld at index %llu, the model's vocabulary has %llu",
           shown.c_str(), name, (long long)id, (unsigned long long)i,
           (unsigned long long)vocabulary);
    ids[i] = static_cast<int32_t>(id);
  }
  return ids;
}

PreparedSource::PreparedSource(const std::string &path, uint64_t seqLength,
                               uint64_t vocabulary)
    : seqLength(seqLength) {
  SafetensorsReader reader(path);
  tokens = readIds(reader, "tokens", seqLength, vocabulary, false);
  targets = readIds(reader, "targets", seqLength, vocabulary, true);
  if (tokens.size() != targets.size())
    fail(ExitCode::BadInput, "%s: has %zu samples of tokens and %zu of targets",
         printable(path, 200).c_str(), size_t(tokens.size() / seqLength),
         size_t(targets.size() / seqLength));
  count = tokens.size() / seqLength;
}

uint64_t PreparedSource::valid(uint64_t index) const {
  const int32_t *row = targets.data() + index % count * seqLength;
  return seqLength - static_cast<uint64_t>(
                         std::count(row, row + seqLength, ignoreIndex));
}

void PreparedSource::sample(uint64_t index, int32_t *toTokens,
                            int32_t *toTargets) {
  uint64_t at = index % count * seqLength;
  std::copy_n(tokens.begin() + at, seqLength, toTokens);
  std::copy_n(targets.begin() + at, seqLength, toTargets);
}

SyntheticSource::SyntheticSource(uint64_t vocabulary, uint64_t seqLength,
                                 uint64_t seed)
    : vocabulary(vocabulary), seqLength(seqLength), stream(seed, "synthetic") {}

void SyntheticSource::sample(uint64_t index, int32_t *tokens,
                             int32_t *targets) {
  for (uint64_t i = 0; i < seqLength; ++i) {
    uint64_t base = (index * seqLength + i) * 2;
    tokens[i] = static_cast<int32_t>(stream.below(base, vocabulary));
    targets[i] = static_cast<int32_t>(stream.below(base + 1, vocabulary));
  }
}

} // namespace txrun
