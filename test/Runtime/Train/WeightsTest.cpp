//===- WeightsTest.cpp - Which tensor goes where ------------------------------------------------------------------===//

#include "train/Weights.h"
#include "FakeRuntime.h"
#include "TestFiles.h"
#include "train/Finite.h"
#include "train/Safetensors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <iterator>

using namespace txrt;
using namespace txrt::train;

namespace {

std::unique_ptr<Model> open(const std::string &path) {
  txrt_options options = {};
  options.threads = 1;
  return std::make_unique<Model>(OpenArtifact(path), options);
}

class WeightsTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    FakeModel fake;
    fake.vocabulary = 4;
    model = open(write("m.txa", fakeArtifact(fake)));
    for (int i = 0; i < 16; ++i)
      values[i] = static_cast<float>(i);
  }
  std::vector<float> global(const std::string &name) const {
    const GlobalSpec &spec = *model->manifest().findGlobal(name);
    std::vector<float> elements(spec.elements());
    model->read(spec, 0, spec.bytes, elements.data());
    return elements;
  }
  std::vector<float> parameter() const { return global("transformer.wte.weight"); }
  void expectRefused(const SafetensorsWriter &writer, const std::string &part) {
    writer.write(file("w.safetensors"));
    expectError(TXRT_BAD_INPUT, part, [&] { loadWeights(*model, file("w.safetensors"), true); });
  }
  void save(const RunPosition &position, bool withOptimizer) const {
    SaveRequest request;
    request.path = file("w.safetensors");
    request.withOptimizer = withOptimizer;
    saveWeights(*model, request, position);
  }
  std::unique_ptr<Model> model;
  float values[16];
  float one = 1;
};

TEST_F(WeightsTest, NamesWithAndWithoutPrefix) {
  for (const char *name : {"wte.weight", "transformer.wte.weight"}) {
    SafetensorsWriter writer;
    writer.add(name, "F32", {4, 4}, values, sizeof values);
    writer.write(file("w.safetensors"));
    model->initialize(1);
    LoadResult result = loadWeights(*model, file("w.safetensors"), true);
    EXPECT_FALSE(result.hasOptimizer);
    EXPECT_EQ(parameter(), std::vector<float>(values, values + 16));
  }
}

TEST_F(WeightsTest, BuffersAndATiedHeadAreLeftOut) {
  SafetensorsWriter writer;
  writer.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  writer.add("h.0.attn.bias", "F32", {1, 1, 2, 2}, values, 16);
  writer.add("h.0.attn.masked_bias", "F32", {}, &one, 4);
  writer.add("lm_head.weight", "F32", {4, 4}, values, sizeof values);
  writer.write(file("w.safetensors"));
  EXPECT_NO_THROW(loadWeights(*model, file("w.safetensors"), true));
}

TEST_F(WeightsTest, ATiedHeadThatDiffers) {
  float other[16] = {};
  SafetensorsWriter writer;
  writer.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  writer.add("lm_head.weight", "F32", {4, 4}, other, sizeof other);
  expectRefused(writer, "lm_head.weight differs from wte.weight");
}

// A file may have a tied weight under the copy's name alone.
TEST_F(WeightsTest, ATiedHeadWithoutTheEmbedding) {
  SafetensorsWriter writer;
  writer.add("lm_head.weight", "F32", {4, 4}, values, sizeof values);
  writer.write(file("w.safetensors"));
  loadWeights(*model, file("w.safetensors"), true);
  EXPECT_EQ(parameter(), std::vector<float>(values, values + 16));
  SafetensorsWriter other;
  other.add("lm_head.weight", "F32", {4, 2}, values, 32);
  expectRefused(other, "lm_head.weight is [4, 2], the model needs [4, 4]");
  // Copies of two types are the same if their numbers are.
  uint16_t narrow[16];
  std::transform(values, values + 16, narrow, txrt_bf16_from_f32);
  SafetensorsWriter both;
  both.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  both.add("lm_head.weight", "BF16", {4, 4}, narrow, sizeof narrow);
  both.write(file("w.safetensors"));
  EXPECT_NO_THROW(loadWeights(*model, file("w.safetensors"), true));
}

