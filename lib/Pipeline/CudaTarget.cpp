//===- CudaTarget.cpp - Steps for NVIDIA GPUs ---------------------------------------------------------------------===//

#include "Targets.h"

#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Schedule/Passes.h"
#include "tx/Support/UserError.h"
#include "tx/Target/CudaKernels.h"

#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tx;

namespace {

/// cuBLASLt computes products and their epilogues, cuDNN computes attention where it can and may; generated kernels
/// compute all other ops.
class CudaTarget : public Target {
public:
  CudaTarget(const LibraryOptions &libraries, CudaTargetOptions options)
      : libraries(libraries), options(std::move(options)) {}

  StringRef getUsualDevice() const override {
    unsigned number = 0;
    StringRef architecture = options.architectures.front();
    architecture.ltrim("sm_").consumeInteger(10, number);
    return number < 90 ? "a100-80g" : number < 100 ? "h100" : "b200";
  }

  void addFormPasses(OpPassManager &manager) const override {
    FuseEpiloguesPassOptions epilogues;
    epilogues.sums = libraries.biasGradients;
    epilogues.marks = false;
    manager.addNestedPass<func::FuncOp>(createFuseEpiloguesPass(epilogues));
    // Column sums are split for the first architecture that --target names.
    SplitRowSumsOptions parts;
    parts.arch = options.architectures.front();
    manager.addNestedPass<func::FuncOp>(createSplitRowSums(parts));
  }

  void addFusionPasses(OpPassManager &manager) const override {
    FuseEpiloguesPassOptions epilogues;
    epilogues.sums = libraries.biasGradients;
    manager.addNestedPass<func::FuncOp>(createFuseEpiloguesPass(epilogues));
  }

  void addLibraryPasses(OpPassManager &manager) const override {
    PlanGpuLibrariesOptions plan;
    llvm::append_range(plan.architectures, options.architectures);
    plan.attention = libraries.attention;
    plan.deterministic = libraries.deterministicAttention;
    manager.addPass(createPlanGpuLibraries(plan));
  }

  void addForgettingPasses(OpPassManager &manager) const override {
    PlanGpuLibrariesOptions plan;
    plan.forget = true;
    manager.addPass(createPlanGpuLibraries(plan));
  }

  FailureOr<TargetCode> compileKernels(step::ProgramOp program) const override {
    FailureOr<CudaKernels> kernels = compileCudaKernels(program, options);
    if (failed(kernels))
      return failure();
    return packCudaKernels(*kernels);
  }

private:
  LibraryOptions libraries;
  CudaTargetOptions options;
};

} // namespace

llvm::Expected<std::unique_ptr<Target>> tx::createCudaTarget(const CompileOptions &compile, StringRef suffix) {
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
  return std::make_unique<CudaTarget>(compile.libraries, std::move(options));
}
