//===- ManifestTest.cpp - The manifest's fields are checked -------------------------------------------------------===//

#include "core/Manifest.h"
#include "FakeRuntime.h"
#include "TestFiles.h"

#include <nlohmann/json.hpp>

using namespace txrt;
using nlohmann::json;

namespace {

/// Changes one place of a good manifest and expects a refusal.
void expectRefused(const char *pointer, const json &value, const std::string &part) {
  json manifest = json::parse(fakeArtifact(FakeModel()));
  manifest[json::json_pointer(pointer)] = value;
  std::string text = manifest.dump();
  expectError(TXRT_BAD_INPUT, part, [&] { (void)readManifest("s.txa", text); });
}

TEST(Manifest, AGoodOne) {
  Manifest manifest = readManifest("s.txa", fakeArtifact(FakeModel()));
  EXPECT_EQ(manifest.seed, 1234u);
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
  Manifest parsed = readManifest("s.txa", manifest.dump());
  EXPECT_EQ(parsed.entries.size(), 5u);
}

TEST(Manifest, Refusals) {
  expectRefused("/globals", 3, "field 'globals' is no list");
  expectRefused("/globals/0/role", "weight", "field 'globals[0].role' is 'weight'; known: parameter, gradient");
  expectRefused("/globals/0/dtype", "f64", "'globals[0].dtype' is 'f64'");
  expectRefused("/globals/0/segment", "heap", "'globals[0].segment' is 'heap'");
  expectRefused("/globals/0/bytes", 5, "has 5 bytes, but its shape");
  expectRefused("/globals/0/offset", 2, "not aligned to its dtype");
  expectRefused("/globals/0/shape/0", -1, "'globals[0].shape[0]' is no non-negative integer");
  expectRefused("/globals/0/shape/0", uint64_t(1) << 62, "product is too large");
  expectRefused("/globals/0/init", {{"kind", "uniform"}}, "'globals[0].init.kind' is 'uniform'");
  expectRefused("/globals/0/init", {{"kind", "normal"}}, "field 'globals[0].init.stddev' is missing");
  expectRefused("/globals/1/of", "nothing", "does not exist");
  expectRefused("/globals/1/name", "transformer.wte.weight", "a second time");
  expectRefused("/mesh", json::array({{{"axis", "dp"}, {"size", 2}, {"kind", "data"}}}), "'mesh[0].kind' is 'data'");
  expectRefused("/mesh", json::array({{{"axis", "dp"}, {"size", 0}, {"kind", "batch"}}}), "impossible");
  expectRefused("/mesh", json::array({{{"size", 2}, {"kind", "batch"}}}), "field 'mesh[0].axis' is missing");
  expectRefused("/entries/0/arguments/1/name", 1, "is no string");
  expectRefused("/arena", {{"persistent_bytes", 64}}, "field 'arena.argument_bytes' is missing");
  expectRefused("/entries/0/arguments/0/ids", 3, "is no object");
  expectRefused("/entries/0/arguments/0/ids/below", "many", "no non-negative integer");
  expectRefused("/entries/0/arguments/0/ids/below", 0, "leaves no id");
  expectRefused("/entries/0/arguments/0/ids/ignored", "none", "no number");
  expectRefused("/seed", "new", "no non-negative integer");
  expectRefused("/model/tied", 1, "neither true nor false");
}

} // namespace
