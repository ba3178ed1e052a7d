//===- HostKernels.cpp - Kernels of a step as x86-64 code -----------------===//

#include "tx/Target/HostKernels.h"
#include "../Common/OptimizeModule.h"
#include "LowerToLLVM.h"
#include "ObjectCheck.h"

#include "tx/Conversion/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace tx;

static constexpr const char *kTriple = "x86_64-unknown-linux-gnu";

// What a manifest may ask of a CPU: the features that change the code which LLVM
// makes of vectors and loops.
static constexpr const char *kFeatures[] = {
    "avx",      "avx2",     "bmi",      "bmi2",       "f16c",       "fma",         "lzcnt",      "movbe",
    "popcnt",   "sse3",     "sse4.1",   "sse4.2",     "ssse3",      "avx512f",     "avx512bw",   "avx512cd",
    "avx512dq", "avx512vl", "avx512vbmi", "avx512vbmi2", "avx512ifma", "avx512vnni", "avx512bf16", "avx512bitalg",
    "avx512vpopcntdq", "gfni", "avx512fp16"};
// Asked for by programs with bf16 products alone.
static constexpr const char *kTileFeatures[] = {"amx-tile", "amx-bf16"};

static bool hostHasTiles() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(kTileFeatures, [&](const char *name) { return features.lookup(name); });
}

/// A level of x86-64 instead of the model: the same code on all CPUs of a level.
static std::string hostLevel() {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  auto has = [&](std::initializer_list<const char *> names) {
    return llvm::all_of(names, [&](const char *name) { return features.lookup(name); });
  };
  if (!has({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}))
    return "x86-64";
  return has({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}) ? "x86-64-v4" : "x86-64-v3";
}

static std::unique_ptr<llvm::TargetMachine> createMachine(const HostTargetOptions &options, bool wantsTiles,
                                                          Location loc) {
  static const bool initialized = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple(kTriple);
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    emitError(loc) << "this build of LLVM has no x86-64 code generator: " << error;
    return nullptr;
  }
  bool isHost = options.cpu == "host" || options.cpu == "native";
  std::string cpu = isHost ? hostLevel() : options.cpu;
  std::string features = isHost && wantsTiles && hostHasTiles() ? "+amx-tile,+amx-bf16," : "";
  features += options.features;
  std::unique_ptr<llvm::MCSubtargetInfo> known(target->createMCSubtargetInfo(triple, "generic", ""));
  if (!known->isCPUStringValid(cpu)) {
    emitError(loc) << "unknown CPU '" << options.cpu << "'; known: host, x86-64-v3, x86-64-v4 and LLVM's names";
    return nullptr;
  }
  llvm::TargetOptions target_options;
  target_options.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, cpu, features, target_options, llvm::Reloc::PIC_,
                                  llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
  if (!machine->getMCSubtargetInfo()->checkFeatures("+avx2,+fma")) {
    emitError(loc) << "host kernels need a CPU with AVX2 and FMA (x86-64-v3), found '" << cpu << "'";
    return nullptr;
  }
  return machine;
}

/// The function that the runtime calls: takes the operands out of the launch's
/// array. `body` has a pointer for each buffer, then the immediates if any, then the range.
static void addEntryPoint(llvm::Function &body, step::KernelOp kernel) {
  llvm::LLVMContext &context = body.getContext();
  auto *pointer = llvm::PointerType::get(context, 0);
  auto *i64 = llvm::Type::getInt64Ty(context);
  auto *type = llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer, pointer, i64, i64}, false);
  std::string name = body.getName().str();
  body.setName(name + ".body");
  body.setLinkage(llvm::GlobalValue::InternalLinkage);
  body.addFnAttr(llvm::Attribute::AlwaysInline);
  auto *entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, body.getParent());
  llvm::IRBuilder<> builder(llvm::BasicBlock::Create(context, "", entry));
  SmallVector<llvm::Value *> arguments;
  for (unsigned i = 0, count = kernel.getInputCount() + kernel.getOutputCount(); i < count; ++i)
    arguments.push_back(
        builder.CreateLoad(pointer, builder.CreateConstInBoundsGEP1_64(pointer, entry->getArg(0), i)));
  if (kernel.getImmediates())
    arguments.push_back(entry->getArg(1));
  arguments.push_back(entry->getArg(2));
  arguments.push_back(entry->getArg(3));
  builder.CreateCall(&body, arguments);
  builder.CreateRetVoid();
}

static void setAttributes(llvm::Module &module, llvm::TargetMachine &machine) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr(llvm::Attribute::NoUnwind); // no unwind tables
    function.addFnAttr("no-builtins");             // no memset or memcpy out of loops
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    if (machine.getMCSubtargetInfo()->checkFeatures("+avx512f"))
      function.addFnAttr("prefer-vector-width", "512");
  }
}

// The code comes as vectors, in the loops that it should have, without stack
// slots: what is left is to clean up. The default pipeline makes the same code in three
// times the time.
static constexpr const char *kPipeline =
    "always-inline,function(simplifycfg,early-cse,instcombine<no-verify-fixpoint>,loop(loop-rotate),loop-mssa(licm),"
    "early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg),globaldce";

FailureOr<HostKernels> tx::compileHostKernels(step::ProgramOp program, const HostTargetOptions &options) {
  MLIRContext *context = program.getContext();
  DialectRegistry registry;
  registerVectorKernelDialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);
  host::loadLoweringDialects(context);

  std::unique_ptr<llvm::TargetMachine> machine = createMachine(options, hasNarrowProducts(program), program.getLoc());
  if (!machine)
    return failure();
  FailureOr<OwningOpRef<ModuleOp>> vector = lowerKernelsToVector(program);
  if (failed(vector))
    return failure();
  auto has = [&](const char *feature) {
    return machine->getMCSubtargetInfo()->checkFeatures(std::string("+") + feature);
  };
  bool hasTiles = hasNarrowProducts(program) && llvm::all_of(kTileFeatures, has);
  addNarrowProducts(program, vector->get(), {hasTiles, has("avx512f")});
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> module = host::vectorToLLVM(vector->get(), llvmContext);
  if (!module)
    return failure();
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  module->setPICLevel(llvm::PICLevel::SmallPIC);
  for (auto kernel : program.getBody().getOps<step::KernelOp>())
    addEntryPoint(*module->getFunction(kernel.getSymName()), kernel);
  setAttributes(*module, *machine);
  if (llvm::Error error = optimizeModule(*module, *machine, kPipeline))
    return program.emitOpError() << llvm::toString(std::move(error));

  HostKernels result;
  result.triple = kTriple;
  llvm::copy_if(kFeatures, std::back_inserter(result.features), has);
  if (hasTiles)
    llvm::append_range(result.features, kTileFeatures);
  llvm::raw_svector_ostream stream(result.object);
  llvm::legacy::PassManager codegen;
  [[maybe_unused]] bool cannot =
      machine->addPassesToEmitFile(codegen, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
  assert(!cannot && "x86-64 writes objects");
  codegen.run(*module);
  if (llvm::Error error = host::checkObject({StringRef(result.object.data(), result.object.size()), "host kernels"}))
    return program.emitOpError() << llvm::toString(std::move(error));
  return result;
}

TargetCode tx::packHostKernels(HostKernels kernels) {
  TargetCode code{"host", std::move(kernels.triple), std::move(kernels.features), {}, {}};
  code.sections.push_back({TXRT_SECTION_HOST_ELF, std::move(kernels.object)});
  return code;
}
