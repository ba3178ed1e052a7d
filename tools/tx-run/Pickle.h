//===- Pickle.h - Writing Python's pickles --------------------------------------------------------------*- C++ -*-===//
//
// Writes protocol 2 with dictionaries, lists, texts, whole numbers and flags, which is what PyTorch's viewer of memory
// reads. Nothing here reads a pickle: loading one runs code that its author chose.
//
//   PickleWriter pickle;
//   pickle.beginDict();
//   pickle.text("segments");
//   pickle.beginList();
//   pickle.end();
//   pickle.end();
//   std::string bytes = pickle.finish();
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_PICKLE_H
#define TXRUN_PICKLE_H

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace txrun {

class PickleWriter {
public:
  PickleWriter();

  /// In a dictionary keys and values follow each other.
  void beginDict();
  void beginList();
  /// Ends the dictionary or the list that began last.
  void end();
  void integer(int64_t value);
  void flag(bool value);
  void text(const std::string &value);
  /// Lets `repeat` write the value again that was written, or ended, last: as the same object, in a few bytes.
  uint32_t remember();
  void repeat(uint32_t number);

  std::string finish();

private:
  struct Open {
    bool isList;
    size_t count = 0; // of a list, since the last batch
  };
  void beginValue();
  void put(char byte) { bytes += char(byte); }
  void number(uint64_t value, int size);

  std::string bytes;
  std::vector<Open> open;
  std::map<std::string, uint32_t> texts; // that were written: numbers for repeat
  uint32_t remembered = 0;
};

} // namespace txrun

#endif // TXRUN_PICKLE_H
