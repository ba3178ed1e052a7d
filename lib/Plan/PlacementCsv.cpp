//===- PlacementCsv.cpp - reading benchmark instances ---------------------------------------------------*- C++ -*-===//

#include "tx/Plan/Placement.h"

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

PlacementCsv tx::plan::readPlacementCsv(const std::string &text, const std::string &name, int64_t defaultAlignment) {
  static const char *const kColumns[] = {"id", "lower", "upper", "size", "alignment"};
  enum { kId, kLower, kUpper, kSize, kAlignment, kNumColumns };
  PlacementCsv csv;
  std::vector<int> columnAt(kNumColumns, -1);
  bool haveHeader = false;
  int lineNumber = 0;
  auto fail = [&](const std::string &what) {
    csv.buffers.clear();
    csv.ids.clear();
    csv.error = name + ":" + std::to_string(lineNumber) + ": " + what;
    return csv;
  };

  for (size_t from = 0; from < text.size();) {
    size_t to = std::min(text.find('\n', from), text.size());
    std::string line = text.substr(from, to - from);
    from = to + 1;
    ++lineNumber;
    if (line.find_first_not_of(" \t\r") == std::string::npos)
      continue;
    std::vector<std::string> fields = splitFields(line);
    if (!haveHeader) {
      haveHeader = true;
      for (size_t f = 0; f < fields.size(); ++f)
        for (int c = 0; c < kNumColumns; ++c)
          if (fields[f] == kColumns[c])
            columnAt[c] = static_cast<int>(f);
      for (int c : {kId, kLower, kUpper, kSize})
        if (columnAt[c] < 0)
          return fail(std::string("no column '") + kColumns[c] + "' in the header; it should be id,lower,upper,size");
      continue;
    }
    Buffer buffer;
    buffer.alignment = defaultAlignment;
    int64_t *const targets[] = {nullptr, &buffer.lower, &buffer.upper, &buffer.size, &buffer.alignment};
    for (int c = 0; c < kNumColumns; ++c) {
      if (columnAt[c] < 0)
        continue;
      if (columnAt[c] >= static_cast<int>(fields.size()))
        return fail("found " + std::to_string(fields.size()) + " fields, but column '" + kColumns[c] + "' is number " +
                    std::to_string(columnAt[c] + 1));
      const std::string &field = fields[columnAt[c]];
      if (targets[c] && !parseInt(field, *targets[c]))
        return fail(std::string("column '") + kColumns[c] + "' holds '" + field + "', which is no 64-bit integer");
    }
    csv.ids.push_back(fields[columnAt[kId]]);
    csv.buffers.push_back(buffer);
  }
  if (!haveHeader)
    return fail("the file is empty; its first line should be id,lower,upper,size");
  return csv;
}
