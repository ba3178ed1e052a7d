//===- HuggingFace.h - config.json ----------------------------------------------------------------------*- C++ -*-===//

#ifndef TX_FRONTEND_HUGGINGFACE_H
#define TX_FRONTEND_HUGGINGFACE_H

#include "tx/Frontend/ModelConfig.h"

#include <string>
#include <vector>

namespace tx {

/// Reads a config.json of one of the families (Family.h), with the defaults of the family's class for absent fields.
/// Each field is modelled, or harmless (ignored, and listed in one note of `notes`), or refused with an error that
/// names it. An unknown field is refused. `name` is the file's name, for errors.
llvm::Expected<ModelConfig> parseHuggingFaceConfig(llvm::StringRef json, llvm::StringRef name,
                                                   std::vector<std::string> &notes);
llvm::Expected<ModelConfig> readHuggingFaceConfig(llvm::StringRef path, std::vector<std::string> &notes);

} // namespace tx

#endif // TX_FRONTEND_HUGGINGFACE_H
