//===- Pickle.cpp - Writing Python's pickles ----------------------------------------------------------------------===//

#include "Pickle.h"

#include <limits>
#include <utility>

namespace txrun {

// The operations of the pickle machine, as Python's pickletools names them.
enum Operation : unsigned char {
  Proto = 0x80,
  Mark = '(',
  EmptyDict = '}',
  SetItems = 'u',
  EmptyList = ']',
  Appends = 'e',
  BinInt = 'J',
  Long1 = 0x8a,
  NewTrue = 0x88,
  NewFalse = 0x89,
  BinUnicode = 'X',
  LongBinPut = 'r',
  LongBinGet = 'j',
  Stop = '.',
};

/// A list grows by so many values at a time, as Python writes it: readers put a batch on their stack.
static constexpr size_t batch = 1000;

PickleWriter::PickleWriter() {
  put(char(Proto));
  put(2);
}

void PickleWriter::number(uint64_t value, int size) {
  for (int i = 0; i < size; ++i)
    put(char(value >> (8 * i)));
}

void PickleWriter::beginValue() {
  if (open.empty() || !open.back().isList)
    return;
  if (open.back().count == batch) {
    put(Appends);
    put(Mark);
    open.back().count = 0;
  }
  ++open.back().count;
}

void PickleWriter::beginDict() {
  beginValue();
  put(EmptyDict);
  put(Mark);
  open.push_back({false});
}

void PickleWriter::beginList() {
  beginValue();
  put(EmptyList);
  put(Mark);
  open.push_back({true});
}

void PickleWriter::end() {
  put(open.back().isList ? Appends : SetItems);
  open.pop_back();
}

void PickleWriter::integer(int64_t value) {
  beginValue();
  if (value >= std::numeric_limits<int32_t>::min() && value <= std::numeric_limits<int32_t>::max()) {
    put(BinInt);
    number(uint64_t(value), 4);
    return;
  }
  put(char(Long1));
  put(8);
  number(uint64_t(value), 8);
}

void PickleWriter::flag(bool value) {
  beginValue();
  put(char(value ? NewTrue : NewFalse));
}

void PickleWriter::text(const std::string &value) {
  if (auto known = texts.find(value); known != texts.end())
    return repeat(known->second);
  beginValue();
  put(BinUnicode);
  number(value.size(), 4);
  bytes += value;
  texts[value] = remember();
}

uint32_t PickleWriter::remember() {
  put(LongBinPut);
  number(remembered, 4);
  return remembered++;
}

void PickleWriter::repeat(uint32_t number) {
  beginValue();
  put(LongBinGet);
  this->number(number, 4);
}

std::string PickleWriter::finish() {
  put(Stop);
  return std::move(bytes);
}

} // namespace txrun
