//===- TokenData.h - Token files and the samples drawn from them ----------------------------------------*- C++ -*-===//
//
// A sample is a window of seq_length tokens with the tokens one further as its targets. Where sample g of a run lies
// depends on (seed, g) only, not on batch size, thread count, policy or restarts.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_TOKENDATA_H
#define TXRUN_TOKENDATA_H

#include "Batch.h"
#include "File.h"
#include "Options.h"
#include "Random.h"
#include "TokenReading.h"

#include <memory>
#include <vector>

namespace txrun {

class TokenFile {
public:
  /// Finds out how its ids lie, and checks all of a file of up to 1 GiB.
  TokenFile(const std::string &path, DataFormat format, uint64_t vocabulary);

  uint64_t size() const { return how.tokens; }
  DataFormat format() const { return how.format; }
  /// "tokens: a.bin read as ...".
  std::string describe() const { return txrun::describe(file, how); }
  const std::string &path() const { return file.path(); }
  /// Throws with the place of an id that is not below the vocabulary.
  void read(uint64_t begin, uint64_t count, int32_t *to) const;

private:
  InputFile file;
  TokenReading how;
  uint64_t vocabulary;
  mutable std::vector<unsigned char> raw;
};

/// Whether a path names samples made elsewhere (PreparedSource), by its ending.
bool isPrepared(const std::string &path);

/// A part of a file: the training or the validation tokens.
struct TokenRange {
  std::shared_ptr<const TokenFile> file;
  uint64_t begin = 0, end = 0;
  uint64_t size() const { return end - begin; }
};

/// Shares {train, validation[, test]} of a file.
TokenRange splitRange(std::shared_ptr<const TokenFile> file, const std::vector<double> &shares, size_t part);

/// Fills rows of a micro batch.
class SampleSource {
public:
  explicit SampleSource(const BatchSpec &batch) : batch(batch) {}
  virtual ~SampleSource() = default;
  /// Writes one row of tokens and targets.
  virtual void sample(uint64_t index, int32_t *tokens, int32_t *targets) = 0;
  /// How many targets of the row are not ignored.
  uint64_t valid(uint64_t index);
  /// Samples after which they begin again; 0 when there is no end.
  virtual uint64_t size() const { return 0; }

protected:
  const BatchSpec batch;

private:
  /// How many targets of the row there are, be they ids that are ignored.
  virtual uint64_t length(uint64_t) const { return batch.sequence; }
};

class WindowSource : public SampleSource {
public:
  /// Throws when the range has no whole window.
  WindowSource(TokenRange range, const BatchSpec &batch, DataOrder order, uint64_t seed, const char *what);
  void sample(uint64_t index, int32_t *tokens, int32_t *targets) override;
  /// Where a sample's window begins, in the range.
  uint64_t place(uint64_t index) const;

private:
  TokenRange range;
  DataOrder order;
  RandomStream stream;
  std::vector<int32_t> window;
};

/// Every token of a range as a target once, for evaluations: the windows follow each other, the last one is filled up
/// with ignored targets.
class CoveringSource : public SampleSource {
public:
  CoveringSource(TokenRange range, const BatchSpec &batch);
  void sample(uint64_t index, int32_t *tokens, int32_t *targets) override;
  uint64_t size() const override;

private:
  uint64_t length(uint64_t index) const override;

  TokenRange range;
  std::vector<int32_t> window;
};

/// Samples made elsewhere: a safetensors file with `tokens` and `targets`, I32 or I64 of shape [samples, seq_length];
/// the targets may be ignored ones.
class PreparedSource : public SampleSource {
public:
  PreparedSource(const std::string &path, const BatchSpec &batch);
  void sample(uint64_t index, int32_t *tokens, int32_t *targets) override;
  uint64_t size() const override { return count; }

private:
  uint64_t length(uint64_t index) const override;

  uint64_t count = 0;
  std::vector<int32_t> tokens, targets;
};

/// Random tokens, for timing and comparing without data.
class SyntheticSource : public SampleSource {
public:
  SyntheticSource(const BatchSpec &batch, uint64_t seed);
  void sample(uint64_t index, int32_t *tokens, int32_t *targets) override;

private:
  RandomStream stream;
};

} // namespace txrun

#endif // TXRUN_TOKENDATA_H