TEST_F(WeightsTest, WhatIsConvertedOrLeftOutIsSaid) {
  const uint16_t half[16] = {0x3c00, 0xbc00, 0x7bff, 0x0001, 0x8000}; // 1, -1, the most, the least, -0
  SafetensorsWriter writer;
  writer.add("wte.weight", "F16", {4, 4}, half, sizeof half);
  for (int layer = 0; layer < 3; ++layer)
    writer.add(format("h.%d.attn.bias", layer), "F32", {1, 1, 2, 2}, values, 16);
  writer.write(file("w.safetensors"));
  std::vector<std::string> said;
  loadWeights(*model, file("w.safetensors"), true, [&](const std::string &line) { said.push_back(line); });
  ASSERT_EQ(said.size(), 2u);
  EXPECT_NE(said[0].find("left out 3 tensors that are no weights: h.0.attn.bias and the like"), std::string::npos)
      << said[0];
  EXPECT_NE(said[1].find("1 tensor converted from F16 to the model's F32: exact"), std::string::npos) << said[1];
  const std::vector<float> loaded = parameter();
  EXPECT_EQ(loaded[0], 1.0f);
  EXPECT_EQ(loaded[2], 65504.0f);
  EXPECT_EQ(loaded[3], 0x1p-24f);
  EXPECT_TRUE(std::signbit(loaded[4]));
  // Nothing is said of weights that are what the model has.
  save(RunPosition(), true);
  said.clear();
  loadWeights(*model, file("w.safetensors"), true, [&](const std::string &line) { said.push_back(line); });
  EXPECT_TRUE(said.empty());
}

TEST_F(WeightsTest, AllMisfitsAreNamedUpToABound) {
  SafetensorsWriter writer;
  for (int i = 0; i < 25; ++i)
    writer.add(format("more.%02d", i), "F32", {4}, values, 16);
  expectRefused(writer, "missing: transformer.wte.weight; not in the model: more.00, more.01");
  expectRefused(writer, "more.19 and 5 more");
}

TEST_F(WeightsTest, MissingSuperfluousAndOtherShape) {
  SafetensorsWriter none;
  expectRefused(none, "missing: transformer.wte.weight");
  SafetensorsWriter more;
  more.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  more.add("h.0.attn.c_attn.bias", "F32", {4}, values, 16);
  expectRefused(more, "not in the model: h.0.attn.c_attn.bias");
  SafetensorsWriter shape;
  shape.add("wte.weight", "F32", {2, 4}, values, 32);
  expectRefused(shape, "wte.weight is [2, 4], the model needs [4, 4]");
  SafetensorsWriter dtype;
  dtype.add("wte.weight", "I32", {4, 4}, values, sizeof values);
  expectRefused(dtype, "wte.weight is I32, F32, F16 and BF16 are loaded");
  SafetensorsWriter twice;
  twice.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  twice.add("transformer.wte.weight", "F32", {4, 4}, values, sizeof values);
  expectRefused(twice, "'transformer.wte.weight' and 'wte.weight' are two names of one weight");
}

TEST_F(WeightsTest, OptimizerStateNeedsItsPosition) {
  SafetensorsWriter writer;
  writer.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  writer.add("wte.weight.exp_avg", "F32", {4, 4}, values, sizeof values);
  expectRefused(writer, "no number 'tx.iteration'");
  writer.setMetadata("tx.iteration", "7");
  writer.setMetadata("tx.samples", "14");
  writer.setMetadata("tx.seed", "1x");
  expectRefused(writer, "no number 'tx.seed'");
  writer.setMetadata("tx.seed", "1");
  writer.write(file("w.safetensors"));
  LoadResult result = loadWeights(*model, file("w.safetensors"), true);
  EXPECT_TRUE(result.hasOptimizer);
  EXPECT_EQ(result.position.iteration, 7);
  EXPECT_EQ(result.position.samples, 14u);
  model = open(file("m.txa"));
  result = loadWeights(*model, file("w.safetensors"), false);
  EXPECT_FALSE(result.hasOptimizer);
  EXPECT_EQ(parameter()[3], 3.0f);
  EXPECT_EQ(global("transformer.wte.weight.exp_avg")[3], 0.0f);
}

