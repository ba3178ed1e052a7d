//===- RecordedModelsTest.cpp - The numbers of another framework --------------------------------------------------===//
//
// README.md says what the recorded files hold. Each model is compiled under several policies, runs in one piece and in
// microbatches of one row, and must give PyTorch's loss, gradients, and parameters after three steps.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "core/Failure.h"
#include "core/Json.h"
#include "train/Model.h"
#include "train/Safetensors.h"
#include "train/StepRunner.h"
#include "train/Weights.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace txrt;
using namespace txrt::train;

namespace {

std::string recorded(const std::string &model, const std::string &file) {
  return std::string(TX_RECORDED_DIR) + "/" + model + "/" + file;
}

nlohmann::json readJson(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  std::string bytes = text.str();
  return txrt::parseJson(bytes.data(), bytes.data() + bytes.size(), path);
}

std::vector<float> readFloats(const SafetensorsReader &reader, const std::string &name) {
  const StoredTensor *tensor = reader.find(name);
  std::vector<float> values(tensor ? tensor->elements : 0);
  if (tensor)
    reader.readF32(*tensor, values.data());
  return values;
}

/// The recorded batch; row `index` modulo its rows.
class RecordedBatch : public SampleSource {
public:
  explicit RecordedBatch(const std::string &path) : SampleSource({0, 0, 0, /*ignored=*/-100}) {
    SafetensorsReader reader(path);
    for (auto [name, to] : {std::pair{"tokens", &tokens}, std::pair{"targets", &targets}}) {
      const StoredTensor *tensor = reader.find(name);
      rows = tensor->shape.at(0);
      columns = tensor->shape.at(1);
      to->resize(tensor->elements);
      reader.readRaw(*tensor, to->data());
    }
  }
  void sample(uint64_t index, int32_t *tokenRow, int32_t *targetRow) override {
    uint64_t begin = index % rows * columns;
    std::copy_n(tokens.begin() + begin, columns, tokenRow);
    std::copy_n(targets.begin() + begin, columns, targetRow);
  }
  uint64_t size() const override { return rows; }

  uint64_t rows = 0, columns = 0;

private:
  uint64_t length(uint64_t index) const override {
    auto begin = targets.begin() + index % rows * columns;
    return columns - std::count(begin, begin + columns, *batch.ignored);
  }

  std::vector<int32_t> tokens, targets;
};

struct Case {
  const char *name;
  const char *model;
  const char *flags;
  /// Microbatches of one row, accumulated: by `microbatch` and `apply`, not `step`.
  bool byRows;
  const char *attention = "unfused";
  bool narrow = false; ///< in bf16

  // In bf16 the host and PyTorch round to the same places, but not always to the same side: README.md.
  double lossBound(size_t step) const { return narrow ? 2e-3 : step ? 1e-4 : 2e-6; }
  double normBound(size_t step) const { return narrow ? 1e-2 : step ? 1e-3 : 1e-5; }
  double gradientBound() const { return narrow ? 1e-2 : 1e-5; }
};

void PrintTo(const Case &c, std::ostream *os) { *os << c.model << " " << c.flags; }

class RecordedModels : public testing::TestWithParam<Case> {
protected:
  std::string compile(const RecordedBatch &batch, const nlohmann::json &o) {
    const Case &c = GetParam();
    std::string artifact = testing::TempDir() + "/" + c.name + "-" + std::to_string(getpid()) + ".txa";
    std::ostringstream command;
    command << TX_TOOLS_DIR << "/tx-compile " << recorded(c.model, "config.json") << " --micro-batch-size "
            << (c.byRows ? 1 : batch.rows) << " --seq-length " << batch.columns << " --attention-backend "
            << c.attention << (c.narrow ? " --bf16" : " --fp32") << " --weight-decay " << o.at("weight_decay")
            << " --clip-grad " << o.at("clip_grad") << " --adam-beta1 " << o.at("adam_beta1") << " --adam-beta2 "
            << o.at("adam_beta2") << " --adam-eps " << o.at("adam_eps") << " " << c.flags << " -o " << artifact;
    SCOPED_TRACE(command.str());
    EXPECT_EQ(std::system(command.str().c_str()), 0);
    return artifact;
  }
};

/// |a - b| / |b| over all elements, but for those in [skipBegin, skipEnd).
double relativeError(const std::vector<float> &a, const std::vector<float> &b, size_t skipBegin = 0,
                     size_t skipEnd = 0) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    if (i >= skipBegin && i < skipEnd)
      continue;
    difference += std::pow(double(a[i]) - double(b[i]), 2);
    norm += std::pow(double(b[i]), 2);
  }
  return std::sqrt(difference) / (std::sqrt(norm) + 1e-30);
}

std::vector<float> inArena(const Model &model, const GlobalSpec &global) {
  std::vector<float> values(global.elements());
  model.read(global, 0, global.bytes, values.data());
  return values;
}

