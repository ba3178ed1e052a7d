//===- Families.cpp - The table of families, and what all of them have --------------------------------------------===//

#include "Families.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace tx;
using llvm::ArrayRef;
using llvm::StringRef;
namespace json = llvm::json;

static const Family *const kFamilies[] = {
    &kGpt2Family, &kLlamaFamily, &kQwen2Family, &kQwen3Family, &kMistralFamily,
};

static constexpr ConfigField kCommonFields[] = {
    flagField("tie_word_embeddings", &ModelConfig::tiedEmbeddings),
    fixedField("add_cross_attention", "false", "there is no encoder to attend to"),
    fixedField("is_encoder_decoder", "false", "the model is a decoder"),
    fixedField("cross_attention_hidden_size", "null", "there is no encoder to attend to"),
    fixedField("tie_encoder_decoder", "false", "there is no encoder"),
    fixedField("use_bidirectional_attention", "false", "a token attends to those before it alone"),
    fixedField("is_causal", "true", "a token attends to those before it alone"),
    fixedField("pruned_heads", "{}", "every layer has all heads"),
    fixedField("chunk_size_feed_forward", "0",
               "the MLP runs on all tokens at once; --recompute-modules mlp saves memory"),
    fixedField("gradient_checkpointing", "false", "recomputation is asked for by --recompute-granularity"),
    fixedField("use_bfloat16", "false", "the precision is asked for by --bf16"),
    fixedField("quantization_config", "null", "weights are f32 or bf16"),
    harmlessField("_attn_implementation"),
    harmlessField("_attn_implementation_autoset"),
    harmlessField("_commit_hash"),
    harmlessField("_flash_attn_2_enabled"),
    harmlessField("_name_or_path"),
    harmlessField("_num_labels"),
    harmlessField("attn_implementation"),
    harmlessField("attribute_map"),
    harmlessField("auto_map"),
    harmlessField("bad_words_ids"),
    harmlessField("begin_suppress_tokens"),
    harmlessField("bos_token_id"),
    harmlessField("decoder_start_token_id"),
    harmlessField("diversity_penalty"),
    harmlessField("do_sample"),
    harmlessField("dtype"), // the file's type; --fp32 and --bf16 are the step's
    harmlessField("early_stopping"),
    harmlessField("encoder_no_repeat_ngram_size"),
    harmlessField("eos_token_id"),
    harmlessField("exponential_decay_length_penalty"),
    harmlessField("finetuning_task"),
    harmlessField("forced_bos_token_id"),
    harmlessField("forced_eos_token_id"),
    harmlessField("id2label"),
    harmlessField("is_decoder"),
    harmlessField("keys_to_ignore_at_inference"),
    harmlessField("label2id"),
    harmlessField("length_penalty"),
    harmlessField("max_length"),
    harmlessField("min_length"),
    harmlessField("model_max_length"),
    harmlessField("no_repeat_ngram_size"),
    harmlessField("num_beam_groups"),
    harmlessField("num_beams"),
    harmlessField("num_labels"),
    harmlessField("num_return_sequences"),
    harmlessField("output_attentions"),
    harmlessField("output_hidden_states"),
    harmlessField("output_past"),
    harmlessField("output_scores"),
    harmlessField("pad_token_id"),
    harmlessField("prefix"),
    harmlessField("problem_type"),
    harmlessField("remove_invalid_values"),
    harmlessField("repetition_penalty"),
    harmlessField("return_dict"),
    harmlessField("return_dict_in_generate"),
    harmlessField("sep_token_id"),
    harmlessField("suppress_tokens"),
    harmlessField("task_specific_params"),
    harmlessField("temperature"),
    harmlessField("tf_legacy_loss"),
    harmlessField("tokenizer_class"),
    harmlessField("top_k"),
    harmlessField("top_p"),
    harmlessField("torch_dtype"),
    harmlessField("torchscript"),
    harmlessField("transformers.js_config"),
    harmlessField("transformers_version"),
    harmlessField("typical_p"),
    harmlessField("unk_token_id"),
    harmlessField("unsloth_fixed"),
    harmlessField("unsloth_version"),
    harmlessField("use_cache"),
};

