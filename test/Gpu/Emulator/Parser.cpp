//===- Parser.cpp - PTX text to code ------------------------------------------------------------------------------===//

#include "Code.h"
#include "Emulator.h"

#include <cctype>
#include <cstdlib>
#include <cstring>
#include <map>

using namespace ptx;

namespace {

struct Token {
  enum Kind { Word, Number, Mark, End } kind;
  std::string text;
  uint32_t line;
  uint64_t value = 0;
};

[[noreturn]] void failAt(uint32_t line, const std::string &message) {
  throw Error("PTX, line " + std::to_string(line) + ": " + message);
}

/// 12, 0x1f, 0f3F800000 (f32), 0d3FF0000000000000 (f64).
uint64_t numberOf(const std::string &text, uint32_t line) {
  const bool isFloat = text.size() > 2 && text[0] == '0' && std::strchr("fFdD", text[1]);
  char *end = nullptr;
  std::string digits = isFloat ? text.substr(2) : text;
  if (!digits.empty() && digits.back() == 'U')
    digits.pop_back();
  uint64_t value = std::strtoull(digits.c_str(), &end, isFloat ? 16 : 0);
  if (*end)
    failAt(line, "'" + text + "' is no number");
  return value;
}

std::vector<Token> tokenize(const std::string &text) {
  std::vector<Token> tokens;
  uint32_t line = 1;
  auto isWord = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("_$%.", c); };
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    size_t end = at + 1;
    if (c == '\n') {
      ++line;
    } else if (text.compare(at, 2, "//") == 0) {
      end = text.find('\n', at);
      end = end == std::string::npos ? text.size() : end;
    } else if (c == '\0') {
      break; // as the driver takes it
    } else if (isWord(c)) {
      while (end < text.size() && (isWord(text[end]) || (text.compare(end, 2, "::") == 0 && ++end)))
        ++end;
      std::string word = text.substr(at, end - at);
      if (word == ".loc" || word == ".file") { // they end with the line
        end = text.find('\n', at);
        end = end == std::string::npos ? text.size() : end;
      } else if (std::isdigit(static_cast<unsigned char>(c)))
        tokens.push_back({Token::Number, word, line, word.find('.') == std::string::npos ? numberOf(word, line) : 0});
      else
        tokens.push_back({Token::Word, word, line});
    } else if (c == '"') {
      end = text.find('"', at + 1) + 1;
      if (end == 0)
        failAt(line, "a string has no end");
      tokens.push_back({Token::Word, text.substr(at, end - at), line});
    } else if (!std::isspace(static_cast<unsigned char>(c))) {
      tokens.push_back({Token::Mark, std::string(1, c), line});
    }
    at = end;
  }
  tokens.push_back({Token::End, "the end", line});
  return tokens;
}

const Table &operations() {
  static const Table table = [] {
    Table result;
    for (auto add : {addIntegers, addFloats, addConversions, addCollectives, addMatrices})
      add(result);
    return result;
  }();
  return table;
}

unsigned bytesOf(const std::string &type, uint32_t line) {
  const std::string bits = type.size() > 2 ? type.substr(2) : "";
  for (unsigned size : {8u, 16u, 32u, 64u})
    if (type[0] == '.' && bits == std::to_string(size))
      return size / 8;
  failAt(line, "a variable of type " + type + " is unknown here");
}

struct Variable {
  unsigned alignment = 1, bytes = 0;
  bool isDynamic = false;
};

class Parser {
public:
  explicit Parser(const std::string &text) : tokens(tokenize(text)) {}
  void parse(std::vector<std::unique_ptr<Kernel>> &kernels);

private:
  const Token &peek(size_t ahead = 0) const { return tokens[std::min(at + ahead, tokens.size() - 1)]; }
  Token next() { return tokens[at + 1 < tokens.size() ? at++ : at]; }
  bool accept(const char *text) { return peek().text == text && (next(), true); }
  void expect(const char *text) {
    if (!accept(text))
      fail(std::string("expected '") + text + "', found '" + peek().text + "'");
  }
  [[noreturn]] void fail(const std::string &message) const { failAt(peek().line, message); }
  void skipTo(const char *text) {
    while (peek().kind != Token::End && next().text != text) {
    }
  }
  void skipBraces();

  std::unique_ptr<Kernel> parseKernel();
  void parseParameters();
  Variable parseVariable(std::string &name);
  void parseBody();
  void parseRegisters();
  void parseStatement();
  void parseOperands(Instruction &instruction, std::vector<unsigned> &groups, std::string &label);
  Address parseAddress();
  uint32_t parseSlot();
  void placeShared(const std::string &name, const Variable &variable);
  uint32_t constant(uint64_t value);
  uint32_t newSlot() { return kernel->slots++; }

