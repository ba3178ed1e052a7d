//===- DataFiles.h - The data of a run ------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_DATAFILES_H
#define TXRT_TRAIN_DATAFILES_H

#include "train/Model.h"
#include "train/Samples.h"

#include <functional>
#include <memory>

namespace txrt::train {

/// Where a run's samples come from.
struct DataOptions {
  std::string path, validPath; // without a validPath a part of `path` is for validation
  DataFormat format = DataFormat::Auto;
  DataOrder order = DataOrder::Random;
  std::vector<double> split = {90, 10}; // shares of training, validation[, test]
};

/// What reading them takes of memory: prepared samples are held whole, all else goes through buffers.
uint64_t bytesOfData(const DataOptions &options);

/// The files that the options name, each opened once and shared.
class DataFiles {
public:
  DataFiles(const DataOptions &options, const BatchSpec &batch) : options(options), batch(batch) {}

  std::unique_ptr<SampleSource> training(uint64_t seed);
  /// Every token of the validation data as a target once.
  std::unique_ptr<SampleSource> validation();
  /// The training data if there is any, else random tokens.
  std::unique_ptr<SampleSource> trainingOrSynthetic(uint64_t seed);
  /// How each file that was opened is read, for people.
  const std::vector<std::string> &readings() const { return said; }

private:
  std::unique_ptr<SampleSource> prepared(const std::string &path);
  std::shared_ptr<const TokenFile> open(const std::string &path);
  TokenRange whole(const std::string &path);

  DataOptions options;
  BatchSpec batch;
  std::shared_ptr<const TokenFile> file;
  std::vector<std::string> said;
};

/// Opens samples on every rank, and throws where ranks have other ones. `what` is "the training data".
std::unique_ptr<SampleSource> openOnAll(const Model &model, const char *what,
                                        const std::function<std::unique_ptr<SampleSource>()> &open);

} // namespace txrt::train

#endif // TXRT_TRAIN_DATAFILES_H
