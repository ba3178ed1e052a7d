//===- PlanFile.cpp - A recompute plan that a person can read and change ------------------------------------------===//

#include "tx/Remat/PlanFile.h"

#include "NearNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SHA256.h"

#include <set>

using namespace tx;
using llvm::StringRef;

static constexpr int64_t kVersion = 1;
static constexpr StringRef kKeep = "keep", kRecompute = "recompute";

template <typename... Arguments> static llvm::Error fault(const char *form, Arguments &&...arguments) {
  return llvm::createStringError(llvm::formatv(form, std::forward<Arguments>(arguments)...).str());
}

std::vector<int> tx::getPlannedValues(const plan::Entry &entry) {
  std::vector<int> values;
  for (const plan::Op &op : entry.ops)
    if (op.isForward() && op.replay != ReplayKind::Never)
      for (int result : op.results)
        if (!entry.isView(result))
          values.push_back(result);
  return values;
}

std::string tx::digestForward(const plan::Entry &entry) {
  llvm::SHA256 hash;
  auto add = [&](const llvm::Twine &text) { hash.update((text + "\n").str()); };
  for (const plan::Op &op : entry.ops) {
    if (!op.isForward() || op.atBorder)
      continue;
    add(op.kind + " " + op.name);
    for (const plan::Operand &operand : op.operands) {
      const plan::Value &value = entry.values[operand.value];
      add(llvm::Twine("reads ") + value.name + " " + llvm::Twine(value.bytes));
    }
    for (int result : op.results) {
      const plan::Value &value = entry.values[result];
      add(llvm::Twine("gives ") + value.name + " " + llvm::Twine(value.rows) + " " + llvm::Twine(value.columns) + " " +
          llvm::Twine(value.elementBytes));
    }
  }
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

/// SHA-256 of who is kept.
static std::string digestValues(const std::map<std::string, plan::Choice> &values) {
  llvm::SHA256 hash;
  for (const auto &[name, choice] : values)
    hash.update((name + (choice == plan::Choice::Keep ? " keep\n" : " recompute\n")));
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::string tx::writePlanFile(const plan::Entry &entry, const plan::Choices &choices, StringRef policy) {
  std::map<std::string, plan::Choice> values;
  for (int value : getPlannedValues(entry))
    values[entry.values[value].name] = choices[value];
  std::string text;
  llvm::raw_string_ostream stream(text);
  llvm::json::OStream json(stream, /*IndentSize=*/2);
  json.object([&] {
    json.attribute("version", kVersion);
    json.attribute("model", digestForward(entry));
    json.attributeObject("policy", [&] {
      json.attributeBegin("asked");
      json.rawValue(policy);
      json.attributeEnd();
      json.attribute("values", digestValues(values));
    });
    json.attributeObject("values", [&] {
      for (int value : getPlannedValues(entry))
        json.attribute(entry.values[value].name, choices[value] == plan::Choice::Keep ? kKeep : kRecompute);
    });
  });
  return text + "\n";
}

/// A name that an object of the text has twice; empty if there is none. LLVM's reader keeps the last and says nothing.
static std::string findDoubledName(StringRef text) {
  std::vector<std::set<std::string>> names; // of the objects around a place; of lists, nothing
  std::string last;
  for (size_t at = 0; at < text.size(); ++at) {
    char c = text[at];
    if (c == '{' || c == '[') {
      names.emplace_back();
    } else if (c == '}' || c == ']') {
      names.pop_back();
    } else if (c == ':') {
      if (!names.back().insert(last).second)
        return last;
    } else if (c == '"') {
      size_t begin = ++at;
      while (text[at] != '"')
        at += text[at] == '\\' ? 2 : 1;
      last = text.slice(begin, at).str();
    }
  }
  return "";
}

llvm::Expected<PlanFile> tx::parsePlanFile(StringRef text, StringRef file) {
  llvm::Expected<llvm::json::Value> json = llvm::json::parse(text);
  if (!json)
    return fault("{0}: is no JSON: {1}", file, llvm::toString(json.takeError()));
  if (std::string doubled = findDoubledName(text); !doubled.empty())
    return fault("{0}: has '{1}' twice", file, doubled);
  const llvm::json::Object *object = json->getAsObject();
  const llvm::json::Object *values = object ? object->getObject("values") : nullptr;
  std::optional<StringRef> model = object ? object->getString("model") : std::nullopt;
  std::optional<int64_t> version = object ? object->getInteger("version") : std::nullopt;
  if (!values || !model || !version)
    return fault("{0}: is no recompute plan: it takes version, model and values, as --write-recompute-plan writes them",
                 file);
  if (*version != kVersion)
    return fault("{0}: is of version {1}; this Tx reads version {2}", file, *version, kVersion);
  for (const auto &[name, value] : *object)
    if (name != "version" && name != "model" && name != "policy" && name != "values")
      return fault("{0}: has '{1}'; a recompute plan has version, model, policy and values alone", file,
                   StringRef(name));
  PlanFile plan;
  plan.file = file.str();
  plan.model = model->str();
  for (const auto &[name, value] : *values) {
    std::optional<StringRef> choice = value.getAsString();
    if (!choice || (*choice != kKeep && *choice != kRecompute))
      return fault("{0}: values.{1} is {2}; it takes \"keep\" or \"recompute\"", file, StringRef(name),
                   llvm::formatv("{0}", value).str());
    plan.values[name.str()] = *choice == kKeep ? plan::Choice::Keep : plan::Choice::Recompute;
  }
  const llvm::json::Object *policy = object->getObject("policy");
  const llvm::json::Object *asked = policy ? policy->getObject("asked") : nullptr;
  if (asked && policy->getString("values") == StringRef(digestValues(plan.values)))
    plan.policy = llvm::formatv("{0}", llvm::json::Value(llvm::json::Object(*asked))).str();
  return plan;
}

llvm::Expected<plan::Choices> tx::applyPlanFile(const PlanFile &file, const plan::Entry &entry) {
  plan::Choices choices(entry.values.size(), plan::Choice::Keep);
  std::vector<int> planned = getPlannedValues(entry);
  std::set<std::string> known;
  for (int value : planned)
    known.insert(entry.values[value].name);
  for (const auto &[name, choice] : file.values)
    if (!known.count(name))
      return fault("{0}: '{1}' names no value that this model could compute again; {2}", file.file, name,
                   suggestNames(entry, name));
  for (int value : planned) {
    auto found = file.values.find(entry.values[value].name);
    if (found == file.values.end())
      return fault("{0}: says nothing of '{1}'; a plan has keep or recompute for each of {2} values", file.file,
                   entry.values[value].name, planned.size());
    choices[value] = found->second;
  }
  if (std::string digest = digestForward(entry); file.model != digest)
    return fault("{0}: was made for another model ({1}); this one is {2}", file.file, file.model, digest);
  return choices;
}

plan::Choices tx::readChoices(const plan::Entry &entry) {
  plan::Choices choices(entry.values.size(), plan::Choice::Keep);
  std::vector<std::vector<int>> users = entry.computeUsers();
  std::map<std::string, const plan::Op *> forward;
  for (const plan::Op &op : entry.ops)
    if (op.isForward())
      forward[op.name] = &op;
  for (const plan::Op &op : entry.ops) {
    auto original = op.segment == Segment::Recompute ? forward.find(op.name) : forward.end();
    if (original == forward.end())
      continue;
    for (auto [result, value] : llvm::zip(op.results, original->second->results))
      if (!users[result].empty())
        choices[value] = plan::Choice::Recompute;
  }
  return choices;
}