TEST_P(RecordedModels, AgreesWithPyTorch) {
  const Case &c = GetParam();
  nlohmann::json expected = readJson(recorded(c.model, "expected.json"));
  nlohmann::json numbers = c.narrow ? readJson(recorded(c.model, "expected-bf16.json"))[c.attention] : expected;
  RecordedBatch batch(recorded(c.model, "batch.safetensors"));
  std::string artifact = compile(batch, expected.at("optimizer"));
  ASSERT_FALSE(HasFailure());

  const Model model(OpenArtifact(artifact), txrt_options{});
  loadWeights(model, recorded(c.model, "weights.safetensors"), false);
  StepRunner runner(model, batch.rows, /*guard=*/true);
  RunPosition position; // every step trains on the same batch
  position.seed = 1;
  ASSERT_EQ(runner.fused(), !c.byRows);
  SafetensorsReader gradients(recorded(c.model, c.narrow ? std::string("gradients-bf16-") + c.attention + ".safetensors"
                                                         : "gradients.safetensors"));
  size_t compared = 0;
  for (size_t step = 0; step < expected.at("loss").size(); ++step) {
    double lr = expected.at("optimizer").at("lr");
    position.iteration = int64_t(step);
    StepResult result = runner.run(batch, position, lr);
    double loss = numbers["loss"][step], norm = numbers["grad_norm"][step];
    // The later steps differ by more: AdamW divides by roots of small numbers.
    EXPECT_NEAR(result.loss, loss, c.lossBound(step) * loss) << step;
    EXPECT_NEAR(result.gradientNorm, norm, c.normBound(step) * norm) << step;
    EXPECT_EQ(result.validCount, expected["valid_targets"].get<uint64_t>());
    if (step)
      continue;
    for (const GlobalSpec *gradient : model.manifest().withRole(Role::Gradient)) {
      SCOPED_TRACE(gradient->of);
      std::vector<float> wanted = readFloats(gradients, gradient->of);
      ASSERT_EQ(wanted.size(), gradient->elements());
      // The keys' bias has no gradient but rounding.
      bool keys = gradient->of.find("c_attn.bias") != std::string::npos;
      size_t third = keys && c.narrow ? wanted.size() / 3 : 0;
      EXPECT_LT(relativeError(inArena(model, *gradient), wanted, third, 2 * third), c.gradientBound());
      ++compared;
    }
  }
  EXPECT_EQ(compared, gradients.tensors().size());
  if (c.narrow)
    return; // the third step's loss stands for the parameters

  SafetensorsReader after(recorded(c.model, "after.safetensors"));
  for (const GlobalSpec *parameter : model.manifest().withRole(Role::Parameter)) {
    SCOPED_TRACE(parameter->name);
    std::vector<float> wanted = readFloats(after, parameter->name);
    ASSERT_EQ(wanted.size(), parameter->elements());
    // The keys' bias has no gradient but noise, which AdamW blows up.
    bool keys = parameter->name.find("c_attn.bias") != std::string::npos;
    size_t third = wanted.size() / 3;
    EXPECT_LT(relativeError(inArena(model, *parameter), wanted, keys ? third : 0, keys ? 2 * third : 0), 1e-3);
  }
}

constexpr const char *none = "--recompute-granularity none";
constexpr const char *full = "--recompute-granularity full "
                             "--recompute-method uniform "
                             "--recompute-num-layers 1";
constexpr const char *selective = "--recompute-granularity selective "
                                  "--recompute-modules core_attn,mlp,layernorm";

const Case cases[] = {
    {"Tied", "tied-2x30", none, false},
    {"TiedFull", "tied-2x30", full, false},
    {"TiedByRows", "tied-2x30", selective, true},
    {"Untied", "untied-3x20", none, false},
    {"UntiedFull", "untied-3x20", full, false},
    {"UntiedByRows", "untied-3x20", none, true},
    {"OneLayer", "tied-1x40", none, false},
    {"OneLayerSelective", "tied-1x40", selective, false},
    {"Flash", "tied-2x30", none, false, "flash"},
    {"FlashFull", "untied-3x20", full, false, "flash"},
    {"Llama", "llama-2x24", none, false},
    {"LlamaFlashByRows", "llama-2x24", selective, true, "flash"},
    {"LlamaBiases", "llama-1x20-biases", none, false, "flash"},
    {"LlamaBiasesFull", "llama-1x20-biases", full, false},
    {"Mistral", "mistral-2x18", full, false, "flash"},
    {"Qwen2", "qwen2-2x16", none, false},
    {"Qwen2Flash", "qwen2-2x16", selective, true, "flash"},
    {"Qwen3", "qwen3-2x20", none, false, "flash"},
    {"Qwen3Norms", "qwen3-2x20", "--recompute-granularity selective --recompute-modules qk_norm,mlp_act", false},
    {"TiedBf16", "tied-2x30", none, false, "unfused", true},
    {"UntiedBf16Full", "untied-3x20", full, false, "unfused", true},
    {"FlashBf16", "tied-2x30", none, false, "flash", true},
    {"FlashBf16ByRows", "untied-3x20", selective, true, "flash", true},
    {"LlamaBf16", "llama-2x24", none, false, "unfused", true},
    {"LlamaFlashBf16Full", "llama-2x24", full, false, "flash", true},
    {"Qwen2Bf16", "qwen2-2x16", none, false, "flash", true},
    {"Qwen3Bf16", "qwen3-2x20", none, false, "unfused", true},
    {"Qwen3FlashBf16ByRows", "qwen3-2x20", selective, true, "flash", true},
};

INSTANTIATE_TEST_SUITE_P(PyTorch, RecordedModels, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

} // namespace
