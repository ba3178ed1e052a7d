//===- ManifestTest.cpp - The manifest's fields are checked ---------------===//

#include "FakeRuntime.h"
#include "Manifest.h"
#include "TestFiles.h"

using namespace txrun;
using nlohmann::json;

namespace {

/// Changes one place of a good manifest and expects a refusal.
void expectRefused(const char *pointer, const json &value,
                   const std::string &part) {
  json manifest = json::parse(fakeArtifact(FakeModel()));
  manifest[json::json_pointer(pointer)] = value;
  std::string text = manifest.dump();
  expectError(ExitCode::BadInput, part, [&] { parseManifest(text, "s.txa"); });
}

TEST(Manifest, AGoodOne) {
  Manifest manifest = parseManifest(fakeArtifact(FakeModel()), "s.txa");
  EXPECT_EQ(manifest.model.vocabSize, 256u);
  EXPECT_EQ(manifest.model.seed, 1234u);
  EXPECT_EQ(manifest.policy, "none");
  EXPECT_EQ(manifest.withRole(Role::Parameter).size(), 1u);
  EXPECT_EQ(manifest.withRole(Role::Gradient)[0]->of, "transformer.wte.weight");
  ASSERT_NE(manifest.findEntry("apply"), nullptr);
  EXPECT_EQ(manifest.findEntry("apply")->arguments.size(), 2u);
  EXPECT_EQ(manifest.findEntry("none"), nullptr);
  EXPECT_GT(manifest.peakBytes, 0u);
}

TEST(Manifest, AnArtifactWithoutAModel) {
  json manifest = json::parse(fakeArtifact(FakeModel()));
  manifest.erase("model");
  manifest.erase("policy");
  manifest.erase("report");
  Manifest parsed = parseManifest(manifest.dump(), "s.txa");
  EXPECT_EQ(parsed.model.microBatchSize, 0u);
  EXPECT_EQ(parsed.entries.size(), 4u);
}

TEST(Manifest, Refusals) {
  expectRefused("/globals", 3, "'globals' that is no list");
  expectRefused("/globals/0/role", "weight", "the role 'weight'");
  expectRefused("/globals/0/dtype", "f64", "the dtype 'f64'");
  expectRefused("/globals/0/segment", "heap", "the segment 'heap'");
  expectRefused("/globals/0/bytes", 5, "says 5 bytes");
  expectRefused("/globals/0/offset", 2, "does not fit its dtype");
  expectRefused("/globals/0/shape/0", -1, "no size");
  expectRefused("/globals/0/shape/0", uint64_t(1) << 62, "overflows");
  expectRefused("/globals/0/init", {{"kind", "uniform"}}, "kind 'uniform'");
  expectRefused("/globals/0/init", {{"kind", "normal"}}, "no field 'stddev'");
  expectRefused("/globals/1/of", "nothing", "does not exist");
  expectRefused("/globals/1/name", "transformer.wte.weight", "twice");
  expectRefused("/entries/0/arguments/1/name", 1, "no string");
  expectRefused("/arena", {{"persistent_bytes", 1}}, "'argument_bytes'");
  expectRefused("/model/vocab_size", "many", "no whole number");
  expectRefused("/model/tied", 1, "neither true nor false");
}

} // namespace