  std::vector<Token> tokens;
  size_t at = 0;
  std::map<std::string, Variable> shared; // of the module
  // Of a kernel.
  Kernel *kernel = nullptr;
  std::vector<std::map<std::string, uint32_t>> scopes; // slots of registers
  std::map<std::string, uint32_t> symbols, special;
  std::map<uint64_t, uint32_t> constants;
  std::map<std::string, uint32_t> labels;
  std::vector<std::pair<size_t, std::string>> branches;
  std::vector<uint32_t> dynamicSlots;
  std::map<uint32_t, uint64_t> narrow; // slots of registers of less than 64 bits: their bits
};

} // namespace

void Parser::skipBraces() {
  skipTo("{");
  for (int depth = 1; depth && peek().kind != Token::End;) {
    std::string text = next().text;
    depth += text == "{" ? 1 : text == "}" ? -1 : 0;
  }
}

void Parser::parse(std::vector<std::unique_ptr<Kernel>> &kernels) {
  expect(".version");
  next();
  while (peek().kind != Token::End) {
    if (accept(".target") || accept(".address_size")) {
      do
        next();
      while (accept(","));
    } else if (peek().text == ".section") {
      skipBraces();
    } else if (accept(".visible") || accept(".weak")) {
    } else if (accept(".entry")) {
      kernels.push_back(parseKernel());
    } else if (accept(".extern")) {
      if (accept(".func")) { // a call of it is refused
        skipTo(";");
        continue;
      }
      if (peek().text != ".shared")
        fail("an external variable that is not shared is unknown here");
    } else if (accept(".shared")) {
      std::string name;
      Variable variable = parseVariable(name);
      shared[name] = variable;
    } else {
      fail("'" + peek().text + "' is unknown here: kernels, and shared variables");
    }
  }
}

/// .align 16 .b8 name[64]; or name[] for what the launch brings.
Variable Parser::parseVariable(std::string &name) {
  Variable variable;
  if (accept(".align"))
    variable.alignment = static_cast<unsigned>(next().value);
  const unsigned element = bytesOf(next().text, peek().line);
  name = next().text;
  uint64_t count = 1;
  while (accept("[")) {
    if (accept("]")) {
      variable.isDynamic = true;
      continue;
    }
    count *= next().value;
    expect("]");
  }
  expect(";");
  if (count > 1 << 20)
    fail(name + " is larger than shared memory");
  variable.bytes = static_cast<unsigned>(count) * element;
  variable.alignment = std::max(variable.alignment, element);
  return variable;
}

void Parser::placeShared(const std::string &name, const Variable &variable) {
  if (variable.isDynamic) { // behind all others
    symbols[name] = newSlot();
    dynamicSlots.push_back(symbols[name]);
    return;
  }
  kernel->sharedBytes = (kernel->sharedBytes + variable.alignment - 1) / variable.alignment * variable.alignment;
  symbols[name] = constant(kSharedBase + kernel->sharedBytes);
  kernel->sharedBytes += variable.bytes;
}

uint32_t Parser::constant(uint64_t value) {
  auto [known, isNew] = constants.try_emplace(value, 0);
  if (isNew) {
    known->second = newSlot();
    kernel->constants.push_back({known->second, value});
  }
  return known->second;
}

std::unique_ptr<Kernel> Parser::parseKernel() {
  auto result = std::make_unique<Kernel>();
  kernel = result.get();
  kernel->name = next().text;
  scopes.assign(1, {});
  symbols.clear(), special.clear(), constants.clear(), labels.clear(), branches.clear(), dynamicSlots.clear(),
      narrow.clear();
  if (accept("("))
    parseParameters();
  while (peek().text != "{") {
    if (accept(".maxntid") || accept(".reqntid")) {
      kernel->maxThreads = 1;
      do
        kernel->maxThreads *= static_cast<unsigned>(next().value);
      while (accept(","));
    } else if (accept(".minnctapersm") || accept(".maxnreg")) {
      next();
    } else {
      fail("'" + peek().text + "' is unknown here as a property of a kernel");
    }
  }
  parseBody();
  Instruction end; // where the text has no ret
  end.control = Control::Exit;
  end.line = peek().line;
  kernel->code.push_back(end);
  kernel->texts.push_back("ret");
  for (auto &[index, label] : branches) {
    auto target = labels.find(label);
    if (target == labels.end())
      failAt(kernel->code[index].line, "no label '" + label + "' in " + kernel->name);
    kernel->code[index].target = target->second;
  }
  kernel->sharedBytes = dynamicSlots.empty() ? kernel->sharedBytes : (kernel->sharedBytes + 15) / 16 * 16;
  for (uint32_t slot : dynamicSlots)
    kernel->constants.push_back({slot, kSharedBase + kernel->sharedBytes});
  return result;
}

