//===- ManifestTest.cpp - The manifest's fields are checked -------------------------------------------------------===//

#include "Manifest.h"
#include "FakeRuntime.h"
#include "TestFiles.h"

using namespace txrun;
using nlohmann::json;

namespace {

/// Changes one place of a good manifest and expects a refusal.
void expectRefused(const char *pointer, const json &value, const std::string &part) {
  json manifest = json::parse(fakeArtifact(FakeModel()));
  manifest[json::json_pointer(pointer)] = value;
  std::string text = manifest.dump();
  expectError(ExitCode::BadInput, part, [&] { parseManifest(text, "s.txa"); });
}

TEST(Manifest, AGoodOne) {
  Manifest manifest = parseManifest(fakeArtifact(FakeModel()), "s.txa");
  ASSERT_TRUE(manifest.batch);
  EXPECT_EQ(manifest.batch->microBatch, 2u);
  EXPECT_EQ(manifest.batch->sequence, 16u);
  EXPECT_EQ(manifest.batch->vocabulary, 256u);
  EXPECT_EQ(manifest.batch->ignored, -100);
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
  Manifest parsed = parseManifest(manifest.dump(), "s.txa");
  ASSERT_TRUE(parsed.batch) << "the entries say what it takes";
  EXPECT_EQ(parsed.batch->vocabulary, 256u);
  EXPECT_EQ(parsed.entries.size(), 4u);
}

/// Changes one place of a good manifest: what is left of the batch.
Manifest changed(const char *pointer, const json &value) {
  json manifest = json::parse(fakeArtifact(FakeModel()));
  const json::json_pointer place(pointer);
  json &around = manifest[place.parent_pointer()];
  if (!value.is_null())
    manifest[place] = value;
  else if (around.is_array())
    around.erase(std::stoul(place.back()));
  else
    around.erase(place.back());
  return parseManifest(manifest.dump(), "s.txa");
}

TEST(Manifest, TheBatchIsWhatTheEntriesTake) {
  const char tokens[] = "/entries/0/arguments/0", targets[] = "/entries/0/arguments/1";
  auto at = [](const std::string &argument, const char *field) { return argument + field; };
  // A token that is no target cannot come from the same data, nor the reverse.
  EXPECT_EQ(changed(at(tokens, "/ids/below").c_str(), 300).batch->vocabulary, 256u);
  EXPECT_EQ(changed(at(tokens, "/ids/below").c_str(), 200).batch->vocabulary, 200u);
  EXPECT_EQ(changed(at(tokens, "/ids").c_str(), nullptr).batch->vocabulary, 256u);
  EXPECT_FALSE(changed(at(targets, "/ids/ignored").c_str(), nullptr).batch->ignored);
  EXPECT_FALSE(changed(at(targets, "/ids/ignored").c_str(), int64_t(1) << 40).batch->ignored);
  EXPECT_EQ(changed(at(targets, "/ids/ignored").c_str(), -1).batch->ignored, -1);
  EXPECT_FALSE(changed(at(targets, "/ids/ignored").c_str(), -1).batch->ignoresId());
  EXPECT_TRUE(changed(at(targets, "/ids/ignored").c_str(), 0).batch->ignoresId());
}

TEST(Manifest, WhatDataCannotFeed) {
  auto expectNone = [](const char *pointer, const json &value, const std::string &part) {
    Manifest manifest = changed(pointer, value);
    EXPECT_FALSE(manifest.batch);
    EXPECT_NE(manifest.noBatch.find(part), std::string::npos) << manifest.noBatch;
  };
  expectNone("/entries/0/name", "loss",
             "is no training step: it has no entry 'microbatch', which tx-compile makes of a function marked tx.train; "
             "--function runs its entries: loss, apply, step, evaluate");
  expectNone("/entries/0/arguments/2/name", "mask",
             "entry 'microbatch' takes 'mask' i32[4], which no data gives: tx-run trains what takes tokens i32[b, s], "
             "targets i32[b, s] and, for random numbers, key i32[4]; --function microbatch runs it once, with --input "
             "mask=FILE.npy");
  expectNone("/entries/3/arguments/1/name", "labels",
             "entry 'evaluate' takes 'labels' i32[2, 16], which no data gives");
  expectNone(
      "/entries/0/arguments/0",
      {{"name", "tokens"}, {"dtype", "i32"}, {"shape", {2, 0}}, {"segment", "argument"}, {"offset", 0}, {"bytes", 0}},
      "entry 'microbatch' takes 'tokens' i32[2, 0]; tx-run trains");
  expectNone("/entries/0/arguments/0/dtype", "f32", "entry 'microbatch' takes 'tokens' f32[2, 16]; tx-run trains");
  expectNone("/entries/0/arguments/1/shape", {4, 8},
             "entry 'microbatch' takes 'targets' i32[4, 8] beside 'tokens' i32[2, 16]; a target belongs to each token");
  expectNone("/entries/0/arguments/2/shape", {2, 2}, "entry 'microbatch' takes 'key' i32[2, 2]; tx-run trains");
  expectNone("/entries/0/arguments/1", nullptr, "entry 'microbatch' takes no 'targets'");
  json manifest = json::parse(fakeArtifact(FakeModel()));
  for (int argument : {0, 1})
    manifest["entries"][0]["arguments"][argument].erase("ids");
  EXPECT_NE(parseManifest(manifest.dump(), "s.txa").noBatch.find("nothing says how large the vocabulary is"),
            std::string::npos);
}

TEST(Manifest, OnlyBatchAxesAreTrained) {
  auto withAxes = [](const json &axes) {
    json manifest = json::parse(fakeArtifact(FakeModel()));
    manifest["mesh"] = axes;
    return parseManifest(manifest.dump(), "s.txa");
  };
  const json batch = {{"axis", "dp"}, {"size", 2}, {"kind", "batch"}}, unsaid = {{"axis", "tp"}, {"size", 3}};
  EXPECT_TRUE(withAxes(json::array({batch})).batch);
  EXPECT_EQ(withAxes(json::array({batch, unsaid})).ranks, 6u);
  EXPECT_TRUE(withAxes(json::array({{{"axis", "tp"}, {"size", 1}}})).batch) << "one rank has all";
  json tensor = unsaid;
  tensor["kind"] = "tensor";
  for (const json &other : {unsaid, tensor}) {
    Manifest manifest = withAxes(json::array({batch, other}));
    EXPECT_FALSE(manifest.batch);
    EXPECT_EQ(manifest.noBatch,
              "has the mesh axis 'tp', which is no batch axis: its ranks would need the same samples, and tx-run gives "
              "each its own; --function runs its entries: microbatch, apply, step, evaluate");
  }
  expectRefused("/mesh", json::array({{{"axis", "dp"}, {"size", 2}, {"kind", "data"}}}), "the kind 'data'");
  expectRefused("/mesh", json::array({{{"axis", "dp"}, {"size", 0}, {"kind", "batch"}}}), "an impossible size");
  expectRefused("/mesh", json::array({{{"size", 2}, {"kind", "batch"}}}), "no field 'axis'");
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
  expectRefused("/entries/0/arguments/0/ids", 3, "is no object");
  expectRefused("/entries/0/arguments/0/ids/below", "many", "no whole number");
  expectRefused("/entries/0/arguments/0/ids/below", 0, "leaves no id");
  expectRefused("/entries/0/arguments/0/ids/ignored", "none", "no number");
  expectRefused("/seed", "new", "no whole number");
  expectRefused("/model/tied", 1, "neither true nor false");
}

} // namespace
