//===- TokenData.cpp - Token files and the samples drawn from them ------------------------------------------------===//

#include "train/TokenData.h"
#include "core/Failure.h"

#include <algorithm>

namespace txrt::train {

TokenFile::TokenFile(const std::string &path, DataFormat format, uint64_t vocabulary)
    : file(path), how(findReading(file, format, vocabulary)), vocabulary(vocabulary) {
  // Find a bad id now, not after a night of training. For a file of more than 1 GiB this check would take seconds;
  // read() checks every window again.
  const uint64_t width = tokenBytes(how.format), tokens = size();
  uint64_t most = width == 1 ? 256 : width == 2 ? 65536 : uint64_t(1) << 32;
  if (vocabulary >= most || tokens * width > uint64_t(1) << 30)
    return;
  std::vector<int32_t> chunk(1 << 18);
  for (uint64_t at = 0; at < tokens; at += chunk.size())
    read(at, std::min<uint64_t>(chunk.size(), tokens - at), chunk.data());
}

void TokenFile::read(uint64_t begin, uint64_t count, int32_t *to) const {
  const uint64_t width = tokenBytes(how.format);
  raw.resize(std::max<size_t>(raw.size(), count * width));
  file.readAt(how.offset + begin * width, raw.data(), count * width);
  for (uint64_t i = 0; i < count; ++i) {
    const unsigned char *at = raw.data() + i * width;
    uint32_t id = at[0];
    if (width >= 2)
      id |= uint32_t(at[1]) << 8;
    if (width == 4)
      id |= uint32_t(at[2]) << 16 | uint32_t(at[3]) << 24;
    if (id >= vocabulary)
      fail(TXRT_BAD_INPUT, "%s: read as %s, token %llu is %u, the model's vocabulary has %llu%s",
           printable(path(), 200).c_str(), nameOf(how.format), (unsigned long long)(begin + i), id,
           (unsigned long long)vocabulary, otherReadings(file, how, vocabulary).c_str());
    to[i] = static_cast<int32_t>(id);
  }
}

TokenRange splitRange(std::shared_ptr<const TokenFile> file, const std::vector<double> &shares, size_t part) {
  double total = 0, before = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    total += shares[i];
    if (i < part)
      before += shares[i];
  }
  uint64_t size = file->size();
  auto cut = [&](double share) { return std::min(size, static_cast<uint64_t>(double(size) * share / total)); };
  TokenRange range;
  range.begin = cut(before);
  range.end = part + 1 == shares.size() ? size : cut(before + shares[part]);
  range.file = std::move(file);
  return range;
}

} // namespace txrt::train
