#include "KernelHarness.h"

#include "KernelText.h"

#include "core/ElfImage.h"
#include "txrt/abi.h"

#include <gtest/gtest.h>

using namespace txtest;

struct Kernels::Image {
  Image(const llvm::SmallVector<char, 0> &object)
      : object("test", {reinterpret_cast<const uint8_t *>(object.data()), object.size()}), image("test", this->object) {}
  txrt::ElfObject object;
  txrt::ElfImage image;
};

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
  image = std::make_unique<Image>(compiled.object);
}
Kernels::~Kernels() = default;

std::string txtest::diagnosticOf(const std::string &kernels, const tx::HostTargetOptions &options) {
  std::string diagnostics;
  (void)compile(kernels, options, diagnostics);
  return diagnostics;
}

void *Kernels::function(const std::string &name) const {
  const txrt::ElfPlace *place = image ? image->object.function(name) : nullptr;
  return place ? image->image.address(*place) : nullptr;
}

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
  if (!image)
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
