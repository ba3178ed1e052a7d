//===- HuggingFace.cpp - Reading config.json ----------------------------------------------------------------------===//

#include "tx/Frontend/HuggingFace.h"
#include "ConfigReading.h"

#include "tx/Frontend/Family.h"
#include "tx/Support/InputLimits.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace tx;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;
namespace json = llvm::json;

//===--------------------------------------------------------------------------------------------------------------===//
// Values
//===--------------------------------------------------------------------------------------------------------------===//

/// Shows a value of the file in an error, which must stay one line.
static std::string showValue(const json::Value &value) {
  std::string text = llvm::formatv("{0}", value);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

const json::Value *ConfigReading::findIn(const json::Object &object, StringRef field) {
  const json::Value *value = object.get(field);
  return value && !value->getAsNull() ? value : nullptr;
}

Error ConfigReading::refuse(const llvm::Twine &field, const json::Value &value, const llvm::Twine &reason) const {
  return badInput(file + ": " + field + " is " + showValue(value) + ", refused: " + reason);
}

Error ConfigReading::wrongType(const llvm::Twine &field, const json::Value &value, StringRef expected) const {
  return badInput(file + ": " + field + " is " + showValue(value) + "; it must be " + expected);
}

Error ConfigReading::read(const llvm::Twine &field, const json::Value &value, int64_t &member) const {
  std::optional<int64_t> number = value.getAsInteger();
  if (!number)
    return wrongType(field, value, "a whole number");
  // 0 and negative numbers (kUnset is one) do not mean that the file leaves a size out: they are errors.
  if (*number < 1)
    return wrongType(field, value, "at least 1");
  member = *number;
  return Error::success();
}

Error ConfigReading::read(const llvm::Twine &field, const json::Value &value, double &member) const {
  std::optional<double> number = value.getAsNumber();
  if (!number || !std::isfinite(*number))
    return wrongType(field, value, "a finite number");
  member = *number;
  return Error::success();
}

Error ConfigReading::read(const llvm::Twine &field, const json::Value &value, bool &member) const {
  std::optional<bool> flag = value.getAsBoolean();
  if (!flag)
    return wrongType(field, value, "true or false");
  member = *flag;
  return Error::success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// A file
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether the file's architectures name the family's class without a head. An error if they name another class.
static Expected<bool> readArchitectures(const Family &family, const json::Object &object,
                                        const ConfigReading &reading) {
  const json::Value *names = reading.find("architectures");
  if (!names)
    return false;
  const json::Array *list = names->getAsArray();
  auto are = [&](StringRef name) {
    return list && llvm::all_of(*list, [&](const json::Value &value) { return value.getAsString() == name; });
  };
  if (!are(family.causalClass) && !are(family.headlessClass))
    return reading.refuse("architectures", *names,
                          "the ones that are there are [\"" + family.causalClass + "\"], and [\"" +
                              family.headlessClass + "\"] with its table as head");
  return !list->empty() && are(family.headlessClass);
}

/// A class without a head lacks what a training step needs. With tied embeddings the head's weight is the token table,
/// so the step adds a head, and the model's file has all of its weights. Without tied embeddings it is an error.
static Error checkHead(const Family &family, const ModelConfig &config, StringRef file,
                       std::vector<std::string> &notes) {
  if (!config.tiedEmbeddings)
    return badInput(file + ": architectures is [\"" + family.headlessClass +
                    "\"], which has no weight for a head of its own, and embeddings are not tied; give [\"" +
                    family.causalClass + "\"], or tie_word_embeddings true");
  notes.push_back(
      llvm::formatv("architectures of {0} is [\"{1}\"], which has no head: the step has {2}'s, whose weight "
                    "is the table of tokens; tx-run --load takes the file's names without {3}",
                    file, family.headlessClass, family.causalClass, family.layout.prefix));
  return Error::success();
}

/// The known field of the family whose name differs from `name` by the fewest edits; empty if none is near.
static StringRef findNearestField(const Family &family, StringRef name) {
  unsigned best = std::max<size_t>(2, name.size() / 3) + 1;
  StringRef nearest;
  auto consider = [&](StringRef known) {
    unsigned distance = name.edit_distance(known, /*AllowReplacements=*/true, best);
    if (distance < best)
      best = distance, nearest = known;
  };
  for (llvm::ArrayRef<ConfigField> fields : {family.fields, getCommonFields()})
    for (const ConfigField &field : fields)
      consider(field.name);
  for (const ConfigRule *rule : family.rules)
    for (StringRef field : rule->fields)
      consider(field);
  return nearest;
}

static Error readField(const Family &family, StringRef given, const json::Value &value, ConfigReading &reading) {
  const ConfigField *field = findField(family, given);
  if (!field) {
    StringRef nearest = findNearestField(family, given);
    return reading.refuse(given, value,
                          "this field is unknown, and may change the model" +
                              (nearest.empty() ? "" : "; the nearest that is known is " + nearest));
  }
  ModelConfig &config = reading.config;
  switch (field->kind) {
  case ConfigField::Kind::Count:
    if (field->isNullable && value.getAsNull()) {
      config.*field->count = ModelConfig::kUnset;
      return Error::success();
    }
    return reading.read(given, value, config.*field->count);
  case ConfigField::Kind::Number:
    return reading.read(given, value, config.*field->number);
  case ConfigField::Kind::Flag:
    return reading.read(given, value, config.*field->flag);
  case ConfigField::Kind::Fixed:
    if (value.getAsNull() || value == llvm::cantFail(json::parse(field->value)))
      return Error::success();
    return reading.refuse(given, value, field->text + " (" + field->value + " is accepted)");
  case ConfigField::Kind::Harmless:
    reading.ignore(given);
    config.extra[given.str()] = value; // the key must not be a part of the file, which is gone later
    return Error::success();
  }
  llvm_unreachable("all kinds of fields are read");
}

static Expected<ModelConfig> readConfig(const json::Object &object, StringRef file, std::vector<std::string> &notes) {
  ModelConfig config;
  ConfigReading reading(object, file, config);
  const json::Value *type = object.get("model_type");
  if (!type)
    return badInput(file + ": model_type is missing; it must be one of " + listFamilies());
  const Family *family = findFamily(type->getAsString().value_or(""));
  if (!family)
    return reading.refuse("model_type", *type, "the ones that are there are " + listFamilies());
  Expected<bool> isHeadless = readArchitectures(*family, object, reading);
  if (!isHeadless)
    return isHeadless.takeError();

  config = family->getDefaults();
  llvm::StringMap<StringRef> seen; // key: a field's main name; value: the name by which the file gives it
  for (const auto &[field, value] : object) {
    StringRef given = field;
    const ConfigField *known = findField(*family, given);
    if (auto [other, isNew] = seen.try_emplace(known ? StringRef(known->name) : given, given); !isNew)
      return badInput(file + ": " + given + " and " + other->second + " are the same field; leave one out");
    if (given == "model_type" || given == "architectures" || findRule(*family, given))
      continue;
    if (Error error = readField(*family, given, value, reading))
      return std::move(error);
  }
  for (const ConfigRule *rule : family->rules)
    if (Error error = rule->read(reading))
      return std::move(error);
  if (*isHeadless)
    if (Error error = checkHead(*family, config, file, notes))
      return std::move(error);
  if (!reading.getIgnored().empty()) {
    llvm::SmallVector<std::string> ignored(reading.getIgnored());
    llvm::sort(ignored);
    notes.push_back(llvm::formatv("ignored of {0}, these change nothing here: {1}", file, llvm::join(ignored, " ")));
  }
  // What says how the file was written says nothing of a file that we write.
  for (const char *field : {"dtype", "transformers_version", "_name_or_path"})
    config.extra.erase(field);
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
  return readConfig(*object, name, notes);
}

Expected<ModelConfig> tx::readHuggingFaceConfig(StringRef path, std::vector<std::string> &notes) {
  constexpr uint64_t kMaxBytes = 1 << 20;
  auto buffer = readRegularFile(path, kMaxBytes);
  if (!buffer)
    return buffer.takeError();
  return parseHuggingFaceConfig((*buffer)->getBuffer(), path, notes);
}
