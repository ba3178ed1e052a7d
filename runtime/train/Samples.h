//===- Samples.h - What an iteration trains on ----------------------------------------------------------*- C++ -*-===//
//
// A sample is a row of tokens with a target for each: of a file of tokens a window of seq_length tokens with the tokens
// one further. Where sample g of a run lies depends on (seed, g) only, not on batch size, thread count, policy or
// restarts.
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

/// random: each sample is a window at a place of its own; sequential: one window after another.
enum class DataOrder { Random, Sequential };

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

/// Whether a path names samples made elsewhere (PreparedSource), by its ending.
bool isPrepared(const std::string &path);

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

/// A global batch that somebody holds in memory: `rows` rows of tokens and of targets, those of the samples from
/// `first` on. Throws at an id that the model cannot take.
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
