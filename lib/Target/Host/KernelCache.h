//===- KernelCache.h - Objects of kernels that were compiled before -------------------------------------*- C++ -*-===//
//
//   KernelCache::Object object = cache.find(key);
//   if (!object) object = cache.insert(key, generate());
//
// Most kernels of a model are those of another policy, or of the model before, and nine tenths of a small compilation
// are LLVM's work on them. So each is compiled once in a process. A folder that TX_KERNEL_CACHE names keeps them for
// other processes too; a check of Tx sets it, a user's compilation does not: what lies in the folder is code, which
// runs with the rights of who runs a step.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_TARGET_HOST_KERNELCACHE_H
#define TX_LIB_TARGET_HOST_KERNELCACHE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"

#include <memory>
#include <mutex>
#include <string>

namespace tx::host {

/// Identifies all code between a kernel's IR and its object: a hash of the libraries that make it
/// (GeneratorIdentity.cmake) and the LLVM that is loaded.
std::string getGeneratorIdentity();

class KernelCache {
public:
  using Object = std::shared_ptr<const llvm::SmallVector<char, 0>>;

  /// `generator` is a part of each key. An empty `folder`: objects live as long as the cache. A folder is made if it
  /// does not exist; one that others may write to is not used (see takeWarning).
  KernelCache(std::string generator, std::string folder);
  /// Of getGeneratorIdentity() and TX_KERNEL_CACHE.
  static KernelCache &ofProcess();

  /// Null if nothing was inserted under the key, or if what lies in the folder is damaged.
  Object find(llvm::StringRef key);
  Object insert(llvm::StringRef key, llvm::SmallVector<char, 0> object);

  /// Why the folder is not used, once; empty: it is.
  std::string takeWarning();

  struct Counts {
    unsigned inMemory = 0, inFolder = 0, missed = 0;
  };
  Counts getCounts();

private:
  std::string pathOf(llvm::StringRef digest) const;
  Object read(llvm::StringRef key, llvm::StringRef digest) const;
  void write(llvm::StringRef key, llvm::StringRef digest, llvm::ArrayRef<char> object);

  const std::string generator;
  std::string folder, warning;
  std::mutex mutex;
  llvm::StringMap<Object> objects; // by digests of keys
  size_t bytes = 0;
  Counts counts;
};

} // namespace tx::host

#endif // TX_LIB_TARGET_HOST_KERNELCACHE_H