ArrayRef<const Family *> tx::getFamilies() { return kFamilies; }

const Family *tx::findFamily(StringRef name) {
  const Family *const *found = llvm::find_if(kFamilies, [&](const Family *family) { return family->name == name; });
  return found == std::end(kFamilies) ? nullptr : *found;
}

std::string tx::listFamilies() {
  llvm::SmallVector<std::string> names;
  for (const Family *family : kFamilies)
    names.push_back(("\"" + family->name + "\"").str());
  return llvm::join(names, ", ");
}

ArrayRef<ConfigField> tx::getCommonFields() { return kCommonFields; }

const ConfigField *tx::findField(const Family &family, StringRef name) {
  for (ArrayRef<ConfigField> fields : {family.fields, getCommonFields()})
    for (const ConfigField &field : fields)
      if (field.name == name || (!field.other.empty() && field.other == name))
        return &field;
  return nullptr;
}

const ConfigRule *tx::findRule(const Family &family, StringRef field) {
  for (const ConfigRule *rule : family.rules)
    if (llvm::is_contained(rule->fields, field))
      return rule;
  return nullptr;
}

/// Whether GPT-2's layout, whose one product gives q, k and v of the hidden size, can name the model's parameters.
static bool fitsGpt2Layout(const ModelConfig &config) {
  ModelConfig withBiases = config;
  withBiases.setBiases(true);
  return kGpt2Family.findMisfit(withBiases).empty();
}

const Layout &tx::getLayout(const ModelConfig &config) {
  if (const Family *family = findFittingFamily(config))
    return family->layout;
  return fitsGpt2Layout(config) ? kGpt2Layout : kLlamaLayout;
}

const Family *tx::findFittingFamily(const ModelConfig &config) {
  const Family *own = findFamily(config.type);
  if (own && own->findMisfit(config).empty())
    return own;
  const Family *const *found =
      llvm::find_if(kFamilies, [&](const Family *family) { return family->findMisfit(config).empty(); });
  return found == std::end(kFamilies) ? nullptr : *found;
}

std::string tx::describeMisfit(const ModelConfig &config) {
  if (findFittingFamily(config))
    return "";
  const Family *own = findFamily(config.type);
  if (!own)
    own = &getLayout(config) == &kGpt2Layout ? &kGpt2Family : &kLlamaFamily;
  return "unlike " + own->name.str() + ", " + own->findMisfit(config);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Writing
//===--------------------------------------------------------------------------------------------------------------===//

json::Object tx::toHuggingFace(const Family &family, const ModelConfig &config) {
  json::Object object = config.extra;
  object["model_type"] = family.name;
  object["architectures"] = json::Array{family.causalClass};
  for (ArrayRef<ConfigField> fields : {family.fields, getCommonFields()})
    for (const ConfigField &field : fields) {
      if (field.count)
        object[field.name] = config.*field.count;
      if (field.number)
        object[field.name] = config.*field.number;
      if (field.flag)
        object[field.name] = config.*field.flag;
    }
  for (const ConfigRule *rule : family.rules)
    rule->write(config, object);
  object["torch_dtype"] = config.dtype == DType::F32 ? "float32" : "bfloat16";
  return object;
}

json::Object tx::describeWeights(const ModelConfig &config) {
  const Layout &layout = getLayout(config);
  json::Object tied;
  if (config.tiedEmbeddings)
    tied[(layout.head + ".weight").str()] = (layout.embedding + ".weight").str();
  json::Object weights{{"prefix", layout.prefix}, {"tied", std::move(tied)}, {"ignored", json::Array(layout.ignored)}};
  if (const Family *family = findFittingFamily(config))
    weights["config"] = toHuggingFace(*family, config);
  return weights;
}
