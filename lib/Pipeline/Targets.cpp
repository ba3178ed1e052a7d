//===- Targets.cpp - What a step is compiled for ------------------------------------------------------------------===//

#include "Targets.h"

#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/UserError.h"
#include "tx/Schedule/Passes.h"
#include "tx/Target/CudaKernels.h"
#include "tx/Target/HostKernels.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tx;

static llvm::Expected<Target> hostTarget(const CompileOptions &compile, StringRef suffix) {
  const OutputOptions &output = compile.output;
  if (!suffix.empty())
    return badUsage("--target host takes no architecture, found '" + output.target + "'; --target-cpu names a CPU");
  if (!output.ptxas.empty())
    return badUsage("--ptxas is for --target cuda:ARCH; this step's target is " + output.target);
  if (compile.libraries.activations)
    return badUsage("--gemm-gelu-fusion is for --target cuda:ARCH, whose library of products computes GELU too; "
                    "this step's target is " +
                    output.target);
  if (compile.libraries.attention == AttentionBackend::Fused)
    return badInput(
        "--attention-backend fused is refused: it is cuDNN's attention, for --target cuda:ARCH; this step's "
        "target is " +
        output.target + "; flash is one fused op too, with own kernels");
  HostTargetOptions options;
  if (!output.targetCpu.empty())
    options.cpu = output.targetCpu;
  return Target{nullptr, nullptr, nullptr, [options](step::ProgramOp program) -> FailureOr<TargetCode> {
                  FailureOr<HostKernels> kernels = compileHostKernels(program, options);
                  if (failed(kernels))
                    return failure();
                  return packHostKernels(std::move(*kernels));
                }};
}

static llvm::Expected<Target> cudaTarget(const CompileOptions &compile, StringRef suffix) {
  const OutputOptions &output = compile.output;
  std::string known = llvm::join(getGpuArchitectures(), ", ");
  if (!output.targetCpu.empty())
    return badUsage("--target-cpu is for --target host; found --target " + output.target);
  if (suffix.empty())
    return badUsage("--target cuda needs architectures, as cuda:sm_90 or cuda:sm_80,sm_90; known: " + known);
  CudaTargetOptions options;
  options.ptxas = output.ptxas;
  options.architectures.clear();
  for (StringRef name : llvm::split(suffix, ',')) {
    if (!llvm::is_contained(getGpuArchitectures(), name))
      return badUsage("--target " + output.target + ": unknown GPU architecture '" + name + "'; known: " + known);
    options.architectures.push_back(name.str());
  }
  FuseEpiloguesPassOptions epilogues;
  epilogues.sums = compile.libraries.biasGradients;
  PlanGpuLibrariesOptions libraries;
  llvm::append_range(libraries.architectures, options.architectures);
  libraries.attention = compile.libraries.attention;
  libraries.deterministic = compile.libraries.deterministicAttention;
  auto planLibraries = [libraries](OpPassManager &manager) { manager.addPass(createPlanGpuLibraries(libraries)); };
  // Kernels are laid out for the first architecture.
  SplitRowSumsOptions parts;
  parts.arch = options.architectures.front();
  auto chooseForms = [epilogues, parts](OpPassManager &manager) {
    manager.addNestedPass<func::FuncOp>(createFuseEpiloguesPass(epilogues));
    manager.addNestedPass<func::FuncOp>(createSplitRowSums(parts));
  };
  std::function<void(OpPassManager &)> joinOps;
  if (compile.libraries.activations)
    joinOps = [](OpPassManager &manager) { manager.addPass(createFuseActivationsPass()); };
  return Target{joinOps, chooseForms, planLibraries, [options](step::ProgramOp program) -> FailureOr<TargetCode> {
                  FailureOr<CudaKernels> kernels = compileCudaKernels(program, options);
                  if (failed(kernels))
                    return failure();
                  return packCudaKernels(*kernels);
                }};
}

static constexpr struct {
  const char *name, *form;
  llvm::Expected<Target> (*parse)(const CompileOptions &options, StringRef suffix);
} kTargets[] = {
    {"host", "host", hostTarget},
    {"cuda", "cuda:ARCH[,ARCH...]", cudaTarget},
};

llvm::Expected<Target> tx::parseTarget(const CompileOptions &options) {
  auto [name, suffix] = StringRef(options.output.target).split(':');
  std::string known;
  for (const auto &target : kTargets) {
    if (name == target.name)
      return target.parse(options, suffix);
    known += (known.empty() ? "" : " or ") + std::string(target.form);
  }
  return badUsage("--target takes " + known + "; found '" + options.output.target + "'");
}
