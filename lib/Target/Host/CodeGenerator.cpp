//===- CodeGenerator.cpp - Functions on memory as x86-64 code -----------------------------------------------------===//

#include "CodeGenerator.h"

#include "../Common/OptimizeModule.h"
#include "LowerToLLVM.h"

#include "tx/Conversion/Passes.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace tx;
using tx::host::CodeGenerator;
using tx::host::kTileFeatures;

static bool hostHas(ArrayRef<const char *> names) {
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  return llvm::all_of(names, [&](const char *name) { return features.lookup(name); });
}

/// The x86-64 levels that this machine has, the highest first. Code is made for a level and not for a CPU model, so it
/// is the same on all CPUs of a level.
static std::vector<std::string> levelsOfThisMachine() {
  std::vector<std::string> levels;
  if (!hostHas({"avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe"}))
    return levels;
  if (hostHas({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}))
    levels.push_back("x86-64-v4");
  levels.push_back("x86-64-v3");
  return levels;
}

std::vector<std::string> tx::hostLevels() {
  std::vector<std::string> levels = levelsOfThisMachine();
  if (hostHas(kTileFeatures))
    levels.insert(levels.begin(), "host");
  else if (!levels.empty())
    levels.front() = "host";
  return levels;
}

FailureOr<CodeGenerator> CodeGenerator::create(const HostTargetOptions &options, bool wantsTiles, Location loc) {
  static const bool initialized = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple ofTarget(triple);
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(ofTarget, error);
  if (!target) {
    emitError(loc) << "this build of LLVM has no x86-64 code generator: " << error;
    return failure();
  }
  bool isHost = options.cpu == "host" || options.cpu == "native";
  std::vector<std::string> levels = levelsOfThisMachine();
  std::string cpu = !isHost ? options.cpu : levels.empty() ? "x86-64" : levels.front();
  std::string features = isHost && wantsTiles && hostHas(kTileFeatures) ? "+amx-tile,+amx-bf16," : "";
  features += options.features;
  std::unique_ptr<llvm::MCSubtargetInfo> known(target->createMCSubtargetInfo(ofTarget, "generic", ""));
  if (!known->isCPUStringValid(cpu)) {
    emitError(loc) << "unknown CPU '" << options.cpu << "'; known: host, x86-64-v3, x86-64-v4 and LLVM's names";
    return failure();
  }
  llvm::TargetOptions targetOptions;
  targetOptions.AllowFPOpFusion = llvm::FPOpFusion::Strict;
  CodeGenerator generator(std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(ofTarget, cpu, features, targetOptions, llvm::Reloc::PIC_, llvm::CodeModel::Small,
                                  llvm::CodeGenOptLevel::Default)));
  if (!generator.has("avx2") || !generator.has("fma")) {
    emitError(loc) << "host kernels need a CPU with AVX2 and FMA (x86-64-v3), found '" << cpu << "'";
    return failure();
  }
  return generator;
}

std::string CodeGenerator::describe() const {
  return (machine->getTargetCPU() + " " + machine->getTargetFeatureString()).str();
}

bool CodeGenerator::has(StringRef feature) const {
  return machine->getMCSubtargetInfo()->checkFeatures("+" + feature.str());
}

bool CodeGenerator::hasTiles() const {
  return llvm::all_of(kTileFeatures, [&](const char *feature) { return has(feature); });
}

void CodeGenerator::setAttributes(llvm::Module &module) const {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr(llvm::Attribute::NoUnwind); // no unwind tables
    function.addFnAttr("no-builtins");             // LLVM must not turn loops into memset or memcpy
    function.addFnAttr("target-cpu", machine->getTargetCPU());
    function.addFnAttr("target-features", machine->getTargetFeatureString());
    if (has("avx512f"))
      function.addFnAttr("prefer-vector-width", "512");
  }
}

// The code arrives as vector code, in the loops that it should have and without stack slots, so these passes only clean
// up. LLVM's default pipeline makes the same code in three times the time.
static constexpr const char *kPipeline =
    "always-inline,function(simplifycfg,early-cse,instcombine<no-verify-fixpoint>,loop(loop-rotate),loop-mssa(licm),"
    "early-cse<memssa>,instcombine<no-verify-fixpoint>,simplifycfg),globaldce";

FailureOr<SmallVector<char, 0>> CodeGenerator::generate(ModuleOp module, function_ref<void(llvm::Module &)> add) const {
  if (failed(verifyHostKernels(module)))
    return failure();
  loadLoweringDialects(module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> code = vectorToLLVM(module, context);
  if (!code)
    return failure();
  code->setTargetTriple(machine->getTargetTriple());
  code->setDataLayout(machine->createDataLayout());
  code->setPICLevel(llvm::PICLevel::SmallPIC);
  if (add)
    add(*code);
  setAttributes(*code);
  if (llvm::Error error = optimizeModule(*code, *machine, kPipeline))
    return module.emitOpError() << llvm::toString(std::move(error));

  SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager passes;
  [[maybe_unused]] bool cannot =
      machine->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
  assert(!cannot && "x86-64 writes objects");
  passes.run(*code);
  return object;
}
