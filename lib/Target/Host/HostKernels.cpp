//===- HostKernels.cpp - Kernels of a step as x86-64 code ---------------------------------------------------------===//

#include "tx/Target/HostKernels.h"
#include "CodeGenerator.h"
#include "ObjectLink.h"

#include "tx/Conversion/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"

#include "llvm/IR/IRBuilder.h"

using namespace mlir;
using namespace tx;
using tx::host::CodeGenerator;

// What a manifest may ask of a CPU: the features that change the code which LLVM makes of vectors and loops.
static constexpr const char *kFeatures[] = {"avx",        "avx2",       "bmi",        "bmi2",         "f16c",
                                            "fma",        "lzcnt",      "movbe",      "popcnt",       "sse3",
                                            "sse4.1",     "sse4.2",     "ssse3",      "avx512f",      "avx512bw",
                                            "avx512cd",   "avx512dq",   "avx512vl",   "avx512vbmi",   "avx512vbmi2",
                                            "avx512ifma", "avx512vnni", "avx512bf16", "avx512bitalg", "avx512vpopcntdq",
                                            "gfni",       "avx512fp16"};

/// The function that the runtime calls: takes the operands out of the launch's array. `body` has a pointer for each
/// buffer, then the immediates if any, then the range.
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
    arguments.push_back(builder.CreateLoad(pointer, builder.CreateConstInBoundsGEP1_64(pointer, entry->getArg(0), i)));
  if (kernel.getImmediates())
    arguments.push_back(entry->getArg(1));
  arguments.push_back(entry->getArg(2));
  arguments.push_back(entry->getArg(3));
  builder.CreateCall(&body, arguments);
  builder.CreateRetVoid();
}

FailureOr<HostKernels> tx::compileHostKernels(step::ProgramOp program, const HostTargetOptions &options) {
  MLIRContext *context = program.getContext();
  DialectRegistry registry;
  registerVectorKernelDialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);

  FailureOr<CodeGenerator> generator = CodeGenerator::create(options, hasNarrowProducts(program), program.getLoc());
  if (failed(generator))
    return failure();
  FailureOr<OwningOpRef<ModuleOp>> vector = lowerKernelsToVector(program);
  if (failed(vector))
    return failure();
  bool usesTiles = hasNarrowProducts(program) && generator->hasTiles();
  addNarrowProducts(program, vector->get(), {usesTiles, generator->has("avx512f")});
  FailureOr<SmallVector<char, 0>> object = generator->generate(vector->get(), [&](llvm::Module &module) {
    for (auto kernel : program.getBody().getOps<step::KernelOp>())
      addEntryPoint(*module.getFunction(kernel.getSymName()), kernel);
  });
  if (failed(object))
    return failure();

  HostKernels result;
  result.triple = CodeGenerator::triple;
  llvm::copy_if(kFeatures, std::back_inserter(result.features), [&](const char *name) { return generator->has(name); });
  if (usesTiles)
    llvm::append_range(result.features, host::kTileFeatures);
  result.object = std::move(*object);
  auto functions = host::linkObject(result.object);
  if (!functions)
    return program.emitOpError() << llvm::toString(functions.takeError());
  result.functions = std::move(*functions);
  return result;
}

TargetCode tx::packHostKernels(HostKernels kernels) {
  TargetCode code;
  code.backend = "host";
  code.triple = std::move(kernels.triple);
  code.features = std::move(kernels.features);
  code.functions = std::move(kernels.functions);
  code.code = std::move(kernels.object);
  return code;
}
