//===- CudaKernels.cpp - Kernels of a step as PTX and cubins ------------------------------------------------------===//

#include "tx/Target/CudaKernels.h"
#include "../Common/OptimizeModule.h"
#include "LowerToLLVM.h"
#include "Ptxas.h"

#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

using namespace mlir;
using namespace tx;

static constexpr const char *kTriple = "nvptx64-nvidia-cuda";

/// The LLVM feature for the PTX version that introduced an architecture.
static StringRef ptxFeature(unsigned capability) {
  switch (capability) {
  case 80:
    return "+ptx70";
  case 86:
    return "+ptx71";
  case 89:
  case 90:
    return "+ptx78";
  case 100:
    return "+ptx86";
  case 120:
    return "+ptx87";
  }
  llvm_unreachable("each of getGpuArchitectures is here");
}

static std::unique_ptr<llvm::TargetMachine> createMachine(unsigned capability, Location loc) {
  static const bool initialized = [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple(kTriple);
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    emitError(loc) << "this build of LLVM has no NVPTX code generator: " << error;
    return nullptr;
  }
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict; // emits add.rn and mul.rn, which ptxas does not fuse either
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, "sm_" + std::to_string(capability), ptxFeature(capability), options,
                                  std::nullopt, std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

// The kernels arrive as vector code in the loops that they should have. Only the loops over rows in column kernels gain
// from unrolling, which puts more loads in flight.
static constexpr const char *kPipeline =
    "function(infer-address-spaces,simplifycfg,sroa,early-cse,instcombine<no-verify-fixpoint>,loop(loop-rotate),"
    "loop-mssa(licm),loop-unroll<O2;runtime;partial>,early-cse<memssa>,instcombine<no-verify-fixpoint>,gvn,simplifycfg)"
    ","
    "globaldce";

static std::optional<unsigned> capabilityOf(StringRef architecture) {
  unsigned capability;
  if (!architecture.consume_front("sm_") || architecture.getAsInteger(10, capability))
    return std::nullopt;
  return capability;
}

/// The compute capabilities of the architectures, in ascending order and each once. Emits an error if one is unknown.
static FailureOr<SmallVector<unsigned>> capabilitiesOf(step::ProgramOp program, const CudaTargetOptions &options) {
  SmallVector<unsigned> result;
  for (const std::string &name : options.architectures) {
    std::optional<unsigned> capability = capabilityOf(name);
    if (!capability || !llvm::is_contained(getGpuArchitectures(), name))
      return program.emitOpError("cannot be compiled for the GPU architecture '")
             << name << "'; known: " << llvm::join(getGpuArchitectures(), ", ");
    result.push_back(*capability);
  }
  llvm::sort(result);
  result.erase(llvm::unique(result), result.end());
  assert(!result.empty() && "--target cuda names architectures");
  return result;
}

FailureOr<CudaKernels> tx::compileCudaKernelsToPtx(step::ProgramOp program, const CudaTargetOptions &options) {
  MLIRContext *context = program.getContext();
  DialectRegistry registry;
  registerGpuKernelDialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);
  cuda::loadLoweringDialects(context);

  FailureOr<SmallVector<unsigned>> capabilities = capabilitiesOf(program, options);
  if (failed(capabilities))
    return failure();
  CudaKernels result;
  result.ptxCapability = capabilities->front();
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(result.ptxCapability, program.getLoc());
  if (!machine)
    return failure();
  FailureOr<gpu::GPUModuleOp> threads = lowerKernelsToGpu(program, options.architectures.front());
  if (failed(threads))
    return failure();
  OwningOpRef<gpu::GPUModuleOp> owner(*threads);
  for (auto function : owner->getOps<gpu::GPUFuncOp>()) {
    auto number = [&](StringRef name) { return function->getAttrOfType<IntegerAttr>(name).getInt(); };
    CudaKernel kernel;
    kernel.name = function.getName().str();
    kernel.threads = (*function.getKnownBlockSize())[0];
    kernel.units = number(kGpuUnits);
    kernel.unitsPerBlock = number(kGpuUnitsPerBlock);
    if (function->hasAttr(kGpuSharedBytes))
      kernel.sharedBytes = number(kGpuSharedBytes);
    result.kernels.push_back(kernel);
  }
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> module = cuda::gpuToLLVM(*owner, llvmContext);
  if (!module)
    return failure();
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  if (llvm::Error error = optimizeModule(*module, *machine, kPipeline))
    return program.emitOpError() << llvm::toString(std::move(error));
  llvm::SmallString<0> ptx;
  llvm::raw_svector_ostream stream(ptx);
  llvm::legacy::PassManager codegen;
  [[maybe_unused]] bool cannot =
      machine->addPassesToEmitFile(codegen, stream, nullptr, llvm::CodeGenFileType::AssemblyFile);
  assert(!cannot && "NVPTX writes text");
  codegen.run(*module);
  result.ptx = ptx.str().str();
  return result;
}

FailureOr<CudaKernels> tx::compileCudaKernels(step::ProgramOp program, const CudaTargetOptions &options) {
  FailureOr<CudaKernels> result = compileCudaKernelsToPtx(program, options);
  if (failed(result))
    return failure();
  if (options.ptxas == "none")
    return result;
  std::string ptxas = findPtxas(options);
  if (ptxas.empty()) {
    if (!options.ptxas.empty())
      return mlir::emitError(program.getLoc()) << "--ptxas " << options.ptxas << ": no program that can be run";
    mlir::emitWarning(program.getLoc()) << "no ptxas of the CUDA toolkit in $CUDA_HOME/bin, $CUDA_PATH/bin, $PATH or "
                                           "/usr/local/cuda/bin: the artifact has "
                                           "PTX of compute_"
                                        << result->ptxCapability
                                        << " alone, which the driver compiles each time a run begins";
    return result;
  }
  FailureOr<SmallVector<unsigned>> capabilities = capabilitiesOf(program, options);
  if (failed(capabilities))
    return failure();
  for (unsigned capability : *capabilities) {
    llvm::Expected<CudaImage> image = cuda::assemble(ptxas, result->ptx, capability);
    if (!image)
      return mlir::emitError(program.getLoc()) << llvm::toString(image.takeError());
    result->images.push_back(std::move(*image));
  }
  return result;
}
