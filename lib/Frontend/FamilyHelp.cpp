//===- FamilyHelp.cpp - The page of families, from their tables ---------------------------------------------------===//

#include "tx/Frontend/Family.h"
#include "tx/Frontend/Help.h"
#include "tx/Frontend/Parameters.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/StringExtras.h"

using namespace tx;
using llvm::ArrayRef;
using llvm::raw_ostream;
using llvm::SmallVector;
using llvm::StringRef;

static std::string quote(StringRef text) { return ("`" + text + "`").str(); }

/// The default that the family's class has.
static std::string getDefault(const ModelConfig &defaults, const ConfigField &field) {
  if (field.count) {
    int64_t value = defaults.*field.count;
    return value == ModelConfig::kUnset ? "null" : std::to_string(value);
  }
  if (field.number)
    return show(defaults.*field.number);
  return defaults.*field.flag ? "true" : "false";
}

static std::string describe(const ModelConfig &defaults, const ConfigField &field) {
  if (field.kind == ConfigField::Kind::Fixed)
    return "only " + quote(field.value) + ": " + field.text.str();
  std::string text = "default " + quote(getDefault(defaults, field));
  StringRef flag = getFlagOf(field);
  return flag.empty() ? text : text + "; " + quote(flag) + " overrides it";
}

static void printRow(raw_ostream &os, const ModelConfig &defaults, const ConfigField &field) {
  os << "| " << quote(field.name);
  if (!field.other.empty())
    os << ", " << quote(field.other);
  os << " | " << describe(defaults, field) << " |\n";
}

static void printFields(raw_ostream &os, const ModelConfig &defaults, ArrayRef<ConfigField> fields,
                        ArrayRef<const ConfigRule *> rules) {
  os << "| field | |\n|---|---|\n";
  SmallVector<std::string> harmless;
  for (const ConfigField &field : fields) {
    if (field.kind == ConfigField::Kind::Harmless)
      harmless.push_back(quote(field.name));
    else
      printRow(os, defaults, field);
  }
  for (const ConfigRule *rule : rules) {
    SmallVector<std::string> names;
    for (StringRef field : rule->fields)
      names.push_back(quote(field));
    os << "| " << llvm::join(names, ", ") << " | " << rule->text << " |\n";
  }
  if (!harmless.empty())
    os << "\nChange nothing, and are written back: " << llvm::join(harmless, ", ") << ".\n";
}

/// The names and shapes of a model with one layer, as in its files.
static void printNames(raw_ostream &os, const Family &family) {
  ModelConfig config = family.getDefaults();
  config.numLayers = 1, config.tiedEmbeddings = false, config.seqLength = 1;
  config.windows.clear();
  llvm::cantFail(resolve(config));
  os << "\nParameters of the class's defaults, N from 0:\n\n```text\n";
  std::string first = (family.layout.layer + "0.").str(), any = (family.layout.layer + "N.").str();
  for (const Parameter &parameter : listParameters(config)) {
    StringRef name = parameter.name;
    std::string shown = name.consume_front(first) ? any + name.str() : parameter.name;
    os << shown << " [";
    llvm::interleaveComma(parameter.shape, os);
    os << "]\n";
  }
  os << "```\n\n";
  if (!family.layout.ignored.empty()) {
    SmallVector<std::string> ignored;
    for (StringRef pattern : family.layout.ignored)
      ignored.push_back(quote(pattern));
    os << "Files may lack " << quote(family.layout.prefix) << ", and have " << llvm::join(ignored, ", ")
       << ", which are no parameters.\n";
  }
}

void tx::printFamilies(raw_ostream &os) {
  os << "# Families of models\n\n<!-- Written by `tx-compile --help-families`. -->\n\nA config.json is of the family "
        "that "
        "its `model_type` names. Fields that are not listed are refused: they may change the model.\n\n"
        "| model_type | class | |\n|---|---|---|\n";
  for (const Family *family : getFamilies())
    os << "| " << quote(family->name) << " | " << quote(family->causalClass) << " | " << family->summary << " |\n";
  for (const Family *family : getFamilies()) {
    os << "\n## " << family->name << "\n\n";
    printFields(os, family->getDefaults(), family->fields, family->rules);
    printNames(os, *family);
  }
  os << "\n## Fields of all families\n\n";
  printFields(os, getFamilies().front()->getDefaults(), getCommonFields(), {});
}
