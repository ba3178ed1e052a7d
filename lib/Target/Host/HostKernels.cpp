//===- HostKernels.cpp - Kernels of a step as x86-64 code ---------------------------------------------------------===//

#include "tx/Target/HostKernels.h"
#include "CodeGenerator.h"
#include "EntryPoint.h"
#include "HostCompilation.h"
#include "ObjectLink.h"

#include "tx/Conversion/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"

using namespace mlir;
using namespace tx;
using tx::host::CodeGenerator;
using tx::host::KernelCache;

// The CPU features that a manifest may require: those that change the code which LLVM makes of vectors and loops.
static constexpr const char *kFeatures[] = {"avx",        "avx2",       "bmi",        "bmi2",         "f16c",
                                            "fma",        "lzcnt",      "movbe",      "popcnt",       "sse3",
                                            "sse4.1",     "sse4.2",     "ssse3",      "avx512f",      "avx512bw",
                                            "avx512cd",   "avx512dq",   "avx512vl",   "avx512vbmi",   "avx512vbmi2",
                                            "avx512ifma", "avx512vnni", "avx512bf16", "avx512bitalg", "avx512vpopcntdq",
                                            "gfni",       "avx512fp16"};

namespace {

/// Makes the objects of a program's kernels, or finds them in the cache.
class Compiler {
public:
  Compiler(const CodeGenerator &generator, KernelCache &cache) : generator(generator), cache(cache) {}

  /// Compiles a kernel. Its object has one function, `kernel`, so that kernels that differ only in their names share an
  /// object.
  FailureOr<KernelCache::Object> compile(step::KernelOp kernel) {
    OwningOpRef<step::KernelOp> nameless = kernel.clone();
    nameless->setSymName("kernel");
    return lookUp(textOf(*nameless), [&]() -> FailureOr<SmallVector<char, 0>> {
      FailureOr<OwningOpRef<ModuleOp>> vector = lowerKernelToVector(kernel);
      if (failed(vector))
        return failure();
      return generator.generate(vector->get(), [&](llvm::Module &module) {
        host::addEntryPoint(*module.getFunction(kernel.getSymName()), kernel);
      });
    });
  }

  /// Compiles all products of bf16 matrices that a program has into one object.
  FailureOr<KernelCache::Object> compileProducts(step::ProgramOp program, ProductUnits units) {
    OwningOpRef<ModuleOp> products = ModuleOp::create(program.getLoc(), "host_products");
    addNarrowProducts(program, *products, units);
    return lookUp(textOf(*products), [&] { return generator.generate(*products, {}); });
  }

private:
  static std::string textOf(Operation *op) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    op->print(stream, OpPrintingFlags().useLocalScope());
    return text;
  }

  FailureOr<KernelCache::Object> lookUp(StringRef form, function_ref<FailureOr<SmallVector<char, 0>>()> generate) {
    std::string key = generator.describe() + "\n" + form.str();
    if (KernelCache::Object known = cache.find(key))
      return known;
    FailureOr<SmallVector<char, 0>> object = generate();
    if (failed(object))
      return failure();
    return cache.insert(key, std::move(*object));
  }

  const CodeGenerator &generator;
  KernelCache &cache;
};

} // namespace

FailureOr<HostKernels> tx::compileHostKernels(step::ProgramOp program, const HostTargetOptions &options) {
  return host::compileHostKernels(program, options, KernelCache::ofProcess());
}

FailureOr<HostKernels> host::compileHostKernels(step::ProgramOp program, const HostTargetOptions &options,
                                                KernelCache &cache) {
  MLIRContext *context = program.getContext();
  DialectRegistry registry;
  registerVectorKernelDialects(registry);
  context->appendDialectRegistry(registry);
  for (StringRef name : registry.getDialectNames())
    context->getOrLoadDialect(name);

  const bool hasProducts = hasNarrowProducts(program);
  FailureOr<CodeGenerator> generator = CodeGenerator::create(options, hasProducts, program.getLoc());
  if (failed(generator))
    return failure();
  const bool usesTiles = hasProducts && generator->hasTiles();
  Compiler compiler(*generator, cache);
  SmallVector<KernelCache::Object> objects; // keeps alive what `pieces` refer to
  std::vector<host::Piece> pieces;
  LogicalResult status = success();
  auto add = [&](FailureOr<KernelCache::Object> object, StringRef name) {
    if (failed(object)) {
      status = failure(); // go on, so that all kernels are diagnosed
      return;
    }
    pieces.push_back({**object, name.str()});
    objects.push_back(std::move(*object));
  };
  for (auto kernel : program.getBody().getOps<step::KernelOp>())
    add(compiler.compile(kernel), kernel.getSymName());
  if (hasProducts)
    add(compiler.compileProducts(program, {usesTiles, generator->has("avx512f")}), "");
  if (failed(status))
    return failure();
  if (std::string warning = cache.takeWarning(); !warning.empty())
    program.emitWarning(warning);

  HostKernels result;
  result.triple = CodeGenerator::triple;
  llvm::copy_if(kFeatures, std::back_inserter(result.features), [&](const char *name) { return generator->has(name); });
  if (usesTiles)
    llvm::append_range(result.features, host::kTileFeatures);
  auto linked = host::linkObjects(pieces);
  if (!linked)
    return program.emitOpError() << llvm::toString(linked.takeError());
  result.object = std::move(linked->object);
  result.functions = std::move(linked->functions);
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
