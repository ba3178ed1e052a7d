//===- EventFile.cpp - Curves for TensorBoard ---------------------------------------------------------------------===//

#include "EventFile.h"
#include "Error.h"
#include "core/OutputFile.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace txrun {

uint32_t crc32c(const std::string &bytes) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> entries = {};
    for (uint32_t byte = 0; byte < 256; ++byte) {
      uint32_t value = byte;
      for (int bit = 0; bit < 8; ++bit)
        value = value >> 1 ^ (value & 1 ? 0x82f63b78 : 0); // the polynomial, with its bits reversed
      entries[byte] = value;
    }
    return entries;
  }();
  uint32_t value = ~uint32_t(0);
  for (char byte : bytes)
    value = value >> 8 ^ table[uint8_t(value ^ uint8_t(byte))];
  return ~value;
}

namespace {

/// TFRecord masks checksums, so that a checksum of data that has checksums in it is no special case.
uint32_t maskedCrc(const std::string &bytes) {
  const uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

template <typename T> std::string littleEndian(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i)
    bytes += char(bits >> (8 * i));
  return bytes;
}

std::string variableLength(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7)
    bytes += char(value | 0x80);
  return bytes + char(value);
}

/// How protobuf writes the value of a field.
enum WireType { VariableLength = 0, Bits64 = 1, Bytes = 2, Bits32 = 5 };

std::string field(uint64_t number, WireType type, const std::string &value) {
  const std::string key = variableLength(number << 3 | type);
  return key + (type == Bytes ? variableLength(value.size()) : "") + value;
}

std::string wallTime() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return field(1, Bits64, littleEndian(std::chrono::duration<double>(now).count()));
}

std::string fileName(const std::string &folder) {
  char host[256] = "";
  if (::gethostname(host, sizeof host - 1))
    std::strcpy(host, "localhost");
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  return folder + format("/events.out.tfevents.%010lld.%s.%d.tx", (long long)seconds, host, int(::getpid()));
}

} // namespace

EventFile::EventFile(const std::string &folder) {
  if (folder.empty())
    return;
  path = fileName(folder);
  // Two runs of one process within a second would have one name: number the later ones.
  for (int number = 1; descriptor < 0; ++number) {
    descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (descriptor >= 0)
      break;
    if (errno != EEXIST)
      fail(TXRT_IO, "%s: an event file cannot be made there: %s", printable(folder, 200).c_str(), std::strerror(errno));
    path = fileName(folder) + "." + std::to_string(number);
  }
  write(wallTime() + field(3, Bytes, "brain.Event:2"));
}

EventFile::~EventFile() {
  if (descriptor >= 0)
    ::close(descriptor);
}

void EventFile::add(int64_t step, const Scalars &scalars) {
  if (descriptor < 0)
    return;
  std::string summary;
  for (const auto &[tag, value] : scalars)
    summary += field(1, Bytes, field(1, Bytes, tag) + field(2, Bits32, littleEndian(float(value))));
  write(wallTime() + field(2, VariableLength, variableLength(uint64_t(step))) + field(5, Bytes, summary));
}

void EventFile::write(const std::string &event) {
  const std::string length = littleEndian(uint64_t(event.size()));
  const std::string record = length + littleEndian(maskedCrc(length)) + event + littleEndian(maskedCrc(event));
  if (!writeAll(descriptor, record.data(), record.size()))
    fail(TXRT_IO, "%s: writing failed: %s", printable(path, 200).c_str(), std::strerror(errno));
}

} // namespace txrun
