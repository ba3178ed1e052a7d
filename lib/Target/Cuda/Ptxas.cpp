//===- Ptxas.cpp - PTX to cubins by the CUDA toolkit's assembler --------------------------------------------------===//

#include "Ptxas.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace {

/// A temporary file that ptxas reads or writes. It is removed with this object, or by a signal that ends the program.
class TemporaryFile {
public:
  explicit TemporaryFile(StringRef suffix) {
    SmallString<128> name;
    if ((error = sys::fs::createTemporaryFile("tx-ptxas", suffix, name)))
      return;
    path = name.str().str();
    sys::RemoveFileOnSignal(path);
  }
  ~TemporaryFile() {
    if (path.empty())
      return;
    sys::fs::remove(path);
    sys::DontRemoveFileOnSignal(path);
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;

  std::string path;
  std::error_code error;
};

} // namespace

static Error cannotWrite(const std::error_code &code) {
  SmallString<128> folder;
  sys::path::system_temp_directory(/*ErasedOnReboot=*/true, folder);
  return createStringError(code, "no room for the files of ptxas in " + folder + ": " + code.message() +
                                     "; $TMPDIR names another folder");
}

static Error writeFile(StringRef path, StringRef text) {
  std::error_code code;
  raw_fd_ostream stream(path, code);
  if (!code) {
    stream << text;
    stream.close();
    code = stream.error();
    stream.clear_error();
  }
  return code ? cannotWrite(code) : Error::success();
}

std::string tx::findPtxas(const CudaTargetOptions &options) {
  if (!options.ptxas.empty())
    return sys::fs::can_execute(options.ptxas) ? options.ptxas : "";
  SmallVector<std::string> folders;
  for (const char *variable : {"CUDA_HOME", "CUDA_PATH"})
    if (std::optional<std::string> home = sys::Process::GetEnv(variable))
      folders.push_back(*home + "/bin");
  for (const std::string &folder : folders)
    if (sys::fs::can_execute(folder + "/ptxas"))
      return folder + "/ptxas";
  if (auto inPath = sys::findProgramByName("ptxas"))
    return *inPath;
  const char *usual = "/usr/local/cuda/bin/ptxas";
  return sys::fs::can_execute(usual) ? usual : "";
}

// Parses lines like
//   Compiling entry function 'k' for 'sm_90'
//       0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
//   Used 24 registers, used 1 barriers, 32 bytes smem
std::vector<tx::CudaUsage> tx::cuda::parseUsage(StringRef text) {
  std::vector<CudaUsage> result;
  /// The number before `what`, 0 if there is none.
  auto before = [](StringRef line, StringRef what) {
    unsigned number = 0;
    StringRef head = line.substr(0, line.find(what)).rtrim();
    head.substr(head.find_last_not_of("0123456789") + 1).getAsInteger(10, number);
    return number;
  };
  SmallVector<StringRef> lines;
  text.split(lines, '\n');
  for (StringRef line : lines) {
    if (line.contains("Compiling entry function")) {
      CudaUsage usage;
      usage.kernel = line.split('\'').second.split('\'').first.str();
      result.push_back(usage);
    } else if (result.empty()) {
      continue;
    } else if (line.contains("bytes stack frame")) {
      result.back().stackBytes = before(line, " bytes stack frame");
      result.back().spillBytes = before(line, " bytes spill stores") + before(line, " bytes spill loads");
    } else if (line.contains(" registers")) {
      result.back().registers = before(line, " registers");
      if (line.contains(" bytes smem"))
        result.back().sharedBytes = before(line, " bytes smem");
    }
  }
  return result;
}

static Expected<tx::CudaImage> assembleOnce(StringRef ptxas, StringRef ptx, unsigned capability,
                                            ArrayRef<StringRef> more) {
  TemporaryFile out("cubin"), log("log");
  for (const TemporaryFile *file : {&out, &log})
    if (file->error)
      return cannotWrite(file->error);
  std::string arch = "sm_" + std::to_string(capability);
  SmallVector<StringRef> arguments = {ptxas, "-v", "-O3", "--fmad=false", "-arch", arch, ptx, "-o", out.path};
  llvm::append_range(arguments, more);
  std::string message;
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(log.path), StringRef(log.path)};
  int code = sys::ExecuteAndWait(ptxas, arguments, std::nullopt, redirects, 0, 0, &message);
  auto text = MemoryBuffer::getFile(log.path);
  StringRef said = text ? (*text)->getBuffer() : StringRef();
  if (code != 0) {
    std::string reason = message.empty() ? said.rtrim().str() : message;
    if (reason.empty())
      reason = "it says nothing, and its exit status is " + std::to_string(code);
    return createStringError(ptxas + " refuses the kernels for " + arch + ": " + reason);
  }
  auto cubin = MemoryBuffer::getFile(out.path, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!cubin || (*cubin)->getBufferSize() == 0)
    return createStringError(ptxas + " has written no cubin for " + arch + ": is it the CUDA toolkit's assembler?");
  tx::CudaImage image;
  image.capability = capability;
  image.cubin.append((*cubin)->getBufferStart(), (*cubin)->getBufferEnd());
  image.usage = tx::cuda::parseUsage(said);
  return image;
}

static unsigned countSpilled(const tx::CudaImage &image) {
  unsigned bytes = 0;
  for (const tx::CudaUsage &usage : image.usage)
    bytes += usage.spillBytes;
  return bytes;
}

/// Sometimes ptxas spills a few bytes of a kernel that has registers to spare (4 bytes of a kernel with 168 registers,
/// seen with CUDA 13.0), but not at the next lower levels of register usage; its default is 5. So kernels that spill
/// are assembled again at levels 4 and 3, and the result that spills least is kept. An older ptxas has no levels; its
/// first result is kept.
Expected<tx::CudaImage> tx::cuda::assemble(StringRef ptxas, StringRef ptx, unsigned capability) {
  TemporaryFile in("ptx");
  if (in.error)
    return cannotWrite(in.error);
  if (Error error = writeFile(in.path, ptx))
    return std::move(error);
  Expected<CudaImage> best = assembleOnce(ptxas, in.path, capability, {});
  for (StringRef level : {"--register-usage-level=4", "--register-usage-level=3"}) {
    if (!best || !countSpilled(*best))
      break;
    Expected<CudaImage> other = assembleOnce(ptxas, in.path, capability, level);
    if (!other) {
      consumeError(other.takeError());
      break;
    }
    if (countSpilled(*other) < countSpilled(*best))
      best = std::move(other);
  }
  return best;
}
