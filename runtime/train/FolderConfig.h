//===- FolderConfig.h - The config.json of a folder of weights --------------------------------------------*- C++
//-*-===//
//
// A folder may have a config.json already: of an earlier save, or of the model's author, who says more in it than Tx
// knows (token ids, a template of chats). Such a file stays if it describes the same model; only the type of the
// weights is changed in it. If it describes another model, saving is refused, since config and weights could not be
// replaced in one move.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_FOLDERCONFIG_H
#define TXRT_TRAIN_FOLDERCONFIG_H

#include <string>

namespace txrt::train {

struct FolderConfig {
  std::string text;       // what config.json is to be; empty: the folder has none and none is known
  bool isChanged = false; // false: the folder's own, which stays
  /// true: the new weights are wider than config.json says, so that the config has to be there before them. The other
  /// way `transformers` would round the weights of a folder between the two.
  bool isFirst = true;
};

/// Decides which config the folder gets. `config` is the model's, empty if none is known; `dtype` its weights' type as
/// config.json names it, empty if they have several. Throws if the folder's own is of another model.
FolderConfig decideConfig(const std::string &folder, const std::string &config, const std::string &dtype);

} // namespace txrt::train

#endif // TXRT_TRAIN_FOLDERCONFIG_H
