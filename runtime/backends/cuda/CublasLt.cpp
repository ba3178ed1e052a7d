#include "backends/cuda/CublasLt.h"
#include "core/Program.h"

#include <algorithm>

using namespace txrt;
using namespace txrt::cuda;

static bool hasSums(const txrt_gemm_launch &gemm) {
  return gemm.buffers[TXRT_GEMM_SUMS_A] || gemm.buffers[TXRT_GEMM_SUMS_B];
}

CublasLt::CublasLt(const txrt_program &program, const txrt_options &options, const std::string &gpu,
                   const Driver &driver, Stream stream)
    : program(program), library(lt::Library::get()), handle(library), warn(options.warn) {
  openCache(options, gpu);
  std::optional<Tuner> tuner;
  if (options.tune)
    tuner.emplace(driver, stream);
  ofLaunch.resize(program.launch_count);
  apartOfLaunch.resize(program.launch_count);
  for (uint32_t i = 0; i < program.launch_count; ++i) {
    const txrt_launch &launch = program.launches[i];
    if (launch.kind != TXRT_LAUNCH_GEMM)
      continue;
    ProductKey key(program, launch);
    apartOfLaunch[i] = takeApart(key, driver);
    auto [at, isNew] = products.try_emplace(key, library, handle, key);
    Product &product = at->second;
    ofLaunch[i] = &product;
    if (!isNew)
      continue;
    if (tuner ? tune(*tuner, product, launch) : takeTuned(product))
      ++tuned;
    else
      takeFavourite(product, i);
  }
  if (tuner && cache)
    cache->save();
}

void CublasLt::openCache(const txrt_options &options, const std::string &gpu) {
  if (!options.tuning_cache)
    return;
  try {
    cache.emplace(options.tuning_cache, gpu, library.version());
  } catch (const Failure &failure) {
    if (options.tune) // tuning would replace the file, and it may be something else than a cache
      throw;
    if (warn)
      warn((std::string(failure.what()) + "; the library chooses algorithms").c_str());
  }
}

bool CublasLt::takeTuned(Product &product) {
  std::optional<TunedChoice> choice;
  if (cache)
    choice = cache->find(product.key.text());
  if (!choice)
    return false;
  if (product.accepts(choice->algorithm)) {
    product.algorithm = choice->algorithm;
    return true;
  }
  if (warn)
    warn(format("%s: %s does not take the algorithm for %s; it chooses one: "
                "--tune again",
                printable(cache->path).c_str(), library.version().c_str(), product.key.text().c_str())
             .c_str());
  return false;
}

bool CublasLt::tune(Tuner &tuner, Product &product, const txrt_launch &launch) {
  std::optional<TunedChoice> choice = tuner.choose(product, program, launch);
  if (!choice) {
    if (warn)
      warn(format("no memory beside the arena to tune %s", product.key.text().c_str()).c_str());
    return false;
  }
  product.algorithm = choice->algorithm;
  if (cache)
    cache->set(product.key.text(), *choice);
  return true;
}

/// If the library cannot compute a product's sums beside it, makes a product of its own for the sums, and changes `key`
/// to the product without them. This holds for all launches of the product, so every policy gets the same bits.
ProductSums *CublasLt::takeApart(ProductKey &key, const Driver &driver) {
  if (!hasSums(key.gemm))
    return nullptr;
  auto [at, isNew] = apart.try_emplace(key);
  if (isNew && Product(library, handle, key).candidates(1).empty()) {
    auto sums = std::make_unique<ProductSums>(library, handle, driver, key);
    if (sums->isPossible())
      at->second = std::move(sums);
  }
  if (at->second)
    key.gemm.buffers[TXRT_GEMM_SUMS_A] = key.gemm.buffers[TXRT_GEMM_SUMS_B] = 0;
  return at->second.get();
}

void CublasLt::takeFavourite(Product &product, uint32_t index) {
  std::vector<lt::Algorithm> candidates = product.candidates(1);
  const txrt_launch &launch = program.launches[index];
  const char *advice = "";
  if (hasSums(launch.u.gemm))
    advice = "; a step compiled with --no-bias-gradient-fusion asks for no sums";
  if (candidates.empty())
    fail(TXRT_DEVICE, "%s: %s has no algorithm for %s: %s%s", program.name, library.version().c_str(),
         describeLaunch(program, index).c_str(), product.key.text().c_str(), advice);
  product.algorithm = candidates.front();
}

std::string CublasLt::description() const {
  std::string text = library.version();
  if (tuned)
    text += format(" (%zu of %zu products tuned)", tuned, products.size());
  const auto count = std::count_if(apart.begin(), apart.end(), [](auto &sums) { return sums.second != nullptr; });
  if (count)
    text += format(" (sums of %zu products apart)", static_cast<size_t>(count));
  return text;
}

void CublasLt::launch(uint32_t index, DevicePointer arena, float beta, Stream stream) {
  const txrt_launch &launch = program.launches[index];
  auto address = [&](txrt_gemm_operand role) -> DevicePointer {
    const txrt_buffer *buffer = gemmBuffer(program, launch, role);
    return buffer ? arena + program.segment_base[buffer->segment] + buffer->offset : 0;
  };
  Product &product = *ofLaunch[index];
  const ProductOperands operands = {address(TXRT_GEMM_A), address(TXRT_GEMM_B), address(TXRT_GEMM_C),
                                    address(gemmVector(launch.u.gemm)), address(TXRT_GEMM_SCRATCH)};
  product.enqueue(operands, launch.u.gemm.alpha, beta, product.algorithm, stream);
  if (ProductSums *sums = apartOfLaunch[index])
    sums->enqueue(operands, stream);
}
