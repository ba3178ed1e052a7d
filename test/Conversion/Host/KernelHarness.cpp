#include "KernelHarness.h"

#include "KernelText.h"

#include "../../../lib/Target/Host/CodeGenerator.h"
#include "../../../lib/Target/Host/ObjectLink.h"

#include "tx/Conversion/Passes.h"

#include "core/CodeImage.h"
#include "txrt/abi.h"

#include <algorithm>

using namespace txtest;

struct Code::Image : txrt::CodeImage {
  Image(const llvm::SmallVector<char, 0> &code, std::vector<tx::TargetCode::Function> functions)
      : CodeImage("test", {reinterpret_cast<const uint8_t *>(code.data()), code.size()}),
        functions(std::move(functions)) {}
  std::vector<tx::TargetCode::Function> functions;
};

Code::Code(const llvm::SmallVector<char, 0> &object) {
  auto linked = tx::host::linkObjects({{object, ""}}); // a linked one is the same afterwards
  if (linked)
    image = std::make_unique<Image>(linked->object, std::move(linked->functions));
  else
    ADD_FAILURE() << llvm::toString(linked.takeError());
}
Code::Code(Code &&) = default;
Code::~Code() = default;

void *Code::function(const std::string &name) const {
  if (image)
    for (const tx::TargetCode::Function &function : image->functions)
      if (function.name == name)
        return image->address(function.entry);
  return nullptr;
}

std::string txtest::nameOfLevel(const testing::TestParamInfo<std::string> &info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

llvm::SmallVector<char, 0> txtest::compileFunctions(const std::string &cpu,
                                                    llvm::function_ref<void(mlir::OpBuilder &, mlir::Location)> add) {
  mlir::MLIRContext &context = sharedContext();
  mlir::DialectRegistry registry;
  tx::registerVectorKernelDialects(registry);
  context.appendDialectRegistry(registry);
  for (mlir::StringRef name : registry.getDialectNames())
    context.getOrLoadDialect(name);
  mlir::Location loc = mlir::UnknownLoc::get(&context);
  mlir::OwningOpRef<mlir::ModuleOp> module = mlir::ModuleOp::create(loc);
  mlir::OpBuilder builder = mlir::OpBuilder::atBlockEnd(module->getBody());
  add(builder, loc);
  std::string diagnostics;
  DiagnosticsAsText handler(diagnostics);
  mlir::FailureOr<tx::host::CodeGenerator> generator = tx::host::CodeGenerator::create({cpu, {}}, false, loc);
  if (succeeded(generator))
    if (auto object = generator->generate(*module, {}); succeeded(object))
      return std::move(*object);
  ADD_FAILURE() << cpu << ": " << diagnostics;
  return {};
}

static mlir::FailureOr<tx::HostKernels> compile(const std::string &kernels, const tx::HostTargetOptions &options,
                                                std::string &diagnostics) {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  tx::step::ProgramOp program = parseKernels(kernels, module, diagnostics);
  if (!program)
    return mlir::failure();
  DiagnosticsAsText handler(diagnostics);
  return tx::compileHostKernels(program, options);
}

Kernels::Kernels(const std::string &kernels, const tx::HostTargetOptions &options) {
  std::string diagnostics;
  auto result = compile(kernels, options, diagnostics);
  if (mlir::failed(result)) {
    ADD_FAILURE() << diagnostics << "in\n" << kernels;
    return;
  }
  compiled = std::move(*result);
  loaded.emplace(compiled.object);
}

std::string txtest::diagnosticOf(const std::string &kernels, const tx::HostTargetOptions &options) {
  std::string diagnostics;
  (void)compile(kernels, options, diagnostics);
  return diagnostics;
}

void *Kernels::function(const std::string &name) const { return loaded ? loaded->function(name) : nullptr; }

void Kernels::run(const std::string &name, const std::vector<void *> &buffers, int64_t units,
                  const std::vector<uint32_t> &immediates) {
  runRange(name, buffers, 0, units, immediates);
}

void Kernels::runUnits(const std::string &name, const std::vector<Bytes *> &buffers, int64_t begin, int64_t end,
                       const std::vector<uint32_t> &immediates) {
  std::vector<void *> addresses;
  for (Bytes *bytes : buffers)
    addresses.push_back(bytes->data());
  runRange(name, addresses, begin, end, immediates);
}

void Kernels::runRange(const std::string &name, const std::vector<void *> &buffers, int64_t begin, int64_t end,
                       const std::vector<uint32_t> &immediates) {
  if (!loaded)
    return;
  auto kernel = reinterpret_cast<txrt_host_kernel>(function(name));
  ASSERT_NE(kernel, nullptr) << name;
  kernel(buffers.data(), immediates.data(), begin, end);
}

std::string txtest::tensor(std::initializer_list<int64_t> shape, const char *element) {
  std::string text = "tensor<";
  for (int64_t size : shape)
    text += std::to_string(size) + "x";
  return text + element + ">";
}

double txtest::worstError(const std::vector<float> &a, const std::vector<double> &b, double floor) {
  double worst = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    double error = std::abs(a[i] - b[i]) / (std::abs(b[i]) + floor);
    worst = std::isnan(error) ? INFINITY : std::max(worst, error);
  }
  return worst;
}
