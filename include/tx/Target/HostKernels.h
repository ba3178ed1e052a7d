//===- HostKernels.h - Kernels of a step as x86-64 code -------------------------------------------------*- C++ -*-===//
//
// A step program's kernels become one ELF object, in memory:
//
//   auto kernels = compileHostKernels(program, {.cpu = "host"});
//   if (failed(kernels)) ...                 // diagnosed at the kernel
//   load(kernels->object);                   // kernels->functions say where they begin
//
// Each function is a txrt_host_kernel (txrt/abi.h), or a product that launches of the runtime's own call. The object
// has no undefined symbols, no constructors, no writable data, and its relocations are applied: loaded as it is,
// anywhere, it is code.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TARGET_HOSTKERNELS_H
#define TX_TARGET_HOSTKERNELS_H

#include "tx/Target/TargetCode.h"

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"

#include <string>
#include <vector>

namespace tx {
namespace step {
class ProgramOp;
} // namespace step

struct HostTargetOptions {
  /// "host" (this machine, by its features), or one of LLVM's names:
  /// "x86-64-v3", "x86-64-v4", "znver4", ... At least AVX2 and FMA.
  std::string cpu = "host";
  /// LLVM's notation, applied after the CPU: "+avx512bf16,-avx512vl".
  std::string features;
};

struct HostKernels {
  std::string triple;
  /// CPU features that the code may use, by LLVM's names, for the manifest.
  std::vector<std::string> features;
  /// An ELF object; nothing is left to link.
  llvm::SmallVector<char, 0> object;
  std::vector<TargetCode::Function> functions;
};

/// Compiles all `step.kernel` ops of the program, which stays as it is. Must not be called from inside of a pass that
/// others run beside: it loads dialects.
mlir::FailureOr<HostKernels> compileHostKernels(step::ProgramOp program, const HostTargetOptions &options = {});

/// What HostTargetOptions::cpu may be for code that runs on this machine: its own level, "host", and each below it.
/// Tests run at all of them.
std::vector<std::string> hostLevels();

/// Those kernels as an artifact has them.
TargetCode packHostKernels(HostKernels kernels);

} // namespace tx

#endif // TX_TARGET_HOSTKERNELS_H
