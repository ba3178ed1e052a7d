//===- KernelCache.cpp - Objects of kernels that were compiled before ---------------------------------------------===//
//
// A file in the folder is named by the SHA-256 of its key. It contains
//
//   "TXKERNEL", bytes of the key (u64, little-endian), the key, the object, SHA-256 of all before
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "KernelCache.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>
#include <unistd.h>

using namespace llvm;
using tx::host::KernelCache;

namespace fs = llvm::sys::fs;

static constexpr StringRef kMagic = "TXKERNEL";
static constexpr size_t kDigestBytes = 32;
// The most bytes of objects in memory, for a process that compiles one model after another, as tests do.
static constexpr size_t kMostBytesInMemory = size_t(256) << 20;

static std::string digestOf(StringRef bytes) {
  auto digest = SHA256::hash(arrayRefFromStringRef(bytes));
  return toStringRef(digest).str();
}

/// Why the folder may not be used; empty if it may.
static std::string findFault(StringRef folder) {
  if (std::error_code error = fs::create_directories(folder, /*IgnoreExisting=*/true, fs::owner_all))
    return "cannot be made: " + error.message();
  fs::file_status status;
  if (std::error_code error = fs::status(folder, status))
    return "cannot be read: " + error.message();
  if (status.type() != fs::file_type::directory_file)
    return "is no folder";
  if (status.getUser() != getuid() || status.permissions() & (fs::group_write | fs::others_write))
    return "can be written to by others, and what lies there is code; chmod go-w it, or name another";
  return "";
}

KernelCache::KernelCache(std::string generator, std::string folder)
    : generator(std::move(generator)), folder(std::move(folder)) {
  if (this->folder.empty())
    return;
  std::string fault = findFault(this->folder);
  if (fault.empty())
    return;
  warning = "the kernel cache '" + this->folder + "' " + fault + "; it is not used";
  this->folder.clear();
}

KernelCache &KernelCache::ofProcess() {
  static KernelCache cache(getGeneratorIdentity(), [] {
    const char *folder = std::getenv("TX_KERNEL_CACHE");
    return std::string(folder ? folder : "");
  }());
  return cache;
}

KernelCache::Object KernelCache::find(StringRef key) {
  std::lock_guard<std::mutex> guard(mutex);
  std::string whole = generator + "\n" + key.str(), digest = digestOf(whole);
  if (auto known = objects.find(digest); known != objects.end()) {
    ++counts.inMemory;
    return known->second;
  }
  Object object = read(whole, digest);
  if (!object) {
    ++counts.missed;
    return nullptr;
  }
  ++counts.inFolder;
  return objects[digest] = object;
}

KernelCache::Object KernelCache::insert(StringRef key, SmallVector<char, 0> object) {
  std::lock_guard<std::mutex> guard(mutex);
  std::string whole = generator + "\n" + key.str(), digest = digestOf(whole);
  write(whole, digest, object);
  if (bytes += object.size(); bytes > kMostBytesInMemory) {
    objects.clear();
    bytes = object.size();
  }
  return objects[digest] = std::make_shared<SmallVector<char, 0>>(std::move(object));
}

std::string KernelCache::pathOf(StringRef digest) const {
  SmallString<128> path(folder);
  sys::path::append(path, toHex(digest, /*LowerCase=*/true));
  return path.str().str();
}

KernelCache::Object KernelCache::read(StringRef key, StringRef digest) const {
  if (folder.empty())
    return nullptr;
  auto file = MemoryBuffer::getFile(pathOf(digest), /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!file)
    return nullptr;
  StringRef content = (*file)->getBuffer();
  size_t head = kMagic.size() + sizeof(uint64_t) + key.size();
  if (content.size() < head + kDigestBytes ||
      digestOf(content.drop_back(kDigestBytes)) != content.take_back(kDigestBytes))
    return nullptr;
  if (!content.starts_with(kMagic) || support::endian::read64le(content.data() + kMagic.size()) != key.size() ||
      content.substr(head - key.size(), key.size()) != key)
    return nullptr;
  StringRef object = content.drop_front(head).drop_back(kDigestBytes);
  return std::make_shared<SmallVector<char, 0>>(object.begin(), object.end());
}

void KernelCache::write(StringRef key, StringRef digest, ArrayRef<char> object) {
  if (folder.empty())
    return;
  std::string content(kMagic);
  content.resize(kMagic.size() + sizeof(uint64_t));
  support::endian::write64le(content.data() + kMagic.size(), key.size());
  content += key;
  content.append(object.begin(), object.end());
  content += digestOf(content);
  // Write through a temporary file, so that a reader sees all of it or nothing.
  Error error = writeToOutput(pathOf(digest), [&](raw_ostream &stream) {
    stream << content;
    return Error::success();
  });
  if (!error)
    return;
  warning =
      "the kernel cache '" + folder + "' cannot be written to: " + toString(std::move(error)) + "; it is not used";
  folder.clear();
}

std::string KernelCache::takeWarning() {
  std::lock_guard<std::mutex> guard(mutex);
  return std::exchange(warning, "");
}

KernelCache::Counts KernelCache::getCounts() {
  std::lock_guard<std::mutex> guard(mutex);
  return counts;
}
