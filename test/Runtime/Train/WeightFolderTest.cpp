//===- WeightFolderTest.cpp - A folder of weights holds the old ones or the new ---------------------------------===//

#include "train/WeightFolder.h"
#include "SystemCalls.h"
#include "TestFiles.h"
#include "core/File.h"
#include "train/StoredWeights.h"

#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace txrt;
using namespace txrt::train;

namespace {

/// What a reader finds in a folder: every tensor's first number, and the iteration of optimizer state.
struct State {
  std::map<std::string, float> values;
  std::string iteration;
  bool operator==(const State &other) const { return values == other.values && iteration == other.iteration; }
};

std::ostream &operator<<(std::ostream &out, const State &state) {
  for (const auto &[name, value] : state.values)
    out << name << " " << value << ", ";
  return out << "iteration " << state.iteration;
}

class WeightFolderTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    // Thousands of saves: in memory, where flushing costs nothing.
    std::string memory = "/dev/shm/tx-folder-XXXXXX";
    if (::mkdtemp(&memory[0])) {
      FolderTest::TearDown();
      folder = memory;
    }
    std::filesystem::create_directory(file("m"));
  }

  /// A state with `shards` files of weights, all of whose numbers are `value`.
  FolderContent content(float value, size_t shards, bool hasOptimizer, const std::string &iteration = "1") {
    FolderContent result;
    result.config = "{\n  \"model_type\": \"tiny\",\n  \"torch_dtype\": \"float32\"\n}\n";
    result.dtype = "float32";
    auto add = [&](SafetensorsWriter &writer, const std::string &name, float number) {
      writer.add(name, "F32", {2}, 8, [number](uint64_t, uint64_t bytes, void *to) {
        for (uint64_t i = 0; i < bytes / 4; ++i)
          static_cast<float *>(to)[i] = number;
      });
    };
    for (size_t i = 0; i < shards; ++i) {
      result.shards.emplace_back();
      result.shards.back().setMetadata("format", "pt");
      for (size_t j = 0; j < 6 / shards; ++j)
        add(result.shards.back(), "w" + std::to_string(i * (6 / shards) + j), value);
    }
    result.elements = 12;
    if (hasOptimizer) {
      result.optimizer.emplace();
      result.optimizer->setMetadata("tx.iteration", iteration);
      add(*result.optimizer, "w0.exp_avg", value + 0.5f);
    }
    return result;
  }

  State read() const {
    const StoredWeights stored(file("m"), nullptr);
    State state;
    for (const auto &[name, place] : stored.tensors()) {
      std::vector<float> numbers(place.tensor->elements);
      place.file->readF32(*place.tensor, numbers.data());
      state.values[name] = numbers[0];
    }
    const auto iteration = stored.metadata().find("tx.iteration");
    if (iteration != stored.metadata().end())
      state.iteration = iteration->second;
    return state;
  }

  /// The state of the folder, or nothing if no reader finds one.
  std::optional<State> readIfAny() const {
    try {
      return read();
    } catch (const Failure &) {
      return std::nullopt;
    }
  }

  std::set<std::string> names() const {
    std::set<std::string> result;
    for (const auto &entry : std::filesystem::directory_iterator(file("m")))
      result.insert(entry.path().filename());
    return result;
  }

  /// Makes the folder as `before` has made it the first time.
  void restore(const std::string &copy) const {
    std::filesystem::remove_all(file("m"));
    std::filesystem::copy(copy, file("m"), std::filesystem::copy_options::recursive);
  }

  void faultsAtEveryStep(const FolderContent &next);
};

TEST_F(WeightFolderTest, WhatIsInIt) {
  saveFolder(file("m"), content(1, 2, true));
  const auto index = nlohmann::json::parse(FolderTest::read(file("m/model.safetensors.index.json")));
  EXPECT_EQ(index["metadata"]["total_size"], 48);
  EXPECT_EQ(index["metadata"]["total_parameters"], 12);
  const std::string save = index["metadata"]["tx_save"];
  EXPECT_EQ(save.size(), 16u);
  const std::string first = "model-" + save + "-00001-of-00002.safetensors";
  const std::string second = "model-" + save + "-00002-of-00002.safetensors";
  EXPECT_EQ(index["weight_map"]["w2"], first);
  EXPECT_EQ(index["weight_map"]["w3"], second);
  EXPECT_EQ(names(), (std::set<std::string>{first, second, "config.json", "model.safetensors.index.json",
                                            "tx-optimizer.safetensors"}));
  EXPECT_EQ(SafetensorsReader(file("m/") + first).metadata().at("format"), "pt");
  const State state = read();
  EXPECT_EQ(state.values.size(), 7u);
  EXPECT_EQ(state.values.at("w5"), 1.0f);
  EXPECT_EQ(state.iteration, "1");
}

