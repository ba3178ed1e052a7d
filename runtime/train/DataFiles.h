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
  std::string path, validPath; // if validPath is empty, validation takes a part of `path`
  DataFormat format = DataFormat::Auto;
  DataOrder order = DataOrder::Random;
  std::vector<double> split = {90, 10}; // shares of training, validation[, test]
};

/// Bytes of memory that the data takes: prepared samples are kept in memory whole, all other files are read as needed.
uint64_t bytesOfData(const DataOptions &options);

/// The files that the options name, each opened once and shared.
class DataFiles {
public:
  DataFiles(const DataOptions &options, const BatchSpec &batch) : options(options), batch(batch) {}

  std::unique_ptr<SampleSource> training(uint64_t seed);
  /// Samples in which every token of the validation data is a target once.
  std::unique_ptr<SampleSource> validation();
  /// The training data; random tokens if the options name none.
  std::unique_ptr<SampleSource> trainingOrSynthetic(uint64_t seed);
  /// A line for each file that was opened, which says how it is read.
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

/// Opens samples on every rank, and throws if two ranks have different ones. Messages call them `what`: "the training
/// data".
std::unique_ptr<SampleSource> openOnAll(const Model &model, const char *what,
                                        const std::function<std::unique_ptr<SampleSource>()> &open);

} // namespace txrt::train

#endif // TXRT_TRAIN_DATAFILES_H
