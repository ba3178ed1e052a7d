//===- Parameters.cpp - The parameters of a model -----------------------------------------------------------------===//

#include "tx/Frontend/Parameters.h"
#include "tx/Frontend/Family.h"

#include <cmath>

using namespace tx;
using llvm::StringRef;

namespace {

class ParameterList {
public:
  explicit ParameterList(const ModelConfig &config) : config(config), layout(getLayout(config)) {
    stddev = residualStddev = config.initializerRange;
    // The residual stream is a sum of 2L products (L layers), so their weights start smaller by 1/sqrt(2L) (Radford et
    // al. 2019, section 2.3).
    if (config.scaledResidualInit)
      residualStddev /= std::sqrt(2.0 * static_cast<double>(config.numLayers));
  }

  std::vector<Parameter> list() {
    addTable(layout.embedding, config.vocabSize);
    if (config.positions == PositionEmbedding::LearnedAbsolute)
      addTable(layout.positions, config.maxPositionEmbeddings);
    for (int64_t layer = 0; layer < config.numLayers; ++layer) {
      std::string prefix = layout.layer.str() + std::to_string(layer) + ".";
      for (const Layout::Part &part : layout.parts) {
        addNorm(prefix + part.norm.str(), config.hiddenSize, /*decay=*/false);
        if (part.kind == Layout::Part::Kind::Attention)
          addAttention(prefix);
        else
          addMlp(prefix);
      }
    }
    addNorm(layout.finalNorm.str(), config.hiddenSize, /*decay=*/false);
    if (!config.tiedEmbeddings)
      addTable(layout.head, config.vocabSize);
    return std::move(parameters);
  }

private:
  void addTable(StringRef name, int64_t rows) {
    parameters.push_back({(name + ".weight").str(), {rows, config.hiddenSize}, InitKind::Normal, stddev, true});
  }

  void addNorm(const std::string &name, int64_t size, bool decay) {
    InitKind init = config.normOffset ? InitKind::Zeros : InitKind::Ones;
    parameters.push_back({name + ".weight", {size}, init, 0.0, decay});
    if (config.normalization == Normalization::LayerNorm)
      parameters.push_back({name + ".bias", {size}, InitKind::Zeros});
  }

  void addLinear(const std::string &name, int64_t in, int64_t out, bool hasBias, double deviation) {
    llvm::SmallVector<int64_t, 2> shape = {in, out};
    if (layout.outputsFirst)
      std::swap(shape[0], shape[1]);
    parameters.push_back({name + ".weight", shape, InitKind::Normal, deviation, /*decay=*/true});
    if (hasBias)
      parameters.push_back({name + ".bias", {out}, InitKind::Zeros});
  }

  void addAttention(const std::string &prefix) {
    int64_t h = config.hiddenSize, q = config.getQuerySize(), k = config.getKeySize();
    if (!layout.fusedQkv.empty()) {
      addLinear(prefix + layout.fusedQkv.str(), h, q + 2 * k, config.qkvBias, stddev);
    } else {
      addLinear(prefix + layout.query.str(), h, q, config.qkvBias, stddev);
      addLinear(prefix + layout.key.str(), h, k, config.qkvBias, stddev);
      addLinear(prefix + layout.value.str(), h, k, config.qkvBias, stddev);
    }
    addLinear(prefix + layout.proj.str(), q, h, config.projBias, residualStddev);
    if (config.qkNorm) {
      addNorm(prefix + layout.queryNorm.str(), config.headSize, config.qkNormDecay);
      addNorm(prefix + layout.keyNorm.str(), config.headSize, config.qkNormDecay);
    }
  }

  void addMlp(const std::string &prefix) {
    int64_t h = config.hiddenSize, f = config.ffnHiddenSize;
    if (config.activation == Activation::SwiGlu)
      addLinear(prefix + layout.gate.str(), h, f, config.mlpBias, stddev);
    addLinear(prefix + layout.up.str(), h, f, config.mlpBias, stddev);
    addLinear(prefix + layout.down.str(), f, h, config.mlpBias, residualStddev);
  }

  const ModelConfig &config;
  const Layout &layout;
  double stddev, residualStddev;
  std::vector<Parameter> parameters;
};

} // namespace

std::vector<Parameter> tx::listParameters(const ModelConfig &config) { return ParameterList(config).list(); }

int64_t ModelConfig::countParameters() const {
  int64_t count = 0;
  for (const Parameter &parameter : listParameters(*this)) {
    int64_t elements = 1;
    for (int64_t size : parameter.shape)
      elements *= size;
    count += elements;
  }
  return count;
}