// A save's name is a hash of its weights: the same weights make the same files, others never files of the same names.
TEST_F(WeightFolderTest, TheSameWeightsAreTheSameFiles) {
  saveFolder(file("m"), content(1, 3, true));
  const auto first = names();
  const std::string index = FolderTest::read(file("m/model.safetensors.index.json"));
  saveFolder(file("m"), content(2, 3, true));
  EXPECT_NE(names(), first);
  saveFolder(file("m"), content(1, 3, true));
  EXPECT_EQ(names(), first);
  EXPECT_EQ(FolderTest::read(file("m/model.safetensors.index.json")), index);
  // The same numbers under other names, and divided in another way.
  FolderContent other = content(1, 3, true);
  std::swap(other.shards[0], other.shards[1]);
  saveFolder(file("m"), other);
  for (const std::string &name : names())
    EXPECT_TRUE(name.compare(0, 6, "model-") || !first.count(name)) << name;
}

TEST_F(WeightFolderTest, FilesOfOthersStay) {
  const std::vector<std::string> others = {"tokenizer.json",
                                           "model-00001-of-00002.safetensors",
                                           "model-0123456789abcdef-00001-of-00002.safetensors", // no save of ours
                                           "tx-optimizer-0123456789abcdef.safetensors",
                                           "model-0123456789abcdef.safetensors",
                                           ".tx-mine.tmp",
                                           "pytorch_model.bin"};
  for (const std::string &other : others)
    write("m/" + other, "mine");
  std::filesystem::create_directory(file("m/model-fedcba9876543210-00001-of-00001.safetensors"));
  for (float value : {1.0f, 2.0f}) {
    saveFolder(file("m"), content(value, 2, true));
    for (const std::string &other : others)
      EXPECT_EQ(FolderTest::read(file("m/" + other)), "mine") << other;
  }
  EXPECT_EQ(names().size(), others.size() + 1 + 5);
}

// A folder of transformers: a single file goes when the index is there, links are replaced and not followed.
TEST_F(WeightFolderTest, ASingleFileAndLinks) {
  SafetensorsWriter single;
  float numbers[2] = {7, 7};
  single.add("w0", "F32", {2}, numbers, 8);
  single.write(file("blob"));
  std::filesystem::create_symlink(file("blob"), file("m/model.safetensors"));
  write("index", "mine");
  std::filesystem::create_symlink(file("index"), file("m/model.safetensors.index.json"));
  EXPECT_EQ(read().values.at("w0"), 7.0f);
  saveFolder(file("m"), content(1, 1, false));
  EXPECT_EQ(read().values.at("w0"), 1.0f);
  EXPECT_FALSE(names().count("model.safetensors"));
  EXPECT_EQ(FolderTest::read(file("index")), "mine");
  EXPECT_EQ(SafetensorsReader(file("blob")).tensors().size(), 1u);
}

TEST_F(WeightFolderTest, WhoMayReadTheWeightsStays) {
  saveFolder(file("m"), content(1, 2, true));
  ASSERT_EQ(::chmod(file("m/model.safetensors.index.json").c_str(), 0600), 0);
  saveFolder(file("m"), content(2, 2, true));
  for (const std::string &name : names())
    if (name != "config.json") {
      struct stat info;
      ASSERT_EQ(::stat(file("m/" + name).c_str(), &info), 0);
      EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
    }
}

TEST_F(WeightFolderTest, OptimizerStateIsOfItsWeights) {
  saveFolder(file("m"), content(1, 2, true, "5"));
  EXPECT_EQ(read().iteration, "5");
  // Another program writes other weights into the folder.
  SafetensorsWriter single;
  float numbers[2] = {7, 7};
  single.add("w0", "F32", {2}, numbers, 8);
  single.write(file("m/model.safetensors"));
  std::string said;
  const StoredWeights stored(file("m"), [&](const std::string &line) { said += line; });
  EXPECT_EQ(stored.tensors().size(), 1u);
  EXPECT_NE(said.find("tx-optimizer.safetensors belongs to other weights"), std::string::npos) << said;
  // A save without state removes the state of the save before.
  saveFolder(file("m"), content(2, 2, false));
  EXPECT_FALSE(names().count("tx-optimizer.safetensors"));
}

