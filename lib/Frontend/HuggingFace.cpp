//===- HuggingFace.cpp - Reading GPT-2's config.json --------------------------------------------------------------===//

#include "tx/Frontend/HuggingFace.h"
#include "tx/Frontend/InputLimits.h"
#include "tx/Frontend/UserError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace tx;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace json = llvm::json;

namespace {

struct Alias {
  StringRef other, field;
};
constexpr Alias kAliases[] = {
#define HF_ALIAS(OTHER, FIELD) {OTHER, FIELD},
#include "tx/Frontend/HuggingFaceFields.def"
};

struct Fixed {
  StringRef field, value, reason;
};
constexpr Fixed kFixed[] = {
#define HF_FIXED(FIELD, VALUE, REASON) {FIELD, VALUE, REASON},
#include "tx/Frontend/HuggingFaceFields.def"
};

constexpr StringRef kHarmless[] = {
#define HF_HARMLESS(FIELD) FIELD,
#include "tx/Frontend/HuggingFaceFields.def"
};

class ConfigReader {
public:
  ConfigReader(const json::Object &object, StringRef name) : object(object), name(name) {}

  Expected<ModelConfig> read(std::vector<std::string> &notes);

private:
  Error readKind();
  Error checkHead(std::vector<std::string> &notes) const;
  Error readField(StringRef field, const json::Value &value);
  Error refuse(StringRef field, const json::Value &value, const llvm::Twine &reason) const {
    return badInput(name + ": " + field + " is " + show(value) + ", refused: " + reason);
  }
  Error wrongType(StringRef field, const json::Value &value, StringRef expected) const {
    return badInput(name + ": " + field + " is " + show(value) + "; it must be " + expected);
  }
  // Shows a value of the file in an error, which must stay one line.
  static std::string show(const json::Value &value) {
    std::string text = llvm::formatv("{0}", value);
    return text.size() <= 60 ? text : text.substr(0, 57) + "...";
  }

  const json::Object &object;
  StringRef name;
  ModelConfig config;
  bool isHeadless = false;
  llvm::SmallVector<StringRef> ignored;
  llvm::StringMap<StringRef> seen; ///< key: a field's main name; value: the name by which the file gives it
};

} // namespace

/// Checks model_type and architectures: any model but GPT-2 is refused.
Error ConfigReader::readKind() {
  const json::Value *type = object.get("model_type");
  if (!type)
    return badInput(name + ": model_type is missing; it must be \"gpt2\"");
  if (type->getAsString() != StringRef("gpt2"))
    return refuse("model_type", *type, "the one that is there yet is \"gpt2\"");
  if (const json::Value *names = object.get("architectures")) {
    const json::Array *list = names->getAsArray();
    auto is = [&](StringRef name) {
      return list && llvm::all_of(*list, [&](const json::Value &value) { return value.getAsString() == name; });
    };
    if (!is("GPT2LMHeadModel") && !is("GPT2Model") && !names->getAsNull())
      return refuse(
          "architectures", *names,
          "the ones that are there yet are [\"GPT2LMHeadModel\"], and [\"GPT2Model\"] with its table as head");
    isHeadless = list && !list->empty() && is("GPT2Model");
  }
  return Error::success();
}

/// A GPT2Model has no language model head, which a training step needs. With tied embeddings the head's weight is the
/// token table, so the step adds a head, and the model's file has all of its weights. Without tied embeddings it is an
/// error.
Error ConfigReader::checkHead(std::vector<std::string> &notes) const {
  if (!isHeadless)
    return Error::success();
  if (!config.tiedEmbeddings)
    return badInput(name + ": architectures is [\"GPT2Model\"], which has no weight for a head of its own, but "
                           "tie_word_embeddings is false; give [\"GPT2LMHeadModel\"], or true");
  notes.push_back(
      llvm::formatv("architectures of {0} is [\"GPT2Model\"], which has no head: the step has "
                    "GPT2LMHeadModel's, whose weight is the table of tokens; tx-run --load takes the file's "
                    "names without transformer.",
                    name));
  return Error::success();
}

