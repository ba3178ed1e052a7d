//===- TokenReading.cpp - How a file stores its ids ---------------------------------------------------------------===//

#include "train/TokenReading.h"
#include "core/Failure.h"
#include "train/TokenStatistics.h"

#include <cstring>
#include <filesystem>
#include <optional>

namespace txrt::train {

// llm.c's header: 256 little-endian int32, {magic, version, count, ...}.
static constexpr uint64_t llmcHeaderBytes = 1024;
static constexpr uint32_t llmcMagicU16 = 20240520, llmcMagicU32 = 20240801;
static constexpr uint32_t llmcVersionU16 = 1, llmcVersionU32 = 7;

// Megatron-LM's index, a file beside the ids: magic, version (8 bytes), type of the ids (1 byte).
static constexpr char megatronMagic[9] = {'M', 'M', 'I', 'D', 'I', 'D', 'X', 0, 0};
static constexpr size_t megatronHeaderBytes = 18;

uint64_t tokenBytes(DataFormat format) { return format == DataFormat::Text ? 1 : format == DataFormat::U16 ? 2 : 4; }

const char *nameOf(DataFormat format) {
  return format == DataFormat::Text ? "text" : format == DataFormat::U16 ? "uint16" : "uint32";
}

static bool endsWith(const std::string &text, const char *end) {
  const size_t length = std::strlen(end);
  return text.size() >= length && text.compare(text.size() - length, length, end) == 0;
}

static std::string startOf(const InputFile &file, size_t bytes) {
  std::string start(std::min<uint64_t>(bytes, file.size()), '\0');
  file.readAt(0, &start[0], start.size());
  return start;
}

static std::string shown(const InputFile &file) { return printable(file.path(), 200); }

/// Throws for a file that begins like a container (an archive, for example): its bytes are not ids in any format.
static void refuseContainers(const InputFile &file) {
  static const struct {
    std::string magic;
    const char *what, *remedy;
  } containers[] = {{"\x93NUMPY", "a NumPy array", "write its ids with .tofile()"},
                    {std::string(megatronMagic, 9), "Megatron's index", "give the .bin file beside it"},
                    {std::string("PK\3\4"), "a zip archive (.npz, .pt)", "unpack it"},
                    {std::string("\x1f\x8b"), "compressed by gzip", "unpack it"},
                    {std::string("\x28\xb5\x2f\xfd"), "compressed by zstd", "unpack it"},
                    {std::string("\xfd") + "7zXZ", "compressed by xz", "unpack it"},
                    {"BZh9", "compressed by bzip2", "unpack it"},
                    {"PAR1", "a Parquet table", "write its ids or its text alone"},
                    {"ARROW1", "an Arrow table", "write its ids or its text alone"},
                    {"\x89HDF", "an HDF5 file", "write its ids alone"}};
  const std::string start = startOf(file, 16);
  for (const auto &container : containers)
    if (start.compare(0, container.magic.size(), container.magic) == 0)
      fail(TXRT_BAD_INPUT,
           "%s: is %s, not plain ids or text: %s, or say with --data-format how "
           "its bytes are ids",
           shown(file).c_str(), container.what, container.remedy);
}

static std::optional<TokenReading> readLlmcHeader(const InputFile &file) {
  uint32_t header[3] = {};
  if (file.size() < llmcHeaderBytes)
    return std::nullopt;
  file.readAt(0, header, sizeof header);
  if (header[0] != llmcMagicU16 && header[0] != llmcMagicU32)
    return std::nullopt;
  TokenReading reading;
  const bool isNarrow = header[0] == llmcMagicU16;
  reading.format = isNarrow ? DataFormat::U16 : DataFormat::U32;
  reading.offset = llmcHeaderBytes;
  reading.reason = "its header";
  const uint32_t version = isNarrow ? llmcVersionU16 : llmcVersionU32;
  if (header[1] != version)
    fail(TXRT_BAD_INPUT, "%s: its header has version %u of llm.c's format; %u is known", shown(file).c_str(), header[1],
         version);
  const uint64_t width = tokenBytes(reading.format);
  const uint64_t present = (file.size() - llmcHeaderBytes) / width;
  if (header[2] != present)
    fail(TXRT_BAD_INPUT, "%s: its header promises %u tokens, the file has %llu", shown(file).c_str(), header[2],
         (unsigned long long)present);
  return reading;
}

std::string indexOf(const std::string &path) {
  return endsWith(path, ".bin") ? path.substr(0, path.size() - 4) + ".idx" : "";
}

/// Reads NAME.idx beside NAME.bin, if there is one: it says the type of the ids.
static std::optional<TokenReading> readMegatronIndex(const InputFile &file) {
  const std::string path = indexOf(file.path());
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none))
    return std::nullopt;
  const std::string start = startOf(InputFile(path), megatronHeaderBytes);
  if (start.size() < megatronHeaderBytes ||
      start.compare(0, sizeof megatronMagic, megatronMagic, sizeof megatronMagic) != 0)
    return std::nullopt;
  TokenReading reading;
  reading.reason = printable(path, 200);
  const int type = start[megatronHeaderBytes - 1];
  if (type == 1) // uint8
    reading.format = DataFormat::Text;
  else if (type == 3 || type == 8) // int16, uint16: ids are not negative
    reading.format = DataFormat::U16;
  else if (type == 4) // int32
    reading.format = DataFormat::U32;
  else
    fail(TXRT_BAD_INPUT,
         "%s: has type %d of Megatron's; 1 (uint8), 3 (int16), 4 (int32) and 8 "
         "(uint16) are ids that can be read",
         reading.reason.c_str(), type);
  return reading;
}