/// .param .u64 .ptr .global .align 1 name, ...
void Parser::parseParameters() {
  if (accept(")"))
    return;
  do {
    expect(".param");
    unsigned bytes = bytesOf(next().text, peek().line);
    while (peek().text[0] == '.') {
      if (accept(".align"))
        next();
      else
        next();
    }
    std::string name = next().text;
    if (peek().text == "[")
      fail("parameter " + name + " is an array, which is unknown here");
    unsigned offset = (kernel->parameterBytes + bytes - 1) / bytes * bytes;
    symbols[name] = constant(offset);
    kernel->parameterSizes.push_back(bytes);
    kernel->parameterOffsets.push_back(offset);
    kernel->parameterBytes = offset + bytes;
  } while (accept(","));
  expect(")");
}

void Parser::parseBody() {
  expect("{");
  for (size_t depth = 1; depth;) {
    if (peek().kind == Token::End)
      fail(kernel->name + " has no end");
    if (accept("{")) {
      scopes.emplace_back();
      ++depth;
    } else if (accept("}")) {
      scopes.pop_back();
      if (scopes.empty())
        scopes.emplace_back();
      --depth;
    } else if (accept(".reg")) {
      parseRegisters();
    } else if (accept(".shared")) {
      std::string name;
      Variable variable = parseVariable(name);
      placeShared(name, variable);
    } else if (accept(".local")) {
      fail(kernel->name + " uses local memory: registers spill, or an array has no place in them");
    } else if (accept(".pragma") || accept(".param")) {
      skipTo(";");
    } else if (peek().kind == Token::Word && peek(1).text == ":") {
      labels[next().text] = static_cast<uint32_t>(kernel->code.size());
      next();
    } else {
      parseStatement();
    }
  }
}

/// .b32 %r<7>; or .b32 a, b;
void Parser::parseRegisters() {
  const std::string type = next().text;
  const unsigned bytes = type == ".pred" ? 1 : bytesOf(type, peek().line);
  auto newRegister = [&](const std::string &name) {
    const uint32_t slot = scopes.back()[name] = newSlot();
    if (bytes < 8)
      narrow[slot] = (uint64_t(1) << 8 * bytes) - 1;
  };
  do {
    const std::string name = next().text;
    if (accept("<")) {
      const uint64_t count = next().value;
      expect(">");
      if (count > 1 << 20)
        fail("too many registers");
      for (uint64_t i = 0; i < count; ++i)
        newRegister(name + std::to_string(i));
    } else {
      newRegister(name);
    }
  } while (accept(","));
  expect(";");
}

uint32_t Parser::parseSlot() {
  const Token token = next();
  if (token.text == "-")
    return constant(0 - next().value);
  if (token.kind == Token::Number)
    return constant(token.value);
  if (token.text == "_")
    return kSink;
  if (token.text == "WARP_SZ")
    return constant(32);
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
    if (auto known = scope->find(token.text); known != scope->end())
      return known->second;
  if (auto known = symbols.find(token.text); known != symbols.end())
    return known->second;
  if (auto known = shared.find(token.text); known != shared.end()) {
    placeShared(token.text, known->second);
    return symbols[token.text];
  }
  static const std::map<std::string, Special> specials = {
      {"%tid.x", Special::TidX},       {"%tid.y", Special::TidY},       {"%tid.z", Special::TidZ},
      {"%ntid.x", Special::NtidX},     {"%ntid.y", Special::NtidY},     {"%ntid.z", Special::NtidZ},
      {"%ctaid.x", Special::CtaidX},   {"%ctaid.y", Special::CtaidY},   {"%ctaid.z", Special::CtaidZ},
      {"%nctaid.x", Special::NctaidX}, {"%nctaid.y", Special::NctaidY}, {"%nctaid.z", Special::NctaidZ},
      {"%laneid", Special::LaneId},    {"%warpid", Special::WarpId}};
  auto known = specials.find(token.text);
  if (known == specials.end())
    failAt(token.line, "'" + token.text + "' is unknown in " + kernel->name);
  auto [slot, isNew] = special.try_emplace(token.text, 0);
  if (isNew) {
    slot->second = newSlot();
    kernel->specials.push_back({slot->second, known->second});
  }
  return slot->second;
}

/// [base], [base+8], [base+-8]
Address Parser::parseAddress() {
  Address address;
  address.base = parseSlot();
  if (auto known = narrow.find(address.base); known != narrow.end())
    address.mask = known->second;
  if (accept("+") || peek().text == "-") {
    bool isNegative = accept("-");
    auto offset = static_cast<int64_t>(next().value);
    address.offset = isNegative ? -offset : offset;
  }
  expect("]");
  return address;
}

