//===- Family.h - What is particular to a family of models ----------------------------------------------*- C++ -*-===//
//
// A family is what Hugging Face calls a model_type: how its config.json is read and written, which form of model it is,
// and what its parameters are called. Each is one file of data in lib/Frontend/Families and a line in Families.cpp;
// nothing else knows a family by name (docs/Guides/a-family.md makes one).
//
//   const Family *family = findFamily("qwen3");
//   ModelConfig config = family->getDefaults();
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_FAMILY_H
#define TX_FRONTEND_FAMILY_H

#include "tx/Frontend/ModelConfig.h"

#include "llvm/ADT/ArrayRef.h"

namespace tx {

class ConfigReading;

/// A field of config.json.
struct ConfigField {
  enum class Kind {
    Count,    ///< a whole number of the model, at least 1
    Number,   ///< any number of the model
    Flag,     ///< true or false
    Fixed,    ///< has one value here; another is refused
    Harmless, ///< changes nothing here: noted, and written back
  };
  llvm::StringLiteral name;
  Kind kind;
  llvm::StringLiteral text = ""; ///< Fixed: why another value is refused; otherwise help
  int64_t ModelConfig::*count = nullptr;
  double ModelConfig::*number = nullptr;
  bool ModelConfig::*flag = nullptr;
  bool isNullable = false;        ///< null means that the field is absent
  llvm::StringLiteral value = ""; ///< Fixed: the one value, as JSON; null passes too
  llvm::StringLiteral other = ""; ///< another name of the field
};

constexpr ConfigField countField(llvm::StringLiteral name, int64_t ModelConfig::*member,
                                 llvm::StringLiteral other = "") {
  return {name, ConfigField::Kind::Count, "", member, nullptr, nullptr, false, "", other};
}
constexpr ConfigField nullableCountField(llvm::StringLiteral name, int64_t ModelConfig::*member) {
  return {name, ConfigField::Kind::Count, "", member, nullptr, nullptr, true};
}
constexpr ConfigField numberField(llvm::StringLiteral name, double ModelConfig::*member) {
  return {name, ConfigField::Kind::Number, "", nullptr, member};
}
constexpr ConfigField flagField(llvm::StringLiteral name, bool ModelConfig::*member) {
  return {name, ConfigField::Kind::Flag, "", nullptr, nullptr, member};
}
constexpr ConfigField fixedField(llvm::StringLiteral name, llvm::StringLiteral value, llvm::StringLiteral reason) {
  return {name, ConfigField::Kind::Fixed, reason, nullptr, nullptr, nullptr, false, value};
}
constexpr ConfigField harmlessField(llvm::StringLiteral name) { return {name, ConfigField::Kind::Harmless}; }

/// Fields that have a meaning only together, such as those of a sliding window.
struct ConfigRule {
  llvm::ArrayRef<llvm::StringLiteral> fields;
  llvm::StringLiteral text; ///< what is read, and what is refused
  /// Called once, after the other fields are read, whether the fields are there or not.
  llvm::Error (*read)(ConfigReading &reading);
  /// Writes the fields of a config whose form the family has.
  void (*write)(const ModelConfig &config, llvm::json::Object &object);
};

/// What a layer is put together from, and what the parameters are called. Names of a layer's parameters follow
/// `layer` and the layer's number: model.layers.3.self_attn.q_proj.weight.
struct Layout {
  /// A part of a layer: adds to the residual stream what its ops make of the normalized stream.
  struct Part {
    enum class Kind { Attention, Mlp } kind;
    llvm::StringLiteral norm; ///< the norm before the part
  };
  llvm::ArrayRef<Part> parts; ///< in their order
  llvm::StringLiteral embedding, positions, layer, finalNorm, head;
  llvm::StringLiteral fusedQkv; ///< one product for q, k and v; empty: three of them
  llvm::StringLiteral query, key, value, queryNorm, keyNorm, proj;
  llvm::StringLiteral gate, up, down; ///< without SwiGLU there is no gate
  bool outputsFirst;                  ///< a weight of a product is [out, in], not [in, out]
  llvm::StringLiteral prefix;         ///< files may have or lack it at the front of names
  /// Tensors of old files that are no parameters; `*` stands for any text.
  llvm::ArrayRef<llvm::StringLiteral> ignored;
};

struct Family {
  llvm::StringLiteral name;          ///< model_type
  llvm::StringLiteral causalClass;   ///< the class of `architectures`
  llvm::StringLiteral headlessClass; ///< the class that has no head
  llvm::StringLiteral summary;
  /// The defaults of the family's config class.
  ModelConfig (*getDefaults)();
  llvm::ArrayRef<ConfigField> fields; ///< besides those that all families have
  llvm::ArrayRef<const ConfigRule *> rules;
  /// What in the model's form the family's class does not have; empty: the class can load the model.
  std::string (*findMisfit)(const ModelConfig &config);
  const Layout &layout;
};

/// All families. The first whose form a model has is the model's, if it comes from flags alone.
llvm::ArrayRef<const Family *> getFamilies();
/// The family of that model_type; null if there is none.
const Family *findFamily(llvm::StringRef name);
/// The names of all families, for messages: `"gpt2", "llama"`.
std::string listFamilies();

/// Fields that every family has: of generation, of files, and those that would change any model.
llvm::ArrayRef<ConfigField> getCommonFields();
/// The family's field of that name, or that is also called so; null if there is none. Searches common fields too.
const ConfigField *findField(const Family &family, llvm::StringRef name);
/// tx-compile's flag that sets what the field sets; empty if there is none.
llvm::StringRef getFlagOf(const ConfigField &field);
/// The rule that has the field; null if none has.
const ConfigRule *findRule(const Family &family, llvm::StringRef field);

/// The layout that a model's parameters have: that of its family, or, if the model's form is no family's, the one that
/// can name all its parameters.
const Layout &getLayout(const ModelConfig &config);

/// The family whose class can load the model: `config.type` if it can, or another one; null if there is none.
const Family *findFittingFamily(const ModelConfig &config);

/// Why no family's class can load the model, compared with the family that is nearest; empty if one can.
std::string describeMisfit(const ModelConfig &config);

/// The config.json of a model that has its family's form.
llvm::json::Object toHuggingFace(const Family &family, const ModelConfig &config);

/// The `weights` object of the artifact's manifest (docs/Artifact.md): what a program must know to load weights from
/// Hugging Face's files, and to write them. The config must be resolved.
llvm::json::Object describeWeights(const ModelConfig &config);

} // namespace tx

#endif // TX_FRONTEND_FAMILY_H
