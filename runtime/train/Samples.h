//===- Samples.h - What an iteration trains on ----------------------------------------------------------*- C++ -*-===//
//
// A sample is a row of tokens with a target for each token. In a file of tokens it is a window of seq_length tokens;
// the target of a token is the next token. Where sample g of a run begins depends on (seed, g) only, not on batch size,
// thread count, recompute policy or restarts.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_SAMPLES_H
#define TXRT_TRAIN_SAMPLES_H

#include "train/Batch.h"
#include "train/Random.h"
#include "train/TokenData.h"

#include <string>
#include <vector>

namespace txrt::train {

/// Gives the rows of micro batches.
class SampleSource {
public:
  explicit SampleSource(const BatchSpec &batch) : batch(batch) {}
  virtual ~SampleSource() = default;
  /// Writes sample `index`: `sequence` tokens and as many targets.
  virtual void sample(uint64_t index, int32_t *tokens, int32_t *targets) = 0;
  /// How many targets of sample `index` are not ignored.
  uint64_t valid(uint64_t index);
  /// How many samples there are before they repeat; 0 if they never do.
  virtual uint64_t size() const { return 0; }

protected:
  const BatchSpec batch;

private:
  /// How many targets of sample `index` come from the data, whether or not their id is the ignored one.
  virtual uint64_t length(uint64_t) const { return batch.sequence; }
};

/// Random: each sample is a window at a random place. Sequential: the windows follow each other.
enum class DataOrder { Random, Sequential };

class WindowSource : public SampleSource {
public:
  /// Throws when the range has no whole window.
  WindowSource(TokenRange range, const BatchSpec &batch, DataOrder order, uint64_t seed, const char *what);
  void sample(uint64_t index, int32_t *tokens, int32_t *targets) override;
  /// The token of the range at which a sample's window begins.
  uint64_t place(uint64_t index) const;

private:
  TokenRange range;
  DataOrder order;
  RandomStream stream;
  std::vector<int32_t> window;
};

/// Samples for evaluations, in which every token of a range is a target once: the windows follow each other, and
/// ignored targets fill up the last one.
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

/// Whether a path names prepared samples (PreparedSource), by its ending.
bool isPrepared(const std::string &path);

/// Samples that another program has prepared: a safetensors file with `tokens` and `targets`, I32 or I64 of shape
/// [samples, seq_length]. A target may be the ignored id.
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

/// A global batch in the caller's memory: `rows` rows of tokens and of targets. Row i is sample `first` + i. Throws if
/// the model cannot take an id.
class MemorySource : public SampleSource {
public:
  MemorySource(const int32_t *tokens, const int32_t *targets, uint64_t first, uint64_t rows, const BatchSpec &batch);
  void sample(uint64_t index, int32_t *tokens, int32_t *targets) override;
  uint64_t size() const override { return rows; }

private:
  uint64_t length(uint64_t index) const override;

  const int32_t *tokens, *targets;
  uint64_t first, rows;
};

/// Random tokens, for timing and comparing without data.
class SyntheticSource : public SampleSource {
public:
  SyntheticSource(const BatchSpec &batch, uint64_t seed);
  void sample(uint64_t index, int32_t *tokens, int32_t *targets) override;

private:
  RandomStream stream;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_SAMPLES_H
