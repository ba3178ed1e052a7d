//===- Presets.cpp ------------------------------------------------------------------------------------------------===//

#include "tx/Frontend/Presets.h"
#include "tx/Frontend/HuggingFace.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;

static const Preset kPresets[] = {
#define TX_PRESET(NAME, FIELDS, DTYPE, HELP) {NAME, FIELDS, DType::DTYPE, HELP},
#include "tx/Frontend/Presets.def"
};

ModelConfig Preset::getConfig() const {
  std::vector<std::string> notes; // which of its fields change nothing; a user has not written them
  ModelConfig config = llvm::cantFail(parseHuggingFaceConfig(("{" + fields + "}").str(), name, notes));
  config.dtype = dtype;
  return config;
}

llvm::ArrayRef<Preset> tx::getPresets() { return kPresets; }

const Preset *tx::findPreset(llvm::StringRef name) {
  const Preset *found = llvm::find_if(kPresets, [&](const Preset &preset) { return preset.name == name; });
  return found == std::end(kPresets) ? nullptr : found;
}