Error ConfigReader::readField(StringRef field, const json::Value &value) {
  StringRef given = field;
  for (const Alias &alias : kAliases)
    if (alias.other == field)
      field = alias.field;
  if (auto [other, isNew] = seen.try_emplace(field, given); !isNew)
    return badInput(name + ": " + given + " and " + other->second + " are the same field; leave one out");

  auto readCount = [&](int64_t &member) -> Error {
    std::optional<int64_t> number = value.getAsInteger();
    if (!number)
      return wrongType(given, value, "a whole number");
    // 0 and negative numbers (kUnset is one) do not mean that the file leaves a size out: they are errors.
    if (*number < 1)
      return wrongType(given, value, "at least 1");
    member = *number;
    return Error::success();
  };
  auto readNumber = [&](double &member) -> Error {
    std::optional<double> number = value.getAsNumber();
    if (!number || !std::isfinite(*number))
      return wrongType(given, value, "a finite number");
    member = *number;
    return Error::success();
  };

  if (field == "model_type" || field == "architectures")
    return Error::success(); // readKind has checked them
  if (field == "n_inner" && value.getAsNull())
    return Error::success(); // null means 4 n_embd, as in an absent field
#define HF_COUNT(FIELD, MEMBER)                                                                                        \
  if (field == FIELD)                                                                                                  \
    return readCount(config.MEMBER);
#define HF_NUMBER(FIELD, MEMBER)                                                                                       \
  if (field == FIELD)                                                                                                  \
    return readNumber(config.MEMBER);
#include "tx/Frontend/HuggingFaceFields.def"
  if (field == "tie_word_embeddings") {
    std::optional<bool> isTied = value.getAsBoolean();
    if (!isTied)
      return wrongType(given, value, "true or false");
    config.tiedEmbeddings = *isTied;
    return Error::success();
  }
  if (field == "activation_function") {
    if (value.getAsString() == StringRef("gelu_new") || value.getAsString() == StringRef("gelu_pytorch_tanh"))
      return Error::success();
    return refuse(given, value, "the MLP is GELU in its tanh form: gelu_new or gelu_pytorch_tanh");
  }
  for (const Fixed &fixed : kFixed)
    if (fixed.field == field) {
      json::Value expected = llvm::cantFail(json::parse(fixed.value));
      if (value.getAsNull() || value == expected)
        return Error::success();
      return refuse(given, value, fixed.reason + " (" + fixed.value + " is accepted)");
    }
  if (llvm::is_contained(kHarmless, field)) {
    ignored.push_back(given);
    return Error::success();
  }
  return refuse(given, value, "this field is unknown, and may change the model");
}

Expected<ModelConfig> ConfigReader::read(std::vector<std::string> &notes) {
  if (Error error = readKind())
    return std::move(error);
  // The defaults of Hugging Face's GPT2Config.
  config.numLayers = 12, config.hiddenSize = 768, config.numAttentionHeads = 12;
  config.vocabSize = 50257, config.maxPositionEmbeddings = 1024;
  for (const auto &[field, value] : object)
    if (Error error = readField(field, value))
      return std::move(error);
  if (Error error = checkHead(notes))
    return std::move(error);
  if (!ignored.empty()) {
    llvm::sort(ignored);
    notes.push_back(llvm::formatv("ignored of {0}, these change nothing here: {1}", name, llvm::join(ignored, " ")));
  }
  return config;
}

Expected<ModelConfig> tx::parseHuggingFaceConfig(StringRef text, StringRef name, std::vector<std::string> &notes) {
  if (Error error = checkJsonLimits(text, name))
    return std::move(error);
  Expected<json::Value> value = json::parse(text);
  if (!value)
    return badInput(name + ": " + llvm::toString(value.takeError()));
  const json::Object *object = value->getAsObject();
  if (!object)
    return badInput(name + ": it must hold a JSON object, {\"model_type\": \"gpt2\", ...}");
  return ConfigReader(*object, name).read(notes);
}

Expected<ModelConfig> tx::readHuggingFaceConfig(StringRef path, std::vector<std::string> &notes) {
  constexpr uint64_t kMaxBytes = 1 << 20;
  auto buffer = readRegularFile(path, kMaxBytes);
  if (!buffer)
    return buffer.takeError();
  return parseHuggingFaceConfig((*buffer)->getBuffer(), path, notes);
}
