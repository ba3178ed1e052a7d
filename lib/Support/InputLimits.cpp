//===- InputLimits.cpp - Bounds on what the parsers get to see ----------------------------------------------------===//

#include "tx/Support/InputLimits.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

using namespace tx;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

std::string tx::describeFileType(llvm::sys::fs::file_type type) {
  using llvm::sys::fs::file_type;
  switch (type) {
  case file_type::regular_file:
    return "a regular file";
  case file_type::directory_file:
    return "a folder";
  case file_type::symlink_file:
    return "a link";
  case file_type::block_file:
  case file_type::character_file:
    return "a device";
  case file_type::fifo_file:
    return "a named pipe";
  case file_type::socket_file:
    return "a socket";
  default:
    return "of an unknown kind";
  }
}

Expected<std::unique_ptr<llvm::MemoryBuffer>> tx::readRegularFile(StringRef path, uint64_t maximumBytes) {
  namespace fs = llvm::sys::fs;
  fs::file_status status;
  if (std::error_code error = fs::status(path, status))
    return badFile(path + ": " + error.message());
  if (!fs::is_regular_file(status))
    return badFile(path + ": it is " + describeFileType(status.type()) + ", not a regular file; give the file itself");
  auto tooLarge = [&](uint64_t bytes) {
    return badInput(llvm::formatv("{0}: it has {1} bytes; at most {2} are read", path, bytes, maximumBytes));
  };
  if (status.getSize() > maximumBytes)
    return tooLarge(status.getSize());
  // IsVolatile: LLVM reads the file and does not map it. A mapped file that another process shortens would end us by
  // SIGBUS.
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false, /*RequiresNullTerminator=*/true,
                                            /*IsVolatile=*/true);
  if (!buffer)
    return badFile(path + ": " + buffer.getError().message());
  if ((*buffer)->getBufferSize() > maximumBytes)
    return tooLarge((*buffer)->getBufferSize());
  return std::move(*buffer);
}

/// The index after the string whose opening quote is at `begin`; the end of the text if no quote closes it (the parser
/// reports that).
static size_t skipString(StringRef text, size_t begin) {
  size_t i = begin + 1;
  for (; i < text.size() && text[i] != '"'; ++i)
    if (text[i] == '\\')
      ++i;
  return std::min(i + 1, text.size());
}

static unsigned lineOf(StringRef text, size_t at) { return text.take_front(at).count('\n') + 1; }

//===--------------------------------------------------------------------------------------------------------------===//
// JSON
//===--------------------------------------------------------------------------------------------------------------===//

