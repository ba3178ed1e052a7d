//===- Presets.h - Models known by name -----------------------------------------------------------------*- C++ -*-===//

#ifndef TX_FRONTEND_PRESETS_H
#define TX_FRONTEND_PRESETS_H

#include "tx/Frontend/ModelConfig.h"

#include "llvm/ADT/ArrayRef.h"

namespace tx {

struct Preset {
  llvm::StringRef name;
  llvm::StringRef fields; ///< of its config.json, without the braces
  DType dtype;
  llvm::StringRef help;

  ModelConfig getConfig() const;
};

/// In the order of Presets.def.
llvm::ArrayRef<Preset> getPresets();
/// The preset of that name; null if there is none.
const Preset *findPreset(llvm::StringRef name);

} // namespace tx

#endif // TX_FRONTEND_PRESETS_H