TEST_F(WeightFolderTest, ItsConfig) {
  auto config = [&] { return nlohmann::ordered_json::parse(FolderTest::read(file("m/config.json"))); };
  // One that says more, in its own order, stays as it is.
  const std::string rich = R"({"vocab": 3, "eos_token_id": 7, "torch_dtype": "float32", "model_type": "tiny"})";
  write("m/config.json", rich);
  saveFolder(file("m"), content(1, 1, false));
  EXPECT_EQ(FolderTest::read(file("m/config.json")), rich);
  // Only the weights' type is changed in it.
  write("m/config.json", R"({"vocab": 3, "dtype": "bfloat16", "model_type": "tiny"})");
  saveFolder(file("m"), content(1, 1, false));
  EXPECT_EQ(config().dump(), R"({"vocab":3,"dtype":"float32","model_type":"tiny"})");
  FolderContent narrow = content(1, 1, false);
  narrow.dtype = "bfloat16";
  saveFolder(file("m"), narrow);
  EXPECT_EQ(config()["dtype"], "bfloat16");
  // Another model's is refused, whatever the order of saves.
  auto refuse = [&](const std::string &mine, const std::string &theirs, const std::string &part) {
    write("m/config.json", theirs);
    FolderContent other = content(1, 1, false);
    other.config = mine;
    const auto before = names();
    for (const auto &save : {std::function<void()>([&] { prepareFolder(file("m"), mine); }),
                             std::function<void()>([&] { saveFolder(file("m"), other); })})
      expectError(TXRT_BAD_INPUT, part, save);
    EXPECT_EQ(names(), before);
    EXPECT_EQ(FolderTest::read(file("m/config.json")), theirs);
  };
  refuse(R"({"h": 8})", R"({"h": 16})", "config.json: is of another model: 'h' is 16, and 8 in the model to save");
  refuse(R"({"rope": {"theta": 1e6}})", R"({"rope": {"theta": 1e4}})", "'theta' is 10000.0, and 1000000.0");
  refuse(R"({"rope": {"theta": 1e6}})", R"({"theta": 1e4})", "'theta' is 10000.0");
  refuse(R"({"theta": 1e6, "scaling": {"factor": 2}})", R"({"rope": {"theta": 1e6, "factor": 4}})", "'factor' is 4");
  refuse(R"({"h": 8})", R"([1])", "it is no object");
  refuse(R"({"h": 8})", R"({"h": 8, "h": 9})", "has the key 'h' twice");
  refuse(R"({"h": 8})", std::string(100, '[') + std::string(100, ']'), "is nested deeper");
  auto accept = [&](const std::string &mine, const std::string &theirs) {
    write("m/config.json", theirs);
    EXPECT_NO_THROW(prepareFolder(file("m"), mine)) << mine << theirs;
  };
  accept(R"({"eps": 1e-6, "theta": 10000.0, "d": 4})", R"({"eps": 0.000001, "theta": 10000, "d": null})");
  accept(R"({"theta": 1e4})", R"({"full": {"theta": 1e4}, "window": {"theta": 1e6}})"); // which one is not said
  accept(R"({"attention_dropout": 0.1, "dtype": "bfloat16", "eos_token_id": 2})",
         R"({"attention_dropout": 0.0, "dtype": "float32", "eos_token_id": 1})");
  // No config is known: none is written, and one that is there stays.
  std::filesystem::remove(file("m/config.json"));
  FolderContent none = content(1, 1, false);
  none.config = "";
  saveFolder(file("m"), none);
  EXPECT_FALSE(names().count("config.json"));
}

TEST_F(WeightFolderTest, AFullDiskLeavesTheOldWeights) {
  saveFolder(file("m"), content(1, 2, true));
  const State before = read();
  const auto files = names();
  rlimit old, small;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  for (rlim_t limit = 0; limit < 700; limit += 50) {
    small.rlim_cur = limit;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    std::optional<Failure> failure;
    try {
      saveFolder(file("m"), content(2, 2, true));
    } catch (const Failure &error) {
      failure = error;
    }
    ::setrlimit(RLIMIT_FSIZE, &old);
    if (!failure)
      break;
    EXPECT_NE(std::string(failure->what()).find("what was there is untouched"), std::string::npos) << failure->what();
    EXPECT_EQ(read(), before);
    EXPECT_EQ(names(), files);
  }
  std::signal(SIGXFSZ, handler);
}