Error tx::checkJsonLimits(StringRef text, StringRef name) {
  constexpr size_t kMaxDepth = 64;
  if (size_t at = text.find('\0'); at != StringRef::npos)
    return badInput(
        llvm::formatv("{0}:{1}: it has a NUL byte, after {2} bytes: JSON is text", name, lineOf(text, at), at));
  // For each open object, from the outermost: the keys seen so far. Null for an open array.
  llvm::SmallVector<std::unique_ptr<llvm::StringSet<>>> open;
  for (size_t i = 0; i < text.size();) {
    char c = text[i];
    if (c == '"') {
      size_t end = skipString(text, i);
      // A string before a colon is a key. A key with an escape is refused, as it could equal a key that is written
      // without; no config needs one.
      if (text.drop_front(end).ltrim().starts_with(":") && !open.empty() && open.back()) {
        StringRef key = text.slice(i + 1, end - 1);
        if (key.contains('\\'))
          return badInput(llvm::formatv("{0}:{1}: the key {2} has an escape; write it plainly", name, lineOf(text, i),
                                        text.slice(i, end)));
        if (!open.back()->insert(key).second)
          return badInput(
              llvm::formatv("{0}:{1}: the key \"{2}\" is there twice; leave one out", name, lineOf(text, i), key));
      }
      i = end;
      continue;
    }
    if (c == '{' || c == '[') {
      open.push_back(c == '{' ? std::make_unique<llvm::StringSet<>>() : nullptr);
      if (open.size() > kMaxDepth)
        return badInput(llvm::formatv("{0}:{1}: nested more than {2} levels deep", name, lineOf(text, i), kMaxDepth));
    } else if ((c == '}' || c == ']') && !open.empty()) {
      open.pop_back();
    }
    ++i;
  }
  return Error::success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// MLIR
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// Measures how deep MLIR text nests. An alias (`#a = …`, `!t = …`) nests as deep as the attribute or type that it
/// stands for, so a chain of aliases is as deep as if it was written out.
class MlirScanner {
public:
  MlirScanner(StringRef text, StringRef name, bool allowMaps) : text(text), name(name), allowMaps(allowMaps) {}

  Error scan() {
    for (size_t i = 0; i < text.size();) {
      char c = text[i];
      if (c == '"') {
        i = skipString(text, i);
      } else if (c == '/' && next(i) == '/') {
        i = std::min(text.find('\n', i), text.size());
      } else if ((c == '#' || c == '!') && i + 1 < text.size()) {
        i = scanAlias(i);
      } else if (llvm::isAlpha(c)) {
        // MLIR's parser recurses for each operator of an affine expression. A model needs no affine maps, so they are
        // refused.
        size_t end = std::min(text.find_first_not_of(kLetters, i), text.size());
        StringRef word = text.slice(i, end);
        if (!allowMaps && (word == "affine_map" || word == "affine_set"))
          return badInput(llvm::formatv("{0}:{1}: {2} has no place in a model", name, lineOf(text, i), word));
        i = end;
      } else {
        i = scanPunctuation(i);
      }
      if (getDepth() > kMaxDepth)
        return badInput(llvm::formatv("{0}:{1}: nested more than {2} levels deep", name, lineOf(text, i), kMaxDepth));
      deepest = std::max(deepest, getDepth());
    }
    return Error::success();
  }

private:
  static constexpr unsigned kMaxDepth = 256;
  static constexpr const char *kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

  char next(size_t i) const { return i + 1 < text.size() ? text[i + 1] : '\0'; }
  unsigned getDepth() const { return brackets + angles + aliasDepth; }

  size_t scanPunctuation(size_t i) {
    char c = text[i];
    aliasDepth = 0;
    if (c == '-' && next(i) == '>')
      return i + 2;
    if (c == '(' || c == '[' || c == '{')
      ++brackets;
    else if ((c == ')' || c == ']' || c == '}') && brackets > 0)
      --brackets;
    else if (c == '<')
      ++angles;
    else if (c == '>' && angles > 0)
      --angles;
    return i + 1;
  }

  size_t scanAlias(size_t i) {
    size_t end = i + 1;
    while (end < text.size() && (llvm::isAlnum(text[end]) || StringRef("_.$-").contains(text[end])))
      ++end;
    StringRef id = text.slice(i, end);
    StringRef before = text.take_front(i);
    bool startsLine = before.empty() || before.rtrim(" \t").ends_with("\n") || before.rtrim(" \t").empty();
    StringRef after = text.drop_front(end).ltrim();
    if (startsLine && after.starts_with("=") && !after.starts_with("==")) {
      finishDefinition();
      defining = id;
      deepest = 0;
      aliasDepth = 0;
    } else {
      aliasDepth = depths.lookup(id);
      // After the last definition, the rest of the text counts as a part of it, so its depth may come out too large. An
      // upper bound is enough.
      if (!defining.empty())
        depths[defining] = std::max(depths[defining], std::max(deepest, getDepth()) + 1);
    }
    return end;
  }

  void finishDefinition() {
    if (!defining.empty())
      depths[defining] = std::max(depths[defining], deepest + 1);
  }

  StringRef text, name;
  bool allowMaps;
  unsigned brackets = 0, angles = 0, aliasDepth = 0;
  unsigned deepest = 0; ///< the greatest depth since the definition of `defining` began
  StringRef defining;   ///< the alias whose definition the scanner has met last
  llvm::StringMap<unsigned> depths;
};
} // namespace

Error tx::checkMlirLimits(StringRef text, StringRef name) {
  return MlirScanner(text, name, /*allowMaps=*/false).scan();
}

Error tx::checkMlirNesting(StringRef text, StringRef name) {
  return MlirScanner(text, name, /*allowMaps=*/true).scan();
}
