//===- TokenData.cpp - Token files and the samples drawn from them --------===//

#include "TokenData.h"
#include "Error.h"

#include <algorithm>
#include <cstring>

namespace txrun {

// llm.c's header: 256 little-endian int32, {magic, version, count, ...}.
static constexpr uint64_t llmcHeaderBytes = 1024;
static constexpr uint32_t llmcMagicU16 = 20240520, llmcMagicU32 = 20240801;
static constexpr uint32_t llmcVersionU16 = 1, llmcVersionU32 = 7;

static uint64_t tokenBytes(DataFormat format) {
  return format == DataFormat::Text ? 1 : format == DataFormat::U16 ? 2 : 4;
}

static bool endsWith(const std::string &text, const char *end) {
  size_t length = std::strlen(end);
  return text.size() >= length &&
         text.compare(text.size() - length, length, end) == 0;
}

TokenFile::TokenFile(const std::string &path, DataFormat format,
                     uint64_t vocabulary)
    : file(path), kind(format), vocabulary(vocabulary) {
  std::string shown = printable(path, 200);
  if (file.size() == 0)
    fail(ExitCode::BadInput, "%s: is empty", shown.c_str());
  uint32_t header[3] = {};
  if (format != DataFormat::Text && file.size() >= llmcHeaderBytes) {
    file.readAt(0, header, sizeof header);
    if (header[0] == llmcMagicU16 || header[0] == llmcMagicU32) {
      DataFormat found =
          header[0] == llmcMagicU16 ? DataFormat::U16 : DataFormat::U32;
      if (format != DataFormat::Auto && format != found)
        fail(ExitCode::BadInput,
             "%s: is asked to be %s, its header says %s: use --data-format "
             "auto",
             shown.c_str(), format == DataFormat::U16 ? "uint16" : "uint32",
             found == DataFormat::U16 ? "uint16" : "uint32");
      uint32_t version =
          found == DataFormat::U16 ? llmcVersionU16 : llmcVersionU32;
      if (header[1] != version)
        fail(ExitCode::BadInput,
             "%s: its header has version %u of llm.c's format; %u is known",
             shown.c_str(), header[1], version);
      kind = found;
      dataOffset = llmcHeaderBytes;
    }
  }
  if (kind == DataFormat::Auto)
    kind = endsWith(path, ".txt") || vocabulary <= 256 ? DataFormat::Text
           : vocabulary <= 65536                       ? DataFormat::U16
                                                       : DataFormat::U32;
  uint64_t width = tokenBytes(kind), bytes = file.size() - dataOffset;
  if (bytes % width)
    fail(ExitCode::BadInput,
         "%s: %llu bytes are no whole number of %llu-byte tokens; is it text "
         "(--data-format text)?",
         shown.c_str(), (unsigned long long)bytes, (unsigned long long)width);
  tokens = bytes / width;
  if (dataOffset && header[2] != tokens)
    fail(ExitCode::BadInput,
         "%s: its header promises %u tokens, the file has %llu", shown.c_str(),
         header[2], (unsigned long long)tokens);

  // A bad id is better found now than after a night. Past 1 GiB this would
  // take seconds, and every window is checked again when it is read.
  uint64_t most = width == 1 ? 256 : width == 2 ? 65536 : uint64_t(1) << 32;
  if (vocabulary >= most || bytes > uint64_t(1) << 30)
    return;
  std::vector<int32_t> chunk(1 << 18);
  for (uint64_t at = 0; at < tokens; at += chunk.size())
    read(at, std::min<uint64_t>(chunk.size(), tokens - at), chunk.data());
}

void TokenFile::read(uint64_t begin, uint64_t count, int32_t *to) const {
  uint64_t width = tokenBytes(kind);
  raw.resize(std::max<size_t>(raw.size(), count * width));
  file.readAt(dataOffset + begin * width, raw.data(), count * width);
  for (uint64_t i = 0; i < count; ++i) {
    const unsigned char *at = raw.data() + i * width;
    uint32_t id = at[0];
    if (width >= 2)
      id |= uint32_t(at[1]) << 8;
    if (width == 4)
      id |= uint32_t(at[2]) << 16 | uint32_t(at[3]) << 24;
    if (id >= vocabulary)
      fail(ExitCode::BadInput,
           "%s: token %llu is %u, the model's vocabulary has %llu; is "
           "--data-format right?",
           printable(path(), 200).c_str(), (unsigned long long)(begin + i), id,
           (unsigned long long)vocabulary);
    to[i] = static_cast<int32_t>(id);
  }
}

TokenRange splitRange(std::shared_ptr<const TokenFile> file,
                      const std::vector<double> &shares, size_t part) {
  double total = 0, before = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    total += shares[i];
    if (i < part)
      before += shares[i];
  }
  uint64_t size = file->size();
  auto cut = [&](double share) {
    return std::min(size, static_cast<uint64_t>(double(size) * share / total));
  };
  TokenRange range;
  range.begin = cut(before);
  range.end = part + 1 == shares.size() ? size : cut(before + shares[part]);
  range.file = std::move(file);
  return range;
}

} // namespace txrun
