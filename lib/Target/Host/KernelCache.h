//===- KernelCache.h - Objects of kernels that were compiled before -------------------------------------*- C++ -*-===//
//
//   KernelCache::Object object = cache.find(key);
//   if (!object) object = cache.insert(key, generate());
//
// Caches compiled kernels. Most kernels of a model are the same under another policy, or in the model that was compiled
// before, and LLVM's work on kernels is nine tenths of a small compilation. So each kernel is compiled once in a
// process. If TX_KERNEL_CACHE names a folder, the folder keeps the objects for other processes too. Tests of Tx set it;
// a user's compilation does not, because the folder holds code that runs with the rights of the person who runs a step.
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

/// Identifies all code that turns a kernel's IR into an object: a hash of the libraries (GeneratorIdentity.cmake) and
/// of the loaded LLVM.
std::string getGeneratorIdentity();

class KernelCache {
public:
  using Object = std::shared_ptr<const llvm::SmallVector<char, 0>>;

  /// `generator` becomes a part of each key. If `folder` is empty, objects live as long as the cache. The folder is
  /// made if it does not exist; it is not used if others may write to it (see takeWarning).
  KernelCache(std::string generator, std::string folder);
  /// The cache of this process, made from getGeneratorIdentity() and TX_KERNEL_CACHE.
  static KernelCache &ofProcess();

  /// The object under this key; null if there is none, or if the file in the folder is damaged.
  Object find(llvm::StringRef key);
  Object insert(llvm::StringRef key, llvm::SmallVector<char, 0> object);

  /// Returns once why the folder is not used; empty if it is used.
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
