//===- TokenData.h - Files of token ids -----------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_TOKENDATA_H
#define TXRT_TRAIN_TOKENDATA_H

#include "core/File.h"
#include "train/TokenReading.h"

#include <memory>
#include <vector>

namespace txrt::train {

class TokenFile {
public:
  /// Opens a file, finds out how its ids are stored, and checks all ids of a file of up to 1 GiB.
  TokenFile(const std::string &path, DataFormat format, uint64_t vocabulary);

  uint64_t size() const { return how.tokens; }
  DataFormat format() const { return how.format; }
  /// "tokens: a.bin read as ...".
  std::string describe() const { return train::describe(file, how); }
  const std::string &path() const { return file.path(); }
  /// Reads `count` ids from id `begin` on. Throws, with its place, if an id is not below the vocabulary.
  void read(uint64_t begin, uint64_t count, int32_t *to) const;

private:
  InputFile file;
  TokenReading how;
  uint64_t vocabulary;
  mutable std::vector<unsigned char> raw;
};

/// A part of a token file, for example its training tokens.
struct TokenRange {
  std::shared_ptr<const TokenFile> file;
  uint64_t begin = 0, end = 0;
  uint64_t size() const { return end - begin; }
};

/// The tokens of part number `part` of a file that is split by the shares {training, validation[, test]}.
TokenRange splitRange(std::shared_ptr<const TokenFile> file, const std::vector<double> &shares, size_t part);

} // namespace txrt::train

#endif // TXRT_TRAIN_TOKENDATA_H
