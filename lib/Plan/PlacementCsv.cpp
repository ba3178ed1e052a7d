//===- PlacementCsv.cpp - reading benchmark instances ---------------------------------------------------*- C++ -*-===//

#include "tx/Plan/Placement.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

using namespace tx::plan;

/// Splits one line at commas; blanks around a field are dropped.
static std::vector<std::string> splitFields(const std::string &line) {
  std::vector<std::string> fields;
  size_t from = 0;
  while (from <= line.size()) {
    size_t comma = std::min(line.find(',', from), line.size());
    size_t first = line.find_first_not_of(" \t\r", from);
    size_t last = line.find_last_not_of(" \t\r", comma ? comma - 1 : 0);
    bool blank = first == std::string::npos || first >= comma || comma == from;
    fields.push_back(blank ? "" : line.substr(first, last - first + 1));
    from = comma + 1;
  }
  return fields;
}

static bool parseInt(const std::string &text, int64_t &value) {
  char *end = nullptr;
  errno = 0;
  value = std::strtoll(text.c_str(), &end, 10);
  return !text.empty() && *end == '\0' && errno == 0;
}

namespace {

enum Column { kId, kLower, kUpper, kSize, kAlignment, kOffset, kNumColumns };
const char *const kColumns[kNumColumns] = {"id", "lower", "upper", "size", "alignment", "offset"};

/// Reads line after line; stops at the first one with an error.
class CsvReader {
public:
  CsvReader(std::string name, int64_t defaultAlignment)
      : name(std::move(name)), defaultAlignment(defaultAlignment), columnAt(kNumColumns, -1) {}

  PlacementCsv run(const std::string &text) {
    for (size_t from = 0; from < text.size() && !csv.error;) {
      size_t to = std::min(text.find('\n', from), text.size());
      std::string line = text.substr(from, to - from);
      from = to + 1;
      ++lineNumber;
      if (!isBlank(line))
        read(splitFields(line));
    }
    if (!csv.error && numFields == 0)
      fail("the file is empty; its first line should be id,lower,upper,size");
    if (csv.error)
      csv.buffers.clear(), csv.ids.clear();
    return std::move(csv);
  }

  static bool isBlank(const std::string &line) { return line.find_first_not_of(" \t\r") == std::string::npos; }

private:
  void fail(const std::string &what) { csv.error = name + ":" + std::to_string(lineNumber) + ": " + what; }

  void read(const std::vector<std::string> &fields) {
    if (numFields == 0)
      return readHeader(fields);
    if (fields.size() != numFields)
      return fail("found " + std::to_string(fields.size()) + " fields; the header has " + std::to_string(numFields));
    Buffer buffer;
    buffer.alignment = defaultAlignment;
    int64_t *const targets[] = {nullptr, &buffer.lower, &buffer.upper, &buffer.size, &buffer.alignment};
    for (int c = kLower; c <= kAlignment; ++c)
      if (columnAt[c] >= 0 && !parseInt(fields[columnAt[c]], *targets[c]))
        return fail(std::string("column '") + kColumns[c] + "' holds '" + fields[columnAt[c]] +
                    "', which is no 64-bit integer");
    const std::string &id = fields[columnAt[kId]];
    if (std::optional<std::string> fault = verifyBuffer(buffer, id))
      return fail(*fault);
    csv.ids.push_back(id);
    csv.buffers.push_back(buffer);
  }

  void readHeader(const std::vector<std::string> &fields) {
    numFields = fields.size();
    for (size_t f = 0; f < fields.size(); ++f)
      for (int c = 0; c < kNumColumns; ++c)
        if (fields[f] == kColumns[c]) {
          if (columnAt[c] >= 0)
            return fail(std::string("column '") + kColumns[c] + "' is there twice");
          columnAt[c] = static_cast<int>(f);
        }
    for (int c : {kId, kLower, kUpper, kSize})
      if (columnAt[c] < 0)
        return fail(std::string("no column '") + kColumns[c] + "' in the header; it should be id,lower,upper,size");
    if (columnAt[kOffset] >= 0)
      fail("there is a column 'offset' already: the buffers have been placed; leave it out");
  }

  std::string name;
  int64_t defaultAlignment;
  std::vector<int> columnAt; // by Column; -1: not there
  size_t numFields = 0;      // of the header; 0 before it
  int lineNumber = 0;
  PlacementCsv csv;
};

} // namespace

PlacementCsv tx::plan::readPlacementCsv(const std::string &text, const std::string &name, int64_t defaultAlignment) {
  return CsvReader(name, defaultAlignment).run(text);
}

std::string tx::plan::addOffsetColumn(const std::string &text, const std::vector<int64_t> &offsets) {
  std::string result;
  bool isHeader = true;
  auto next = offsets.begin();
  for (size_t from = 0; from < text.size();) {
    size_t to = std::min(text.find('\n', from), text.size());
    std::string line = text.substr(from, to - from);
    from = to + 1;
    if (CsvReader::isBlank(line))
      continue;
    size_t end = line.find_last_not_of('\r') + 1;
    result += line.substr(0, end) + "," + (isHeader ? "offset" : std::to_string(*next++)) + line.substr(end) + "\n";
    isHeader = false;
  }
  return result;
}