/// Kills a save of `next` at the begin and the end of every system call, and lets every call that changes files fail:
/// the folder then holds what it held or `next`, and the save after that leaves its own files alone.
void WeightFolderTest::faultsAtEveryStep(const FolderContent &next) {
  const std::string copy = file("copy");
  std::filesystem::remove_all(copy);
  std::filesystem::copy(file("m"), copy, std::filesystem::copy_options::recursive);
  const std::optional<State> before = readIfAny();
  saveFolder(file("m"), next);
  const State after = read();
  const std::set<std::string> files = names();
  auto check = [&](bool isDone) {
    const std::optional<State> found = readIfAny();
    EXPECT_TRUE(found == before || found == after) << (found ? *found : State());
    if (isDone)
      EXPECT_EQ(found, after);
    saveFolder(file("m"), next);
    EXPECT_EQ(read(), after);
    EXPECT_EQ(names(), files);
  };
  int kills = 0, faults = 0;
  for (int n = 0;; ++n, ++kills) {
    SCOPED_TRACE("killed at " + std::to_string(n));
    restore(copy);
    const Ended ended = runUntil({Fault::Kill, n}, [&] { saveFolder(file("m"), next); });
    if (ended == Ended::CannotTrace)
      GTEST_SKIP() << "no process can be traced here";
    if (ended == Ended::Done)
      break;
    check(false);
    if (HasFailure())
      return;
  }
  for (int error : {ENOSPC, EIO, EACCES})
    for (int n = 0;; ++n, ++faults) {
      SCOPED_TRACE(format("call %d fails with %s", n, std::strerror(error)));
      restore(copy);
      bool hit = false;
      const Ended ended = runUntil({Fault::Fail, n, error}, [&] { saveFolder(file("m"), next); }, &hit);
      if (ended == Ended::Done && !hit)
        break;
      check(ended == Ended::Done);
      if (HasFailure())
        return;
    }
  EXPECT_GT(kills, 60);
  EXPECT_GT(faults, 60);
}

TEST_F(WeightFolderTest, FaultsInANewFolder) { faultsAtEveryStep(content(1, 2, true)); }

TEST_F(WeightFolderTest, FaultsOverAnOldSave) {
  write("m/tokenizer.json", "mine");
  saveFolder(file("m"), content(1, 3, true, "1"));
  faultsAtEveryStep(content(2, 2, true, "2"));
}

// The weights have not changed, but the state has.
TEST_F(WeightFolderTest, FaultsOverTheSameWeights) {
  saveFolder(file("m"), content(1, 2, true, "1"));
  faultsAtEveryStep(content(1, 2, true, "2"));
}

TEST_F(WeightFolderTest, FaultsOverAStateThatGoes) {
  saveFolder(file("m"), content(1, 1, true));
  faultsAtEveryStep(content(2, 6, false));
}

TEST_F(WeightFolderTest, FaultsOverASingleFile) {
  SafetensorsWriter single;
  float numbers[2] = {7, 7};
  single.add("w0", "F32", {2}, numbers, 8);
  single.add("w0.exp_avg", "F32", {2}, numbers, 8);
  single.setMetadata("tx.iteration", "9");
  single.write(file("m/model.safetensors"));
  write("m/config.json", R"({"model_type": "tiny", "torch_dtype": "bfloat16"})");
  faultsAtEveryStep(content(2, 2, true));
}

// What a killed save has left is still there when the next one is killed.
TEST_F(WeightFolderTest, FaultsOverWhatAKilledSaveLeft) {
  saveFolder(file("m"), content(1, 2, true, "1"));
  const std::string old = file("old");
  std::filesystem::copy(file("m"), old, std::filesystem::copy_options::recursive);
  for (int n = 0;; n += 20) {
    std::filesystem::remove_all(file("m"));
    std::filesystem::copy(old, file("m"), std::filesystem::copy_options::recursive);
    if (runUntil({Fault::Kill, n}, [&] { saveFolder(file("m"), content(2, 3, true, "2")); }) != Ended::Killed)
      break;
    if (names().size() > 5)
      faultsAtEveryStep(content(3, 2, true, "3"));
  }
}

} // namespace