void Parser::parseOperands(Instruction &instruction, std::vector<unsigned> &groups, std::string &label) {
  unsigned depth = 0;
  auto push = [&](uint32_t slot) {
    if (instruction.count == kMaxOperands)
      fail("too many operands");
    instruction.slots[instruction.count++] = slot;
  };
  while (!accept(";")) {
    if (accept(",") || accept("|"))
      continue;
    if (accept("{")) {
      ++depth;
      groups.push_back(0);
    } else if (accept("}")) {
      --depth;
    } else if (accept("[")) {
      if (instruction.addressCount == instruction.addresses.size())
        fail("too many addresses");
      instruction.addresses[instruction.addressCount++] = parseAddress();
    } else if (peek().text == "!") {
      fail("a negated operand is unknown here");
    } else if (peek().kind == Token::End) {
      fail("a statement has no end");
    } else if (instruction.control == Control::Branch) {
      label = next().text;
    } else {
      push(parseSlot());
      if (depth)
        ++groups.back();
    }
  }
}

void Parser::parseStatement() {
  Instruction instruction;
  instruction.line = peek().line;
  const size_t begin = at;
  if (accept("@")) {
    instruction.isGuarded = true;
    instruction.guardNegated = accept("!");
    instruction.guard = parseSlot();
  }
  std::string mnemonic = next().text;
  const bool beginsWithBrace = peek().text == "{";
  for (const char *same : {"shared::cta", "param::entry"}) // longer names of the same
    if (size_t found = mnemonic.find(same); found != std::string::npos)
      mnemonic.erase(mnemonic.find("::", found), std::strlen(same) - std::string(same).find("::"));
  if (mnemonic == "bra" || mnemonic == "bra.uni")
    instruction.control = Control::Branch;
  std::vector<unsigned> groups;
  std::string label;
  parseOperands(instruction, groups, label);
  std::string text;
  for (size_t i = begin; i < at; ++i) {
    const std::string &part = tokens[i].text;
    bool spaced = !text.empty() && (tokens[i].kind != Token::Mark || std::strchr("{[", part[0])) &&
                  !std::strchr("@!{[+-", text.back());
    text += (spaced ? " " : "") + part;
  }

  std::string why;
  uint8_t expected = 0;
  if (instruction.control == Control::Branch) {
    branches.push_back({kernel->code.size(), label});
  } else if (mnemonic == "ret" || mnemonic == "exit") {
    instruction.control = Control::Exit;
  } else if (decodeAccess(mnemonic, instruction, why)) {
    if (mnemonic.compare(0, 3, "cp.") != 0)
      expected = instruction.vector;
    else if (mnemonic == "cp.async.wait_group")
      expected = 1;
    else if (mnemonic.find("shared") != std::string::npos) {
      if (instruction.count == 1) // all of the bytes are read
        instruction.slots[instruction.count++] = instruction.slots[0];
      expected = 2;
    }
  } else {
    if (mnemonic.compare(0, 4, "mov.") == 0 && !groups.empty())
      mnemonic = (beginsWithBrace ? "mov.split" : "mov.join") + mnemonic.substr(3) + "." + std::to_string(groups[0]);
    auto known = operations().find(mnemonic);
    if (known != operations().end()) {
      const Operation &operation = known->second;
      instruction.execute = operation.execute;
      instruction.control = operation.control;
      instruction.variant = operation.variant;
      instruction.results = operation.results;
      instruction.halves = operation.halves;
      expected = static_cast<uint8_t>(operation.results + operation.sources);
      if (mnemonic.compare(0, 4, "shfl") == 0 && instruction.count == 5) { // nobody asks whether the source was there
        for (unsigned i = 5; i > 1; --i)
          instruction.slots[i] = instruction.slots[i - 1];
        instruction.slots[1] = kSink;
        ++instruction.count;
      }
      if (operation.control == Control::Barrier && instruction.count == 1)
        instruction.slots[instruction.count++] = constant(0);
    } else if (mnemonic.compare(0, 4, "call") == 0) {
      why = "calls a function: kernels have none to call";
    } else if (operations().count(mnemonic.substr(0, 4) + "rn" + mnemonic.substr(3))) {
      why = "may become part of a fused multiply-add: its numbers depend on the assembler; use ." +
            mnemonic.substr(0, 3) + ".rn";
    } else {
      why = "is unknown here";
    }
  }
  if (why.empty() && expected != instruction.count)
    why = "has " + std::to_string(instruction.count) + " operands, " + std::to_string(expected) + " expected";
  if (!why.empty())
    failAt(instruction.line, kernel->name + ": '" + text + "' " + why);
  kernel->code.push_back(instruction);
  kernel->texts.push_back(text);
}

Module::Module(const std::string &text) { Parser(text).parse(kernels); }
Module::~Module() = default;
Module::Module(Module &&) = default;

const Kernel *Module::find(const std::string &name) const {
  for (const auto &kernel : kernels)
    if (kernel->name == name)
      return kernel.get();
  return nullptr;
}
