//===- TokenReading.h - How the ids of a file lie in it -------------------------------------------------*- C++ -*-===//
//
// A header, an index or a flag says it; where none does it is a guess, by the file's name or the vocabulary's size. A
// wrong guess trains well on nonsense, so it is said, and a file that contradicts it is refused with the flag that
// decides:
//
//   TokenReading reading = findReading(file, DataFormat::Auto, 50257);
//   console.line(describe(file, reading));
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_TOKENREADING_H
#define TXRT_TRAIN_TOKENREADING_H

#include "core/File.h"

#include <string>

namespace txrt::train {

/// How ids lie in a file; Auto: as its header or its name say.
enum class DataFormat { Auto, Text, U16, U32 };

struct TokenReading {
  DataFormat format = DataFormat::Text; // never Auto
  uint64_t offset = 0;                  // of the first id, in bytes
  uint64_t tokens = 0;
  std::string reason; // "llm.c's header"
  bool isGuess = false;
  std::string doubt; // what speaks against it, where a flag has decided
};

/// Bytes of an id.
uint64_t tokenBytes(DataFormat format);
/// As --data-format has it.
const char *nameOf(DataFormat format);

/// Throws where header, index or flag disagree with each other or with the file's size, and where the ids contradict a
/// guess.
TokenReading findReading(const InputFile &file, DataFormat asked, uint64_t vocabulary);

/// Megatron's NAME.idx of NAME.bin, whether it is there or not; else empty.
std::string indexOf(const std::string &path);

/// "tokens: a.bin read as uint16 ids (the vocabulary has 50257), 1000 tokens".
std::string describe(const InputFile &file, const TokenReading &reading);

/// What may help against an id that is not in the vocabulary: "; --data-format text would fit".
std::string otherReadings(const InputFile &file, const TokenReading &reading, uint64_t vocabulary);

} // namespace txrt::train

#endif // TXRT_TRAIN_TOKENREADING_H
