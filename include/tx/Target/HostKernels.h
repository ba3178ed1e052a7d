//===- HostKernels.h - Kernels of a step as x86-64 code -------------------------------------------------*- C++ -*-===//
//
// A step program's kernels become one ELF object, in memory:
//
//   auto kernels = compileHostKernels(program, {.cpu = "host"});
//   if (failed(kernels)) ...                 // diagnosed at the kernel
//   load(kernels->object);                   // kernels->functions say where they begin
//
// Each function is a txrt_host_kernel (txrt/abi.h), or a product of bf16 matrices that the runtime calls for GEMM
// launches. The object has no undefined symbols, no constructors and no writable data, and its relocations are applied:
// its bytes can run at any address, without linking.
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
  /// "host" (the x86-64 level of this machine), or one of LLVM's names: "x86-64-v3", "x86-64-v4", "znver4", ... The CPU
  /// must have at least AVX2 and FMA.
  std::string cpu = "host";
  /// Features to add or remove after the CPU's, in LLVM's notation: "+avx512bf16,-avx512vl".
  std::string features;
};

struct HostKernels {
  std::string triple;
  /// The CPU features that the code may use, by LLVM's names; they go into the manifest.
  std::vector<std::string> features;
  /// An ELF object that needs no linking.
  llvm::SmallVector<char, 0> object;
  std::vector<TargetCode::Function> functions;
};

/// Compiles all `step.kernel` ops of the program and does not change it. On failure, errors are on the kernels. It
/// loads dialects, so a pass that runs while other threads use the context must not call it.
mlir::FailureOr<HostKernels> compileHostKernels(step::ProgramOp program, const HostTargetOptions &options = {});

/// The values of HostTargetOptions::cpu whose code runs on this machine: "host" and each x86-64 level below it. Tests
/// run at all of them.
std::vector<std::string> hostLevels();

/// Puts the kernels into the form in which an artifact holds them.
TargetCode packHostKernels(HostKernels kernels);

} // namespace tx

#endif // TX_TARGET_HOSTKERNELS_H