TEST_F(WeightsTest, SavedFilesLoad) {
  model->initialize(3);
  save(RunPosition(), false);
  SafetensorsReader reader(file("w.safetensors"));
  EXPECT_EQ(reader.tensors().size(), 1u);
  EXPECT_EQ(reader.metadata().at("format"), "pt");
  std::vector<float> before = parameter();
  model->initialize(4);
  loadWeights(*model, file("w.safetensors"), true);
  EXPECT_EQ(parameter(), before);
}

TEST_F(WeightsTest, NumbersFromWhichNoRunCanGoOn) {
  FakeModel fake;
  fake.vocabulary = 4;
  fake.secondMoment = true;
  model = open(write("m.txa", fakeArtifact(fake)));
  struct Case {
    const char *tensor;
    float value;
    const char *part;
  } cases[] = {{"wte.weight", NAN, "'wte.weight' has nan at index 5"},
               {"wte.weight", -NAN, "has nan at"},
               {"wte.weight", -INFINITY, "has -inf at"},
               {"wte.weight.exp_avg", INFINITY,
                "exp_avg' has inf at index 5; a run can "
                "go on from finite numbers only; "
                "--no-load-optim"},
               {"wte.weight.exp_avg_sq", NAN, "exp_avg_sq' has nan at index 5"},
               {"wte.weight.exp_avg_sq", -1e-30f,
                "has -1e-30 at index 5; it is a mean of "
                "squares; --no-load-optim"}};
  for (const Case &one : cases) {
    SafetensorsWriter writer;
    float changed[16];
    std::copy(values, values + 16, changed);
    changed[5] = one.value;
    for (const char *name : {"wte.weight", "wte.weight.exp_avg", "wte.weight.exp_avg_sq"})
      writer.add(name, "F32", {4, 4}, name == std::string(one.tensor) ? changed : values, sizeof values);
    for (const char *key : {"tx.iteration", "tx.samples", "tx.seed"})
      writer.setMetadata(key, "1");
    expectRefused(writer, one.part);
    // What is left out needs no number.
    if (one.tensor != std::string("wte.weight"))
      EXPECT_NO_THROW(loadWeights(*model, file("w.safetensors"), false));
  }
}

TEST_F(WeightsTest, MetadataThatNoRunCanGoOnFrom) {
  struct Case {
    const char *key, *value, *part;
  } cases[] = {{"tx.iteration", "2147483647",
                "'tx.iteration' is 2147483647, and "
                "2147483646 is the most"},
               {"tx.iteration", "99999999999999999999999", "is the most"},
               {"tx.iteration", "-1", "no number 'tx.iteration'"},
               {"tx.iteration", "1e3", "no number 'tx.iteration' in its metadata: it is"},
               {"tx.iteration", "", "no number 'tx.iteration'"},
               {"tx.samples", "9223372036854775807", "'tx.samples' is"},
               {"tx.seed", "18446744073709551616", "'tx.seed' is"},
               {"tx.seed", "1\n", "it is '1\\x0a'"}};
  for (const Case &one : cases) {
    SafetensorsWriter writer;
    writer.add("wte.weight", "F32", {4, 4}, values, sizeof values);
    writer.add("wte.weight.exp_avg", "F32", {4, 4}, values, sizeof values);
    for (const char *key : {"tx.iteration", "tx.samples", "tx.seed"})
      writer.setMetadata(key, "1");
    writer.setMetadata(one.key, one.value);
    expectRefused(writer, one.part);
  }
  // Every seed that a run can have is one that it can go on from.
  SafetensorsWriter writer;
  writer.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  writer.add("wte.weight.exp_avg", "F32", {4, 4}, values, sizeof values);
  writer.setMetadata("tx.iteration", "2147483646");
  writer.setMetadata("tx.samples", "1");
  writer.setMetadata("tx.seed", "18446744073709551615");
  writer.write(file("w.safetensors"));
  EXPECT_EQ(loadWeights(*model, file("w.safetensors"), true).position.seed, ~uint64_t(0));
}

