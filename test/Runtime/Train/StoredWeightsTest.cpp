//===- StoredWeightsTest.cpp - Folders, indices and files ---------------------------------------------------------===//

#include "train/StoredWeights.h"
#include "TestFiles.h"
#include "train/WeightFolder.h"

using namespace txrt;
using namespace txrt::train;

namespace {

class StoredWeightsTest : public FolderTest {
protected:
  /// Writes a file with one tensor of one number for each name.
  void writeTensors(const std::string &name, const std::vector<std::string> &tensors) const {
    SafetensorsWriter writer;
    for (const std::string &tensor : tensors)
      writer.add(tensor, "F32", {}, &one, 4);
    writer.write(file(name));
  }
  void writeTwoShards() const {
    writeTensors("model-00001-of-00002.safetensors", {"a", "b"});
    writeTensors("model-00002-of-00002.safetensors", {"c"});
    writeIndex(R"("a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors",
                  "c": "model-00002-of-00002.safetensors")");
  }
  void writeIndex(const std::string &map) const {
    write(indexName, R"({"metadata": {"total_size": 12}, "weight_map": {)" + map + "}}");
  }
  size_t count(const std::string &path) const { return StoredWeights(path, nullptr).tensors().size(); }
  void refuse(const std::string &path, const std::string &part, txrt_status code = TXRT_BAD_INPUT) const {
    expectError(code, part, [&] { StoredWeights(path, nullptr); });
  }
  float one = 1;
};

TEST_F(StoredWeightsTest, AFolderAnIndexAndAFile) {
  writeTwoShards();
  EXPECT_EQ(count(folder), 3u);
  EXPECT_EQ(count(folder + "/"), 3u);
  EXPECT_EQ(count(file(indexName)), 3u);
  writeTensors("other.safetensors", {"a"});
  EXPECT_EQ(count(file("other.safetensors")), 1u);
  // transformers takes the single file first.
  writeTensors(singleName, {"a", "b", "c", "d"});
  EXPECT_EQ(count(folder), 4u);
  EXPECT_EQ(count(file(indexName)), 3u);
  writeTensors("model-00001-of-00001.safetensors", {"x"});
  EXPECT_EQ(count(file("model-00001-of-00001.safetensors")), 1u);
}

TEST_F(StoredWeightsTest, OneOfSeveralFiles) {
  writeTwoShards();
  refuse(file("model-00002-of-00002.safetensors"), "is one of several files of a model: name their index ");
  std::filesystem::remove(file(indexName));
  refuse(file("model-00002-of-00002.safetensors"), "put all of them and their index model.safetensors.index.json");
  writeTensors(optimizerName, {"a.exp_avg"});
  refuse(file(optimizerName), "has the optimizer's state without the weights");
}

TEST_F(StoredWeightsTest, FoldersWithoutWeights) {
  refuse(folder, "has neither model.safetensors nor model.safetensors.index.json; a single file has to be named");
  write("pytorch_model.bin", "x");
  refuse(folder, "it has weights as pickles, which Tx does not read");
  refuse(file("absent"), "No such file", TXRT_IO);
}

TEST_F(StoredWeightsTest, IndicesThatDoNotFit) {
  writeTwoShards();
  std::filesystem::remove(file("model-00002-of-00002.safetensors"));
  refuse(folder, "1 of the 2 files that it names are not there: model-00002-of-00002.safetensors", TXRT_IO);
  writeTensors("model-00002-of-00002.safetensors", {"d"});
  refuse(folder, "d is in model-00002-of-00002.safetensors and not in the index, c is not in model-00002");
  writeTensors("model-00002-of-00002.safetensors", {"b", "c"});
  refuse(folder, "model-00002-of-00002.safetensors: has 'b', and so has ");
  writeTensors("model-00001-of-00002.safetensors", {"a"});
  refuse(folder, "b is in model-00002-of-00002.safetensors, the index says model-00001");
}

TEST_F(StoredWeightsTest, HostileIndices) {
  writeTensors("ok.safetensors", {"a"});
  const std::string secret = "/etc/passwd";
  struct Case {
    std::string map, part;
  } cases[] = {{R"("a": "../ok.safetensors")", "which is no file beside the index"},
               {R"("a": "/etc/x.safetensors")", "which is no file beside the index"},
               {R"("a": "ok.safetensors\u0000")", "which is no file beside the index"},
               {R"("a": "")", "and Tx reads safetensors only"},
               {R"("a": "..")", "and Tx reads safetensors only"},
               {R"("a": "pytorch_model.bin")", "and Tx reads safetensors only"},
               {R"("a": 7)", "which is no file's name"},
               {R"("a": ["ok.safetensors"])", "which is no file's name"},
               {R"("a": "ok.safetensors", "a": "ok.safetensors")", "has the key 'a' twice"},
               {"\"\xff\": \"ok.safetensors\"", "is no JSON"},
               {"", "its weight_map names no tensor"}};
  for (const Case &one : cases) {
    SCOPED_TRACE(one.map);
    writeIndex(one.map);
    refuse(folder, one.part);
  }
  for (const auto &[text, part] :
       {std::pair<std::string, std::string>{"{}", "field 'weight_map' is missing"},
        {"[]", "is no object"},
        {"", "is no JSON"},
        {R"({"weight_map": [1]})", "field 'weight_map' is no object"},
        {R"({"metadata": {"tx_save": 5}, "weight_map": {"a": "ok.safetensors"}})",
         "field 'metadata.tx_save' is no string"},
        {R"({"metadata": {"tx_save": "../x"}, "weight_map": {"a": "ok.safetensors"}})", "is no name of a save"},
        {std::string(1000, '[') + std::string(1000, ']'), "is nested deeper"}}) {
    SCOPED_TRACE(text.substr(0, 60));
    write(indexName, text);
    refuse(folder, part);
  }
  // A field that is not needed may be anything.
  write(indexName, R"({"metadata": 7, "weight_map": {"a": "ok.safetensors"}})");
  EXPECT_EQ(count(folder), 1u);
  std::filesystem::create_directory(file("sub.safetensors"));
  writeIndex(R"("a": "sub.safetensors")");
  refuse(folder, "sub.safetensors: is no regular file");
}

} // namespace
