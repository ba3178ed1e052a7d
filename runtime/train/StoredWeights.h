//===- StoredWeights.h - The tensors that --load names --------------------------------------------------*- C++ -*-===//
//
// Weights lie in one safetensors file, in several that an index lists (shards), or in a folder with either, as
// `transformers` writes and reads them. Optimizer state lies in the same file or, in a folder, in a file of its own
// (WeightFolder.h). This class finds the files, checks their headers and makes one table of them:
//
//   StoredWeights stored("llama3.2-1b", note);
//   for (const auto &[name, place] : stored.tensors())
//     place.file->readF32(*place.tensor, ...);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_STOREDWEIGHTS_H
#define TXRT_TRAIN_STOREDWEIGHTS_H

#include "train/Notes.h"
#include "train/Safetensors.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace txrt::train {

/// The index of a model in several files: model.safetensors.index.json.
struct ShardIndex {
  std::string path;
  std::map<std::string, std::string> fileOf; // by the tensor's name; all are names of files beside the index
  std::string save; // the name that Tx gave to the save that wrote it (WeightFolder.h); empty: another program wrote it

  /// Reads and checks the index. Throws, with the index's path, if it is wrong.
  static ShardIndex read(const std::string &path);
  std::vector<std::string> files() const;
};

class StoredWeights {
public:
  /// `path` is a folder, an index or a file. Opens all files and reads their headers. `note` gets remarks; may be null.
  StoredWeights(const std::string &path, const Notes &note);

  struct Place {
    const SafetensorsReader *file;
    const StoredTensor *tensor;
  };
  /// What `path` names, for messages.
  const std::string &shown() const { return name; }
  /// The tensors of all files, by their names.
  const std::map<std::string, Place> &tensors() const { return table; }
  /// The metadata beside optimizer state: where the run stands.
  const std::map<std::string, std::string> &metadata() const { return state->metadata(); }

private:
  const SafetensorsReader &open(const std::string &path);
  void openFile(const std::string &path);
  /// Returns the name of the save that wrote the index.
  std::string openIndex(const std::string &path);
  void openFolder(const std::string &path, const Notes &note);
  void openOptimizer(const std::string &folder, const std::string &save, const Notes &note);

  std::string name;
  std::vector<std::unique_ptr<SafetensorsReader>> files;
  const SafetensorsReader *state = nullptr; // the file that has optimizer state, if any has
  std::map<std::string, Place> table;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_STOREDWEIGHTS_H
