//===- TokenReading.h - How a file stores its ids -------------------------------------------------------*- C++ -*-===//
//
// A header, an index or a flag says how a file stores its ids. Without any of them findReading guesses, by the file's
// name or the vocabulary's size. With a wrong guess a run would train on nonsense and nobody would notice. So
// `describe` prints the guess, and if the file's bytes contradict it, findReading throws and names the flag that
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

/// How a file stores its ids. Auto: findReading finds out.
enum class DataFormat { Auto, Text, U16, U32 };

struct TokenReading {
  DataFormat format = DataFormat::Text; // never Auto
  uint64_t offset = 0;                  // where the first id begins, in bytes
  uint64_t tokens = 0;
  std::string reason; // why this format: "llm.c's header"
  bool isGuess = false;
  std::string doubt; // what in the file's bytes contradicts the format, if a flag has chosen it
};

/// How many bytes an id takes.
uint64_t tokenBytes(DataFormat format);
/// The name of a format in --data-format.
const char *nameOf(DataFormat format);

/// Finds out how a file stores its ids. Throws if header, index or flag disagree with each other or with the file's
/// size, or if the ids contradict a guess.
TokenReading findReading(const InputFile &file, DataFormat asked, uint64_t vocabulary);

/// For NAME.bin the path of Megatron's index, NAME.idx, whether or not there is such a file; empty for another path.
std::string indexOf(const std::string &path);

/// A line for people: "tokens: a.bin read as uint16 ids (the vocabulary has 50257), 1000 tokens".
std::string describe(const InputFile &file, const TokenReading &reading);

/// A hint for the message about an id that is not in the vocabulary: "; --data-format text would fit".
std::string otherReadings(const InputFile &file, const TokenReading &reading, uint64_t vocabulary);

} // namespace txrt::train

#endif // TXRT_TRAIN_TOKENREADING_H
