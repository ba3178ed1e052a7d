//===- PassPlugin.cpp - Shared libraries with passes --------------------------------------------------------------===//

#include "tx/Pipeline/PassPlugin.h"

#include "tx/Support/UserError.h"

#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <dlfcn.h>
#include <link.h>

using namespace tx;
using llvm::StringRef;
using ELF = llvm::object::ELFFile<llvm::object::ELF64LE>;

/// The names of the libraries that the file is linked against: its DT_NEEDED entries.
static llvm::Expected<std::vector<std::string>> readNeeded(const ELF &elf) {
  auto entries = elf.dynamicEntries();
  if (!entries)
    return entries.takeError();
  uint64_t table = 0, size = 0;
  for (const auto &entry : *entries) {
    if (entry.getTag() == DT_STRTAB)
      table = entry.getPtr();
    if (entry.getTag() == DT_STRSZ)
      size = entry.getVal();
  }
  auto begin = elf.toMappedAddr(table);
  if (!begin)
    return begin.takeError();
  if (size > static_cast<uint64_t>(elf.end() - *begin))
    return llvm::createStringError("its table of strings ends behind the file");
  StringRef strings(reinterpret_cast<const char *>(*begin), size);
  std::vector<std::string> needed;
  for (const auto &entry : *entries)
    if (entry.getTag() == DT_NEEDED && entry.getVal() < size)
      needed.push_back(strings.drop_front(entry.getVal()).split('\0').first.str());
  return needed;
}

/// The file names of the shared libraries of this process.
static std::vector<std::string> listLoaded() {
  std::vector<std::string> names;
  auto take = [](struct dl_phdr_info *info, size_t, void *list) {
    static_cast<std::vector<std::string> *>(list)->push_back(llvm::sys::path::filename(info->dlpi_name).str());
    return 0;
  };
  dl_iterate_phdr(take, &names);
  return names;
}

/// Whether `name` is a version of the library, as libLLVM.so.22.1 and libLLVM-14.so.1 are versions of libLLVM.
static bool isVersionOf(StringRef library, StringRef name) {
  return name.consume_front(library) && (name.starts_with(".so") || name.starts_with("-"));
}

/// Checks the versions of the libraries of which a process can have only one.
static llvm::Error checkVersions(StringRef file, llvm::ArrayRef<std::string> needed) {
  std::vector<std::string> loaded = listLoaded();
  for (StringRef library : {"libTxCompiler", "libMLIR", "libLLVM"}) {
    auto isVersion = [&](const std::string &name) { return isVersionOf(library, name); };
    auto ours = llvm::find_if(loaded, isVersion);
    const auto *theirs = llvm::find_if(needed, isVersion);
    if (theirs != needed.end() && ours != loaded.end() && !llvm::is_contained(loaded, *theirs))
      return badInput(file + ": it is built against " + *theirs + ", and this program runs with " + *ours +
                      "; build the plug-in with the Tx of this program (find_package(Tx COMPONENTS compiler))");
  }
  return llvm::Error::success();
}

llvm::Error tx::checkPlugin(StringRef file) {
  auto buffer = llvm::MemoryBuffer::getFile(file, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return badFile(file + ": the plug-in cannot be read: " + buffer.getError().message());
  llvm::Expected<ELF> elf = ELF::create((*buffer)->getBuffer());
  llvm::Expected<std::vector<std::string>> needed = elf ? readNeeded(*elf) : elf.takeError();
  if (!needed)
    return badInput(file + ": it is no shared library of this kind of machine: " + llvm::toString(needed.takeError()));
  return checkVersions(file, *needed);
}

llvm::Error tx::loadPassPlugin(StringRef file) {
  if (llvm::Error error = checkPlugin(file))
    return error;
  // dlopen gets an absolute path, since it would look for a name without a slash in the library folders. RTLD_NOW looks
  // up all symbols at once: else a missing one would end the process when it is first called.
  llvm::SmallString<256> path;
  if (std::error_code code = llvm::sys::fs::real_path(file, path))
    return badFile(file + ": the plug-in cannot be read: " + code.message());
  if (!dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL))
    return badInput(file + ": the plug-in cannot be loaded: " + dlerror());
  llvm::Expected<mlir::PassPlugin> plugin = mlir::PassPlugin::load(path.str().str());
  if (!plugin)
    return badInput(file + ": it is no plug-in with passes: " + llvm::toString(plugin.takeError()));
  plugin->registerPassRegistryCallbacks();
  return llvm::Error::success();
}
