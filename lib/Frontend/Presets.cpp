//===- Presets.cpp ------------------------------------------------------------------------------------------------===//

#include "tx/Frontend/Presets.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;

static const Preset kPresets[] = {
#define TX_PRESET(NAME, LAYERS, HIDDEN, HEADS, VOCABULARY, POSITIONS, DTYPE, HELP)                                     \
  {NAME, LAYERS, HIDDEN, HEADS, VOCABULARY, POSITIONS, DType::DTYPE, HELP},
#include "tx/Frontend/Presets.def"
};

ModelConfig Preset::getConfig() const {
  ModelConfig config;
  config.numLayers = numLayers;
  config.hiddenSize = hiddenSize;
  config.numAttentionHeads = numAttentionHeads;
  config.vocabSize = vocabSize;
  config.maxPositionEmbeddings = maxPositionEmbeddings;
  config.dtype = dtype;
  return config;
}

llvm::ArrayRef<Preset> tx::getPresets() { return kPresets; }

const Preset *tx::findPreset(llvm::StringRef name) {
  const Preset *found = llvm::find_if(kPresets, [&](const Preset &preset) { return preset.name == name; });
  return found == std::end(kPresets) ? nullptr : found;
}
