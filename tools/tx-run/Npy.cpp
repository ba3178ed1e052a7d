//===- Npy.cpp - One array in one file, NumPy's format ------------------------------------------------------------===//

#include "Npy.h"
#include "Error.h"
#include "core/File.h"
#include "core/OutputFile.h"

#include <cstring>
#include <limits>

namespace txrun {

namespace {

/// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Only what NumPy writes
/// is accepted.
class HeaderParser {
public:
  HeaderParser(const std::string &text, const std::string &path) : text(text), path(path) {}

  void parse() {
    expect('{');
    bool hasDescr = false, hasOrder = false, hasShape = false;
    while (!take('}')) {
      std::string key = quoted();
      expect(':');
      if (key == "descr" && !hasDescr) {
        descr = quoted();
        hasDescr = true;
      } else if (key == "fortran_order" && !hasOrder) {
        if (!takeWord("False"))
          refuse("fortran_order is not False; save it with "
                 "numpy.ascontiguousarray");
        hasOrder = true;
      } else if (key == "shape" && !hasShape) {
        tuple();
        hasShape = true;
      } else {
        refuse("the header has the unknown or repeated key '" + printable(key) + "'");
      }
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skipSpace();
    if (at != text.size())
      refuse("the header goes on behind its end");
    if (!hasDescr || !hasOrder || !hasShape)
      refuse("the header lacks one of descr, fortran_order, shape");
  }

  std::string descr;
  std::vector<uint64_t> shape;

  [[noreturn]] void refuse(const std::string &reason) const {
    fail(TXRT_BAD_INPUT, "%s: %s", printable(path, 200).c_str(), reason.c_str());
  }

private:
  void skipSpace() {
    while (at < text.size() && (text[at] == ' ' || text[at] == '\n'))
      ++at;
  }
  bool take(char wanted) {
    skipSpace();
    if (at >= text.size() || text[at] != wanted)
      return false;
    ++at;
    return true;
  }
  void expect(char wanted) {
    if (!take(wanted))
      refuse(format("the header has no '%c' at byte %zu", wanted, at));
  }
  bool takeWord(const char *word) {
    skipSpace();
    if (text.compare(at, std::strlen(word), word) != 0)
      return false;
    at += std::strlen(word);
    return true;
  }
  std::string quoted() {
    expect('\'');
    size_t end = text.find('\'', at);
    if (end == std::string::npos)
      refuse("the header has a string without end");
    std::string result = text.substr(at, end - at);
    at = end + 1;
    return result;
  }
  void tuple() {
    expect('(');
    while (!take(')')) {
      skipSpace();
      if (at >= text.size() || text[at] < '0' || text[at] > '9')
        refuse("the header's shape is no tuple of numbers");
      uint64_t value = 0;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        if (__builtin_mul_overflow(value, uint64_t(10), &value) ||
            __builtin_add_overflow(value, uint64_t(text[at] - '0'), &value))
          refuse("the header's shape has a number past 64 bits");
      shape.push_back(value);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }

  const std::string &text;
  const std::string &path;
  size_t at = 0;
};

} // namespace

NpyArray readNpy(const std::string &path) {
  InputFile file(path);
  std::string shown = printable(path, 200);
  unsigned char prefix[12] = {};
  size_t prefixBytes = 10;
  if (file.size() < prefixBytes)
    fail(TXRT_BAD_INPUT, "%s: is no .npy file: only %llu bytes", shown.c_str(), (unsigned long long)file.size());
  file.readAt(0, prefix, prefixBytes);
  if (std::memcmp(prefix, "\x93NUMPY", 6) != 0)
    fail(TXRT_BAD_INPUT, "%s: is no .npy file: write one with numpy.save", shown.c_str());
  int version = prefix[6];
  uint64_t headerBytes = prefix[8] | uint64_t(prefix[9]) << 8;
  if (version == 2 || version == 3) {
    prefixBytes = 12;
    if (file.size() < prefixBytes)
      fail(TXRT_BAD_INPUT, "%s: is cut off in its header", shown.c_str());
    file.readAt(0, prefix, prefixBytes);
    headerBytes |= uint64_t(prefix[10]) << 16 | uint64_t(prefix[11]) << 24;
  } else if (version != 1) {
    fail(TXRT_BAD_INPUT, "%s: has format version %d; 1 to 3 are known", shown.c_str(), version);
  }
  // NumPy's own limit is 10000 bytes.
  if (headerBytes > 65536 || headerBytes > file.size() - prefixBytes)
    fail(TXRT_BAD_INPUT, "%s: its header would take %llu bytes", shown.c_str(), (unsigned long long)headerBytes);
  std::string header(headerBytes, '\0');
  file.readAt(prefixBytes, &header[0], header.size());
  HeaderParser parser(header, path);
  parser.parse();

  NpyArray array;
  array.shape = parser.shape;
  uint64_t elementBytes = 4;
  bool wide = false;
  if (parser.descr == "<f4") {
    array.dtype = TXRT_DTYPE_F32;
  } else if (parser.descr == "<i4") {
    array.dtype = TXRT_DTYPE_I32;
  } else if (parser.descr == "<i8") {
    array.dtype = TXRT_DTYPE_I32;
    elementBytes = 8;
    wide = true;
  } else if (parser.descr == "|b1") {
    array.dtype = TXRT_DTYPE_I1;
    elementBytes = 1;
  } else {
    fail(TXRT_BAD_INPUT,
         "%s: has elements '%s'; '<f4', '<i4', '<i8' and '|b1' are known: "
         "convert it with .astype",
         shown.c_str(), printable(parser.descr).c_str());
  }
  uint64_t elements = 1, bytes;
  for (uint64_t size : array.shape)
    if (__builtin_mul_overflow(elements, size, &elements))
      parser.refuse("the product of its shape overflows 64 bits");
  if (__builtin_mul_overflow(elements, elementBytes, &bytes))
    parser.refuse("its size in bytes overflows 64 bits");
  uint64_t present = file.size() - prefixBytes - headerBytes;
  if (bytes != present)
    parser.refuse(format("its shape %s needs %llu bytes of data, the file has "
                         "%llu",
                         shapeText(array.shape).c_str(), (unsigned long long)bytes, (unsigned long long)present));
  array.data.resize(bytes);
  file.readAt(prefixBytes + headerBytes, array.data.data(), bytes);

  if (array.dtype == TXRT_DTYPE_I1)
    for (unsigned char &value : array.data)
      value = value != 0;
  if (wide) {
    std::vector<unsigned char> narrow(elements * 4);
    for (uint64_t i = 0; i < elements; ++i) {
      int64_t value;
      std::memcpy(&value, array.data.data() + i * 8, 8);
      if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max())
        parser.refuse(format("element %llu is %lld, which does not fit i32", (unsigned long long)i, (long long)value));
      int32_t small = static_cast<int32_t>(value);
      std::memcpy(narrow.data() + i * 4, &small, 4);
    }
    array.data = std::move(narrow);
  }
  return array;
}

void writeNpy(const std::string &path, const NpyArray &array) {
  std::string shape;
  for (uint64_t size : array.shape)
    shape += std::to_string(size) + ", ";
  if (array.shape.size() > 1)
    shape.resize(shape.size() - 2);
  else if (array.shape.size() == 1)
    shape.pop_back(); // a Python tuple of one element keeps its comma: (3,)
  std::string header = format("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
                              array.dtype == TXRT_DTYPE_F32   ? "<f4"
                              : array.dtype == TXRT_DTYPE_I32 ? "<i4"
                                                              : "|b1",
                              shape.c_str());
  // NumPy aligns the data to 64 bytes; the header ends with a newline.
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  unsigned char prefix[10] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  prefix[8] = static_cast<unsigned char>(header.size());
  prefix[9] = static_cast<unsigned char>(header.size() >> 8);
  AtomicFile file(path);
  file.write(prefix, sizeof prefix);
  file.write(header.data(), header.size());
  file.write(array.data.data(), array.data.size());
  file.commit();
}

} // namespace txrun