// At the first and the last element, of what is saved and of nothing else.
TEST_F(WeightsTest, NothingIsSavedThatIsNotFinite) {
  const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
  RunPosition position;
  position.iteration = 7;
  write("w.safetensors", "the good one");
  for (const char *name : {"transformer.wte.weight", "transformer.wte.weight.exp_avg"})
    for (uint64_t index : {uint64_t(0), uint64_t(15)})
      for (float value : bad) {
        model->initialize(1);
        const GlobalSpec &spec = *model->manifest().findGlobal(name);
        model->write(spec, index * 4, 4, &value);
        expectError(TXRT_NUMERIC, format("after iteration 7 %s has %g at index %d;", name, shown(value), int(index)),
                    [&] { save(position, true); });
        EXPECT_EQ(read(file("w.safetensors")), "the good one");
        EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2);
        float zero = 0;
        model->write(spec, index * 4, 4, &zero);
      }
  float nan = NAN;
  model->write(*model->manifest().findGlobal("transformer.wte.weight.exp_avg"), 0, 4, &nan);
  EXPECT_NO_THROW(save(position, false));
  expectError(TXRT_NUMERIC, "exp_avg has nan", [&] { save(position, true); });
}

/// A model in bf16, and weights that bf16 does not hold.
class NarrowWeightsTest : public WeightsTest {
protected:
  void SetUp() override {
    WeightsTest::SetUp();
    FakeModel fake;
    fake.vocabulary = 4;
    fake.narrow = true;
    model = open(write("n.txa", fakeArtifact(fake)));
    for (int i = 0; i < 16; ++i)
      values[i] = 1 + static_cast<float>(i) / 1024;
  }
  void load(const SafetensorsWriter &writer, bool wantOptimizer = true) {
    writer.write(file("w.safetensors"));
    loadWeights(*model, file("w.safetensors"), wantOptimizer);
  }
  std::vector<uint16_t> rounded() const {
    std::vector<uint16_t> bits(16);
    model->read(*model->manifest().findGlobal("transformer.wte.weight"), 0, 32, bits.data());
    return bits;
  }
  void expectParameter(const float *from) const {
    std::vector<uint16_t> bits;
    std::transform(from, from + 16, std::back_inserter(bits), txrt_bf16_from_f32);
    EXPECT_EQ(rounded(), bits);
  }
  std::vector<float> master() const { return global("transformer.wte.weight.master"); }
};

TEST_F(NarrowWeightsTest, StartFromWiderWeights) {
  SafetensorsWriter writer;
  writer.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  load(writer);
  expectParameter(values);
  EXPECT_EQ(master(), std::vector<float>(values, values + 16));
}

TEST_F(NarrowWeightsTest, StartFromNarrowWeights) {
  uint16_t narrow[16];
  std::transform(values, values + 16, narrow, txrt_bf16_from_f32);
  SafetensorsWriter writer;
  writer.add("wte.weight", "BF16", {4, 4}, narrow, sizeof narrow);
  load(writer);
  expectParameter(values);
  std::vector<float> widened(16);
  std::transform(narrow, narrow + 16, widened.begin(), txrt_bf16_to_f32);
  EXPECT_EQ(master(), widened);
}

// Whether its optimizer is wanted or not: the master is the weight.
TEST_F(NarrowWeightsTest, AStoredMasterIsTheWeight) {
  uint16_t narrow[16];
  std::transform(values, values + 16, narrow, txrt_bf16_from_f32);
  SafetensorsWriter writer;
  writer.add("wte.weight", "BF16", {4, 4}, narrow, sizeof narrow);
  writer.add("wte.weight.master", "F32", {4, 4}, values, sizeof values);
  writer.add("wte.weight.exp_avg", "F32", {4, 4}, values, sizeof values);
  for (const char *key : {"tx.iteration", "tx.samples", "tx.seed"})
    writer.setMetadata(key, "1");
  for (bool wantOptimizer : {true, false}) {
    model->initialize(1);
    load(writer, wantOptimizer);
    expectParameter(values);
    EXPECT_EQ(master(), std::vector<float>(values, values + 16));
  }
  // In f32 it is the parameter.
  FakeModel fake;
  fake.vocabulary = 4;
  model = open(write("m.txa", fakeArtifact(fake)));
  load(writer);
  EXPECT_EQ(parameter(), std::vector<float>(values, values + 16));
}

