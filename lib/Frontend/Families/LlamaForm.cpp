//===- LlamaForm.cpp - What LLaMA and its relatives share: names, positions, biases, windows ----------------------===//

#include "Families.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/StringExtras.h"

#include <functional>

using namespace tx;
using llvm::Error;
using llvm::StringLiteral;
using llvm::StringRef;
namespace json = llvm::json;

static constexpr Layout::Part kParts[] = {{Layout::Part::Kind::Attention, "input_layernorm"},
                                          {Layout::Part::Kind::Mlp, "post_attention_layernorm"}};
static constexpr StringLiteral kIgnored[] = {"*rotary_emb.inv_freq"}; // old files store the frequencies

const Layout tx::kLlamaLayout = {
    kParts,
    /*embedding=*/"model.embed_tokens",
    /*positions=*/"model.embed_positions",
    /*layer=*/"model.layers.",
    /*finalNorm=*/"model.norm",
    /*head=*/"lm_head",
    /*fusedQkv=*/"",
    /*query=*/"self_attn.q_proj",
    /*key=*/"self_attn.k_proj",
    /*value=*/"self_attn.v_proj",
    /*queryNorm=*/"self_attn.q_norm",
    /*keyNorm=*/"self_attn.k_norm",
    /*proj=*/"self_attn.o_proj",
    /*gate=*/"mlp.gate_proj",
    /*up=*/"mlp.up_proj",
    /*down=*/"mlp.down_proj",
    /*outputsFirst=*/true,
    /*prefix=*/"model.",
    kIgnored,
};

ModelConfig tx::getLlamaForm() {
  ModelConfig config;
  config.normalization = Normalization::RMSNorm;
  config.layernormEpsilon = 1e-6;
  config.positions = PositionEmbedding::Rope;
  config.activation = Activation::SwiGlu;
  config.setBiases(false);
  config.attentionDropout = config.hiddenDropout = config.embeddingDropout = 0.0;
  config.scaledResidualInit = false;
  config.tiedEmbeddings = false;
  return config;
}

