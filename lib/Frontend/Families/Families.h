//===- Families.h - What files of families share --------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_FRONTEND_FAMILIES_FAMILIES_H
#define TX_LIB_FRONTEND_FAMILIES_FAMILIES_H

#include "../ConfigReading.h"

#include "tx/Frontend/Family.h"

namespace tx {

// One line for each file of a family. The order is getFamilies'.
extern const Family kGpt2Family, kLlamaFamily, kQwen2Family, kQwen3Family, kMistralFamily;

/// The layout of LLaMA, which most families have. It has names for every form that the builder knows.
extern const Layout kLlamaLayout;
extern const Layout kGpt2Layout;

/// What a config of the LLaMA form begins with: RMS norms, rotary positions, SwiGLU, no biases, no dropout, a head of
/// its own, normal initial weights.
ModelConfig getLlamaForm();
/// What a model lacks of the LLaMA form, whatever its biases and QK norms are; empty: nothing.
std::string findLlamaMisfit(const ModelConfig &config);

// Rules that several families have.
extern const ConfigRule kRopeRule;          ///< rope_theta and rope_scaling, or rope_parameters
extern const ConfigRule kAttentionBiasRule; ///< attention_bias: of q, k, v and o
extern const ConfigRule kNoWindowRule;      ///< sliding_window and layer_types of a family without windows
extern const ConfigRule kLayerWindowRule;   ///< windows that only some layers have, by use_sliding_window

/// Reads layer_types: whether each layer has a window; empty if the file has no such list.
llvm::Error readLayerTypes(ConfigReading &reading, std::vector<bool> &areWindows);

} // namespace tx

#endif // TX_LIB_FRONTEND_FAMILIES_FAMILIES_H