static TokenReading guess(const InputFile &file, uint64_t vocabulary) {
  TokenReading reading;
  reading.isGuess = true;
  if (endsWith(file.path(), ".txt")) {
    reading.format = DataFormat::Text;
    reading.reason = "its name ends with .txt";
    return reading;
  }
  reading.format = vocabulary <= 256 ? DataFormat::Text : vocabulary <= 65536 ? DataFormat::U16 : DataFormat::U32;
  reading.reason = format("the vocabulary has %llu", (unsigned long long)vocabulary);
  return reading;
}

/// Why the file's bytes cannot be ids of this reading, as far as statistics show it; empty if they may be.
static std::string contradiction(const TokenStatistics &ids, const TokenReading &reading) {
  const uint64_t width = tokenBytes(reading.format);
  if (width > 1 && ids.isText())
    return "its bytes are text";
  for (uint64_t unit = width; unit <= 4; unit *= 2)
    if (ids.isZeroAtEverySecond(unit))
      return format("every second %s is 0", unit == 1 ? "byte" : unit == 2 ? "16-bit word" : "32-bit word");
  if (ids.alternates(width))
    return width == 1 ? "bytes at even and odd places are of two kinds" : "ids at even and odd places are of two kinds";
  if (ids.isOfTwoUnits(width))
    return width == 2 ? "the two bytes of an id look alike" : "the two halves of an id look alike";
  return "";
}

static bool fits(const InputFile &file, const TokenStatistics &ids, TokenReading reading, uint64_t vocabulary) {
  const uint64_t width = tokenBytes(reading.format);
  return (file.size() - reading.offset) % width == 0 && ids.largest(width) < vocabulary &&
         contradiction(ids, reading).empty();
}

static std::string otherReadings(const InputFile &file, const TokenStatistics &ids, const TokenReading &reading,
                                 uint64_t vocabulary) {
  std::string names;
  for (DataFormat other : {DataFormat::Text, DataFormat::U16, DataFormat::U32}) {
    TokenReading candidate = reading;
    candidate.format = other;
    if (other != reading.format && fits(file, ids, candidate, vocabulary))
      names += std::string(names.empty() ? "" : " or ") + nameOf(other);
  }
  return names.empty() ? "" : "--data-format " + names + " fits";
}

std::string otherReadings(const InputFile &file, const TokenReading &reading, uint64_t vocabulary) {
  const std::string others = otherReadings(file, TokenStatistics(file, reading.offset), reading, vocabulary);
  return others.empty() ? "; no other --data-format fits" : "; " + others;
}

static void checkSize(const InputFile &file, TokenReading &reading, uint64_t vocabulary) {
  const uint64_t width = tokenBytes(reading.format);
  const uint64_t bytes = file.size() - reading.offset;
  if (bytes % width)
    fail(TXRT_BAD_INPUT,
         "%s: %llu bytes are no whole number of %llu-byte tokens, as which it is "
         "read (%s)%s",
         shown(file).c_str(), (unsigned long long)bytes, (unsigned long long)width, reading.reason.c_str(),
         otherReadings(file, reading, vocabulary).c_str());
  reading.tokens = bytes / width;
}

static void checkGuess(const InputFile &file, const TokenReading &reading, uint64_t vocabulary) {
  const TokenStatistics ids(file, reading.offset);
  std::string problem = contradiction(ids, reading);
  if (problem.empty() && endsWith(file.path(), ".txt") && ids.hasZero())
    problem = "a byte of it is 0, as in no text";
  if (problem.empty())
    return;
  const std::string others = otherReadings(file, ids, reading, vocabulary);
  fail(TXRT_BAD_INPUT,
       "%s: would be read as %s (%s), but %s: %s; --data-format %s reads it so "
       "all the same",
       shown(file).c_str(), nameOf(reading.format), reading.reason.c_str(), problem.c_str(),
       others.empty() ? "write it as little-endian uint16 or uint32 ids, or as text" : others.c_str(),
       nameOf(reading.format));
}

TokenReading findReading(const InputFile &file, DataFormat asked, uint64_t vocabulary) {
  if (file.size() == 0)
    fail(TXRT_BAD_INPUT, "%s: is empty", shown(file).c_str());
  std::optional<TokenReading> said = readLlmcHeader(file);
  if (!said)
    said = readMegatronIndex(file);
  if (said && asked != DataFormat::Auto && asked != said->format)
    fail(TXRT_BAD_INPUT, "%s: is asked to be %s, %s says %s: use --data-format auto", shown(file).c_str(),
         nameOf(asked), said->reason.c_str(), nameOf(said->format));
  TokenReading reading;
  if (said) {
    reading = *said;
  } else if (asked != DataFormat::Auto) {
    reading.format = asked;
    reading.reason = "--data-format";
    reading.doubt = contradiction(TokenStatistics(file, 0), reading);
  } else {
    refuseContainers(file);
    reading = guess(file, vocabulary);
  }
  checkSize(file, reading, vocabulary);
  if (reading.isGuess)
    checkGuess(file, reading, vocabulary);
  return reading;
}

std::string describe(const InputFile &file, const TokenReading &reading) {
  return format("tokens: %s read as %s (%s), %llu tokens%s", shown(file).c_str(),
                reading.format == DataFormat::Text ? "text, one token a byte"
                                                   : (nameOf(reading.format) + std::string(" ids")).c_str(),
                reading.reason.c_str(), (unsigned long long)reading.tokens,
                reading.doubt.empty() ? "" : (", though " + reading.doubt).c_str());
}

} // namespace txrt::train