std::string tx::findLlamaMisfit(const ModelConfig &config) {
  if (config.normalization != Normalization::RMSNorm)
    return "norms are LayerNorm";
  if (config.normOffset)
    return "norms multiply by 1 + weight";
  if (config.positions != PositionEmbedding::Rope)
    return "positions are not rotary";
  if (config.rope.interleaved)
    return "rotary positions are interleaved";
  if (config.rope.percent != 1.0)
    return "rotary positions rotate a part of each head";
  if (config.activation != Activation::SwiGlu)
    return "the MLP is GELU";
  return "";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rotary positions
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr StringLiteral kRopeFields[] = {"rope_theta", "rope_scaling", "rope_parameters",
                                                "partial_rotary_factor", "original_max_position_embeddings"};

// Keys that Hugging Face's classes do not read, in files that exist.
static constexpr StringLiteral kUnreadRopeKeys[] = {"finetuned", "attn_factor"};

static Error checkPartial(const ConfigReading &reading, const llvm::Twine &field, const json::Value *value) {
  if (!value || value->getAsNumber() == 1.0)
    return Error::success();
  return reading.refuse(field, *value, "this family rotates all columns of a head (1 is accepted)");
}

/// Reads rope_scaling or rope_parameters, whichever `field` names.
static Error readRopeObject(ConfigReading &reading, StringRef field, const json::Value &value, RopeConfig &rope,
                            std::optional<double> &theta) {
  const json::Object *object = value.getAsObject();
  if (!object)
    return reading.wrongType(field, value, "an object, or null");
  const json::Value *kind = ConfigReading::findIn(*object, "rope_type");
  const json::Value *oldKind = ConfigReading::findIn(*object, "type");
  if (kind && oldKind && *kind != *oldKind)
    return reading.refuse(field, value, "type and rope_type disagree; leave one out");
  kind = kind ? kind : oldKind;
  if (kind) {
    std::optional<StringRef> name = kind->getAsString();
    std::optional<RopeScaling> scaling = name ? symbolizeRopeScaling(*name) : std::nullopt;
    if (!scaling)
      return reading.refuse(field + ".rope_type", *kind,
                            "the ones that are there are default, linear, dynamic, llama3 and yarn");
    rope.scaling = *scaling;
  }

  struct Number {
    StringLiteral key;
    std::function<void(double)> set;
    bool zeroIsAbsent = false;
    llvm::SmallVector<RopeScaling, 4> kinds;
  };
  using Kind = RopeScaling;
  bool hasFactor = false, hasLow = false, hasHigh = false;
  const Number numbers[] = {
      {"rope_theta",
       [&](double x) { theta = x; },
       false,
       {Kind::Default, Kind::Linear, Kind::Dynamic, Kind::Llama3, Kind::Yarn}},
      {"factor",
       [&](double x) { rope.factor = x, hasFactor = true; },
       false,
       {Kind::Linear, Kind::Dynamic, Kind::Llama3, Kind::Yarn}},
      {"low_freq_factor", [&](double x) { rope.lowFrequencyFactor = x, hasLow = true; }, false, {Kind::Llama3}},
      {"high_freq_factor", [&](double x) { rope.highFrequencyFactor = x, hasHigh = true; }, false, {Kind::Llama3}},
      {"beta_fast", [&](double x) { rope.betaFast = x; }, true, {Kind::Yarn}},
      {"beta_slow", [&](double x) { rope.betaSlow = x; }, true, {Kind::Yarn}},
      {"attention_factor", [&](double x) { rope.attentionFactor = x; }, false, {Kind::Yarn}},
      {"mscale", [&](double x) { rope.mscale = x; }, true, {Kind::Yarn}},
      {"mscale_all_dim", [&](double x) { rope.mscaleAllDim = x; }, true, {Kind::Yarn}},
  };
  for (const auto &[keyText, entry] : *object) {
    StringRef key = keyText;
    std::string name = (field + "." + key).str();
    if (key == "rope_type" || key == "type" || entry.getAsNull())
      continue;
    if (entry.getAsObject())
      return reading.refuse(name, entry,
                            "positions of all layers are alike; tables by the type of a layer are not "
                            "there yet");
    if (key == "partial_rotary_factor") {
      if (Error error = checkPartial(reading, name, &entry))
        return error;
      continue;
    }
    if (key == "original_max_position_embeddings") {
      int64_t positions;
      if (Error error = reading.read(name, entry, positions))
        return error;
      if (rope.scaling == Kind::Llama3 || rope.scaling == Kind::Yarn)
        rope.originalPositions = positions;
      else
        reading.ignore(name);
      continue;
    }
    if (key == "truncate") {
      if (Error error = reading.read(name, entry, rope.truncate))
        return error;
      continue;
    }
    const Number *number = llvm::find_if(numbers, [&](const Number &number) { return number.key == key; });
    if (number == std::end(numbers)) {
      if (!llvm::is_contained(kUnreadRopeKeys, key))
        return reading.refuse(name, entry, "this key is unknown, and may change positions");
      reading.ignore(name);
      continue;
    }
    double read;
    if (Error error = reading.read(name, entry, read))
      return error;
    if (!llvm::is_contained(number->kinds, rope.scaling))
      reading.ignore(name); // Hugging Face's classes warn of it, and ignore it
    else if (read != 0 || !number->zeroIsAbsent)
      number->set(read);
  }
  auto missing = [&](StringRef key) {
    return reading.refuse(field, value, key + " is missing, which " + stringifyRopeScaling(rope.scaling) + " needs");
  };
  if (rope.scaling == Kind::Default)
    return Error::success();
  if (rope.scaling == Kind::Yarn && !hasFactor && rope.originalPositions)
    rope.factor = static_cast<double>(reading.config.maxPositionEmbeddings) / *rope.originalPositions;
  else if (!hasFactor)
    return missing("factor");
  if (rope.scaling == Kind::Llama3 && !hasLow)
    return missing("low_freq_factor");
  if (rope.scaling == Kind::Llama3 && !hasHigh)
    return missing("high_freq_factor");
  return Error::success();
}

/// The `rope_scaling` of transformers 4. Transformers 5 reads it too.
static json::Value describeScaling(const ModelConfig &config) {
  const RopeConfig &rope = config.rope;
  json::Object object{{"rope_type", stringifyRopeScaling(rope.scaling)}, {"factor", rope.factor}};
  auto addIf = [&](StringRef key, const std::optional<double> &value) {
    if (value)
      object[key] = *value;
  };
  switch (rope.scaling) {
  case RopeScaling::Default:
    return nullptr;
  case RopeScaling::Linear:
  case RopeScaling::Dynamic:
    break;
  case RopeScaling::Llama3:
    object["low_freq_factor"] = rope.lowFrequencyFactor;
    object["high_freq_factor"] = rope.highFrequencyFactor;
    object["original_max_position_embeddings"] = rope.originalPositions.value_or(config.maxPositionEmbeddings);
    break;
  case RopeScaling::Yarn:
    object["beta_fast"] = rope.betaFast;
    object["beta_slow"] = rope.betaSlow;
    object["original_max_position_embeddings"] = rope.originalPositions.value_or(config.maxPositionEmbeddings);
    if (!rope.truncate)
      object["truncate"] = false;
    addIf("attention_factor", rope.attentionFactor);
    addIf("mscale", rope.mscale);
    addIf("mscale_all_dim", rope.mscaleAllDim);
    break;
  }
  return object;
}

static Error readRope(ConfigReading &reading) {
  if (Error error = checkPartial(reading, "partial_rotary_factor", reading.find("partial_rotary_factor")))
    return error;
  struct Spelling {
    StringLiteral field;
    RopeConfig rope;
    std::optional<double> theta;
  };
  llvm::SmallVector<Spelling, 2> spellings;
  for (StringLiteral field : {StringLiteral("rope_scaling"), StringLiteral("rope_parameters")})
    if (const json::Value *value = reading.find(field)) {
      spellings.push_back({field, reading.config.rope, std::nullopt});
      if (Error error = readRopeObject(reading, field, *value, spellings.back().rope, spellings.back().theta))
        return error;
    }
  std::optional<double> theta;
  StringRef thetaField;
  auto takeTheta = [&](StringRef field, const json::Value &value, std::optional<double> other) -> Error {
    if (!other)
      return Error::success();
    if (theta && *theta != *other)
      return reading.refuse(field, value, thetaField + " says another rope_theta, " + show(*theta) + "; leave one out");
    theta = other, thetaField = field;
    return Error::success();
  };
  if (const json::Value *value = reading.find("rope_theta")) {
    double read;
    if (Error error = reading.read("rope_theta", *value, read))
      return error;
    theta = read, thetaField = "rope_theta";
  }
  for (const Spelling &spelling : spellings)
    if (Error error = takeTheta(spelling.field, *reading.find(spelling.field), spelling.theta))
      return error;
  ModelConfig &config = reading.config;
  if (!spellings.empty())
    config.rope = spellings[0].rope;
  if (spellings.size() == 2) {
    ModelConfig other = config;
    other.rope = spellings[1].rope;
    if (describeScaling(config) != describeScaling(other))
      return reading.refuse("rope_parameters", *reading.find("rope_parameters"),
                            "rope_scaling says something else; leave one out");
  }
  if (theta)
    config.rope.theta = *theta;
  // Outside of the two it has priority over both, for the kinds that have it.
  if (const json::Value *value = reading.find("original_max_position_embeddings")) {
    int64_t positions;
    if (Error error = reading.read("original_max_position_embeddings", *value, positions))
      return error;
    if (config.rope.scaling == RopeScaling::Llama3 || config.rope.scaling == RopeScaling::Yarn)
      config.rope.originalPositions = positions;
    else
      reading.ignore("original_max_position_embeddings");
  }
  return Error::success();
}

static void writeRope(const ModelConfig &config, json::Object &object) {
  object["rope_theta"] = config.rope.theta;
  object["rope_scaling"] = describeScaling(config);
}

const ConfigRule tx::kRopeRule = {
    kRopeFields,
    "rope_theta and rope_scaling of transformers 4, or rope_parameters of 5; if both are there they must agree. "
    "Scaling by default, linear, dynamic, llama3, yarn; others, and a partial_rotary_factor that is not 1, are refused",
    readRope, writeRope};

//===--------------------------------------------------------------------------------------------------------------===//
// Biases
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr StringLiteral kAttentionBiasFields[] = {"attention_bias"};

static Error readAttentionBias(ConfigReading &reading) {
  const json::Value *value = reading.find("attention_bias");
  if (!value)
    return Error::success();
  if (Error error = reading.read("attention_bias", *value, reading.config.qkvBias))
    return error;
  reading.config.projBias = reading.config.qkvBias;
  return Error::success();
}

static void writeAttentionBias(const ModelConfig &config, json::Object &object) {
  object["attention_bias"] = config.qkvBias;
}

const ConfigRule tx::kAttentionBiasRule = {kAttentionBiasFields, "biases of q, k, v and of attention's output",
                                           readAttentionBias, writeAttentionBias};

//===--------------------------------------------------------------------------------------------------------------===//
// Windows
//===--------------------------------------------------------------------------------------------------------------===//

Error tx::readLayerTypes(ConfigReading &reading, std::vector<bool> &areWindows) {
  const json::Value *value = reading.find("layer_types");
  if (!value)
    return Error::success();
  const json::Array *list = value->getAsArray();
  if (!list || static_cast<int64_t>(list->size()) != reading.config.numLayers)
    return reading.wrongType("layer_types", *value, "a list with one name for each of the layers");
  for (const json::Value &type : *list) {
    bool isWindow = type.getAsString() == StringRef("sliding_attention");
    if (!isWindow && type.getAsString() != StringRef("full_attention"))
      return reading.refuse("layer_types", type, "the ones that are known are full_attention and sliding_attention");
    areWindows.push_back(isWindow);
  }
  return Error::success();
}

static constexpr StringLiteral kNoWindowFields[] = {"sliding_window", "layer_types"};

static Error readNoWindow(ConfigReading &reading) {
  if (const json::Value *value = reading.find("sliding_window"))
    return reading.refuse("sliding_window", *value, "this family has no windows (null is accepted)");
  std::vector<bool> areWindows;
  if (Error error = readLayerTypes(reading, areWindows))
    return error;
  if (llvm::is_contained(areWindows, true))
    return reading.refuse("layer_types", *reading.find("layer_types"),
                          "this family has no windows: every layer is full_attention");
  return Error::success();
}

const ConfigRule tx::kNoWindowRule = {kNoWindowFields, "no windows: null, and full_attention alone", readNoWindow,
                                      [](const ModelConfig &, json::Object &) {}};

static constexpr StringLiteral kLayerWindowFields[] = {"use_sliding_window", "sliding_window", "max_window_layers",
                                                       "layer_types"};

static Error readLayerWindows(ConfigReading &reading) {
  bool isUsed = false;
  int64_t window = 4096, first = 28;
  if (const json::Value *value = reading.find("use_sliding_window"))
    if (Error error = reading.read("use_sliding_window", *value, isUsed))
      return error;
  const json::Value *windowValue = reading.find("sliding_window");
  if (isUsed && windowValue)
    if (Error error = reading.read("sliding_window", *windowValue, window))
      return error;
  bool isNull = reading.has("sliding_window") && !windowValue;
  const json::Value *firstValue = reading.find("max_window_layers");
  if (isUsed && firstValue) {
    std::optional<int64_t> number = firstValue->getAsInteger();
    if (!number || *number < 0)
      return reading.wrongType("max_window_layers", *firstValue, "a whole number, at least 0");
    first = *number;
  }
  std::vector<bool> areWindows;
  if (Error error = readLayerTypes(reading, areWindows))
    return error;
  bool hasWindow = isUsed && !isNull;
  if (!hasWindow && llvm::is_contained(areWindows, true))
    return reading.refuse("layer_types", *reading.find("layer_types"),
                          "it has sliding_attention, but use_sliding_window is false, or sliding_window null");
  if (!hasWindow)
    return Error::success();
  ModelConfig &config = reading.config;
  for (int64_t layer = 0; layer < std::min(config.numLayers, ModelConfig::kMaxLayers); ++layer)
    config.windows.push_back((areWindows.empty() ? layer >= first : areWindows[layer]) ? window : 0);
  return Error::success();
}

static void writeLayerWindows(const ModelConfig &config, json::Object &object) {
  int64_t window = 0;
  json::Array types;
  for (int64_t layer = 0; layer < config.numLayers; ++layer) {
    int64_t own = config.getWindow(layer);
    window = own ? own : window;
    types.push_back(own ? "sliding_attention" : "full_attention");
  }
  object["use_sliding_window"] = window != 0;
  if (window == 0)
    return;
  object["sliding_window"] = window;
  object["layer_types"] = std::move(types);
}

const ConfigRule tx::kLayerWindowRule = {
    kLayerWindowFields,
    "windows, if use_sliding_window is true, of the layers from max_window_layers on, or of those that layer_types "
    "says. A window that is smaller than the sequence is refused",
    readLayerWindows, writeLayerWindows};
