//===- WeightFolder.h - A folder of weights that is old or new --------------------------------------------*- C++
//-*-===//
//
// A folder that Tx saves is one that `transformers` loads:
//
//   config.json
//   model.safetensors.index.json                        lists the tensors, and the file of each
//   model-9f2c4d5e6a7b8c9d-00001-of-00002.safetensors   files of at most --max-shard-size, unless one tensor is larger
//   model-9f2c4d5e6a7b8c9d-00002-of-00002.safetensors
//   tx-optimizer.safetensors                            with --save-optim; transformers ignores it
//
// Weights in several files cannot be replaced in one move, so each save has a name of its own, a hash of its weights,
// which is part of its files' names: an old and a new save never share a file. The index is renamed last. Whenever the
// process is killed, the folder holds the old weights and their optimizer state, or the new ones and theirs. What Tx
// saved before is removed afterwards; files of others stay (docs/Rationale/weight-folders.md).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_WEIGHTFOLDER_H
#define TXRT_TRAIN_WEIGHTFOLDER_H

#include "train/Safetensors.h"

#include <optional>
#include <string>
#include <vector>

namespace txrt::train {

constexpr char configName[] = "config.json";
constexpr char singleName[] = "model.safetensors";
constexpr char indexName[] = "model.safetensors.index.json";
constexpr char optimizerName[] = "tx-optimizer.safetensors";
/// Where the name of a save stands: in the metadata of the index, and of each safetensors file.
constexpr char saveKey[] = "tx_save", saveMetadata[] = "tx.save";
/// The optimizer's file until the weights of the save are in place.
std::string optimizerNameOf(const std::string &save);

struct FolderContent {
  std::vector<SafetensorsWriter> shards;
  uint64_t elements = 0; // of all shards
  std::optional<SafetensorsWriter> optimizer;
  std::string config; // empty: no config is known
  std::string dtype;  // of the weights, as config.json names it: "float32"; empty: they have several
};

/// Makes the folder, and those that it lies in, if they are not there.
void makeFolder(const std::string &folder);

/// Checks that a folder can be saved, before the work that leads to it: makes it if it is not there, and throws if it
/// takes no files or holds the config of another model.
void prepareFolder(const std::string &folder, const std::string &config);

/// Replaces what the folder holds by `content`. Throws if it cannot; then the folder holds what it held.
void saveFolder(const std::string &folder, const FolderContent &content);

} // namespace txrt::train

#endif // TXRT_TRAIN_WEIGHTFOLDER_H
