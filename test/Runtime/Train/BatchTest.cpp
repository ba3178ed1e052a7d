//===- BatchTest.cpp - What data can feed -------------------------------------------------------------------------===//

#include "train/Batch.h"
#include "FakeRuntime.h"
#include "TestFiles.h"
#include "core/Manifest.h"

#include <nlohmann/json.hpp>

using namespace txrt;
using namespace txrt::train;
using nlohmann::json;

namespace {

/// What a step takes of data, or why none can feed it.
struct Found {
  std::optional<BatchSpec> batch;
  std::string noBatch;
  uint64_t ranks;
};

Found findIn(const json &text) {
  const Manifest manifest = readManifest("s.txa", text.dump());
  Found found = {std::nullopt, "", manifest.ranks};
  found.batch = findBatch(manifest, found.noBatch);
  return found;
}

/// Changes one place of a good manifest: what is left of the batch.
Found changed(const char *pointer, const json &value) {
  json manifest = json::parse(fakeArtifact(FakeModel()));
  const json::json_pointer place(pointer);
  json &around = manifest[place.parent_pointer()];
  if (!value.is_null())
    manifest[place] = value;
  else if (around.is_array())
    around.erase(std::stoul(place.back()));
  else
    around.erase(place.back());
  return findIn(manifest);
}

TEST(Batch, OfAGoodManifest) {
  const Found found = findIn(json::parse(fakeArtifact(FakeModel())));
  ASSERT_TRUE(found.batch);
  EXPECT_EQ(found.batch->microBatch, 2u);
  EXPECT_EQ(found.batch->sequence, 16u);
  EXPECT_EQ(found.batch->vocabulary, 256u);
  EXPECT_EQ(found.batch->ignored, -100);
}

TEST(Batch, NeedsNoModel) {
  json manifest = json::parse(fakeArtifact(FakeModel()));
  manifest.erase("model");
  const Found found = findIn(manifest);
  ASSERT_TRUE(found.batch) << "the entries say what it takes";
  EXPECT_EQ(found.batch->vocabulary, 256u);
}

TEST(Batch, TheBatchIsWhatTheEntriesTake) {
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

TEST(Batch, WhatDataCannotFeed) {
  auto expectNone = [](const char *pointer, const json &value, const std::string &part) {
    const Found found = changed(pointer, value);
    EXPECT_FALSE(found.batch);
    EXPECT_NE(found.noBatch.find(part), std::string::npos) << found.noBatch;
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
  EXPECT_NE(findIn(manifest).noBatch.find("nothing says how large the vocabulary is"), std::string::npos);
}

TEST(Batch, OnlyBatchAxesAreTrained) {
  auto withAxes = [](const json &axes) {
    json manifest = json::parse(fakeArtifact(FakeModel()));
    manifest["mesh"] = axes;
    return findIn(manifest);
  };
  const json batch = {{"axis", "dp"}, {"size", 2}, {"kind", "batch"}}, unsaid = {{"axis", "tp"}, {"size", 3}};
  EXPECT_TRUE(withAxes(json::array({batch})).batch);
  EXPECT_EQ(withAxes(json::array({batch, unsaid})).ranks, 6u);
  EXPECT_TRUE(withAxes(json::array({{{"axis", "tp"}, {"size", 1}}})).batch) << "one rank has all";
  json tensor = unsaid;
  tensor["kind"] = "tensor";
  for (const json &other : {unsaid, tensor}) {
    const Found found = withAxes(json::array({batch, other}));
    EXPECT_FALSE(found.batch);
    EXPECT_EQ(found.noBatch,
              "has the mesh axis 'tp', which is no batch axis: its ranks would need the same samples, and tx-run gives "
              "each its own; --function runs its entries: microbatch, apply, step, evaluate, predict");
  }
}

} // namespace