TEST_F(NarrowWeightsTest, ARunDoesNotGoOnFromRoundedWeights) {
  uint16_t narrow[16] = {};
  SafetensorsWriter writer;
  writer.add("wte.weight", "BF16", {4, 4}, narrow, sizeof narrow);
  writer.add("wte.weight.exp_avg", "F32", {4, 4}, values, sizeof values);
  expectRefused(writer, "missing: transformer.wte.weight.master");
  SafetensorsWriter wide;
  wide.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  wide.add("wte.weight.exp_avg", "F32", {4, 4}, values, sizeof values);
  for (const char *key : {"tx.iteration", "tx.samples", "tx.seed"})
    wide.setMetadata(key, "1");
  load(wide);
  EXPECT_EQ(master(), std::vector<float>(values, values + 16));
}

TEST_F(NarrowWeightsTest, WeightsThatTheModelsTypeCannotHold) {
  values[3] = 3.4e38f; // its neighbours in bf16 are 3.39e38 and Inf
  SafetensorsWriter writer;
  writer.add("wte.weight", "F32", {4, 4}, values, sizeof values);
  expectRefused(writer, "has 3.4e+38 at index 3; the model's bf16 does not reach");
  uint16_t inf = 0xff80;
  model->initialize(1);
  model->write(*model->manifest().findGlobal("transformer.wte.weight"), 30, 2, &inf);
  expectError(TXRT_NUMERIC, "has -inf at index 15", [&] { save(RunPosition(), false); });
}

TEST(Finite, FindsTheFirstOfAnyPlace) {
  std::vector<float> block(5000);
  EXPECT_FALSE(findNonFinite(TXRT_DTYPE_F32, block.data(), 20000));
  for (uint64_t index : {0, 1, 1023, 1024, 4095, 4999}) {
    block.assign(5000, 3.4028234e38f);
    block[index] = INFINITY;
    if (index + 1 < block.size())
      block.back() = NAN;
    const auto found = findNonFinite(TXRT_DTYPE_F32, block.data(), 20000);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->index, index);
    EXPECT_EQ(found->value, INFINITY);
  }
  std::vector<uint16_t> narrow(3000, 0x7f7f);
  EXPECT_FALSE(findNonFinite(TXRT_DTYPE_BF16, narrow.data(), 6000));
  narrow[2999] = 0xffc1;
  EXPECT_EQ(findNonFinite(TXRT_DTYPE_BF16, narrow.data(), 6000)->index, 2999u);
  // Ids that look like NaN are ids.
  std::vector<int32_t> ids(3, -1);
  EXPECT_FALSE(findNonFinite(TXRT_DTYPE_I32, ids.data(), 12));
}

TEST(Bfloat, RoundsToNearestAndKeepsNaN) {
  EXPECT_EQ(txrt_bf16_to_f32(txrt_bf16_from_f32(1 + 0x1p-8f)), 1);
  EXPECT_EQ(txrt_bf16_to_f32(txrt_bf16_from_f32(1 + 0x3p-8f)), 1 + 0x2p-7f);
  EXPECT_EQ(txrt_bf16_to_f32(txrt_bf16_from_f32(-3.4e38f)), -INFINITY);
  uint32_t bits = 0x7f800001; // its upper half alone is an infinity
  float nan;
  std::memcpy(&nan, &bits, 4);
  EXPECT_TRUE(std::isnan(txrt_bf16_to_f32(txrt_bf16_from_f32(nan))));
}

TEST_F(WeightsTest, InitialValuesDependOnTheSeedAlone) {
  model->initialize(3);
  std::vector<float> a = parameter();
  model->initialize(4);
  std::vector<float> b = parameter();
  model->initialize(3);
  EXPECT_EQ(parameter(), a);
  EXPECT_NE(a, b);
}

} // namespace
