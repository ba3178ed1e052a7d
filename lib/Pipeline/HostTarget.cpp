//===- HostTarget.cpp - Steps for a CPU ---------------------------------------------------------------------------===//

#include "Targets.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Support/UserError.h"
#include "tx/Target/HostKernels.h"

using namespace mlir;
using namespace tx;

namespace {

/// All kernels are generated, those of products too. So there are no passes for a library's forms, epilogues or
/// scratch.
class HostTarget : public Target {
public:
  explicit HostTarget(HostTargetOptions options) : options(std::move(options)) {}

  StringRef getUsualDevice() const override { return "cpu"; }

  FailureOr<TargetCode> compileKernels(step::ProgramOp program) const override {
    FailureOr<HostKernels> kernels = compileHostKernels(program, options);
    if (failed(kernels))
      return failure();
    return packHostKernels(std::move(*kernels));
  }

private:
  HostTargetOptions options;
};

} // namespace

llvm::Expected<std::unique_ptr<Target>> tx::createHostTarget(const CompileOptions &compile, StringRef suffix) {
  const OutputOptions &output = compile.output;
  if (!suffix.empty())
    return badUsage("--target host takes no architecture, found '" + output.target + "'; --target-cpu names a CPU");
  if (!output.ptxas.empty())
    return badUsage("--ptxas is for --target cuda:ARCH; this step's target is " + output.target);
  if (compile.libraries.attention == AttentionBackend::Fused)
    return badInput("--attention-backend fused is refused: it is cuDNN's attention, for --target cuda:ARCH; this "
                    "step's target is " +
                    output.target + "; flash is one fused op too, with own kernels");
  HostTargetOptions options;
  if (!output.targetCpu.empty())
    options.cpu = output.targetCpu;
  return std::make_unique<HostTarget>(std::move(options));
}
