//===- TokenDataTest.cpp - Token files and samples ----------------------------------------------------------------===//

#include "train/TokenData.h"
#include "TestFiles.h"
#include "train/Safetensors.h"
#include "train/Samples.h"

#include <algorithm>

using namespace txrt;
using namespace txrt::train;

namespace {

BatchSpec of(uint64_t sequence, uint64_t vocabulary = 256) { return {1, sequence, vocabulary, -100}; }

class TokenDataTest : public FolderTest {
protected:
  static std::string text(size_t length) {
    std::string bytes;
    for (size_t i = 0; i < length; ++i)
      bytes += static_cast<char>('a' + i % 26);
    return bytes;
  }
  TokenRange range(size_t length) {
    TokenRange result;
    result.file = std::make_shared<TokenFile>(write("d.txt", text(length)), DataFormat::Auto, 256);
    result.end = length;
    return result;
  }
};

TEST_F(TokenDataTest, Formats) {
  std::string path = write("a.bin", bytesOf(uint16_t(7)) + bytesOf(uint16_t(50256)));
  TokenFile raw(path, DataFormat::Auto, 50257);
  EXPECT_EQ(raw.format(), DataFormat::U16);
  int32_t ids[2];
  raw.read(0, 2, ids);
  EXPECT_EQ(ids[1], 50256);
  EXPECT_EQ(TokenFile(path, DataFormat::Auto, 256).format(), DataFormat::Text);
  EXPECT_EQ(TokenFile(write("w.bin", bytesOf(uint32_t(7))), DataFormat::Auto, 100000).format(), DataFormat::U32);
  TokenFile wide(write("b", bytesOf(uint32_t(70000))), DataFormat::U32, 70001);
  wide.read(0, 1, ids);
  EXPECT_EQ(ids[0], 70000);
  EXPECT_EQ(TokenFile(write("c.txt", "hello"), DataFormat::Auto, 50257).format(), DataFormat::Text);
}

TEST_F(TokenDataTest, LlmcHeader) {
  auto file = [&](uint32_t magic, uint32_t count, const std::string &data, uint32_t version = 1) {
    std::string header(1024, '\0');
    header.replace(0, 12, bytesOf(magic) + bytesOf(version) + bytesOf(count));
    return write("l.bin", header + data);
  };
  std::string data = bytesOf(uint16_t(3)) + bytesOf(uint16_t(9));
  TokenFile tokens(file(20240520, 2, data), DataFormat::Auto, 50257);
  EXPECT_EQ(tokens.size(), 2u);
  int32_t ids[2];
  tokens.read(0, 2, ids);
  EXPECT_EQ(ids[0], 3);
  EXPECT_EQ(TokenFile(file(20240801, 1, data, 7), DataFormat::Auto, 1 << 30).format(), DataFormat::U32);
  std::string path = file(20240520, 3, data);
  expectError(TXRT_BAD_INPUT, "promises 3 tokens, the file has 2", [&] { TokenFile f(path, DataFormat::Auto, 50257); });
  path = file(20240520, 2, data, 2);
  expectError(TXRT_BAD_INPUT, "has version 2 of llm.c's format; 1 is known",
              [&] { TokenFile f(path, DataFormat::Auto, 50257); });
  path = file(20240520, 2, data);
  expectError(TXRT_BAD_INPUT, "its header says uint16", [&] { TokenFile f(path, DataFormat::U32, 50257); });
  expectError(TXRT_BAD_INPUT, "is asked to be text, its header says uint16",
              [&] { TokenFile f(path, DataFormat::Text, 50257); });
}

TEST_F(TokenDataTest, Refusals) {
  std::string path = write("e", "");
  expectError(TXRT_BAD_INPUT, "is empty", [&] { TokenFile f(path, DataFormat::Text, 256); });
  path = write("odd", "abc");
  expectError(TXRT_BAD_INPUT, "no whole number of 2-byte tokens", [&] { TokenFile f(path, DataFormat::U16, 50257); });
  path = write("big", bytesOf(uint16_t(1)) + bytesOf(uint16_t(50257)));
  expectError(TXRT_BAD_INPUT, "token 1 is 50257, the model's vocabulary has 50257",
              [&] { TokenFile f(path, DataFormat::U16, 50257); });
  path = write("a.txt", std::string(5, 'a') + '\xff');
  expectError(TXRT_BAD_INPUT, "token 5 is 255", [&] { TokenFile f(path, DataFormat::Text, 128); });
}

TEST_F(TokenDataTest, ADataFileMayShrink) {
  std::string path = write("d.txt", text(1000));
  TokenFile tokens(path, DataFormat::Text, 256);
  std::filesystem::resize_file(path, 10);
  int32_t ids[100];
  expectError(TXRT_IO, "when it was opened", [&] { tokens.read(500, 100, ids); });
}

TEST_F(TokenDataTest, SplitsCoverTheFile) {
  auto tokens = std::make_shared<TokenFile>(write("d.txt", text(1000)), DataFormat::Text, 256);
  TokenRange train = splitRange(tokens, {90, 10}, 0);
  TokenRange valid = splitRange(tokens, {90, 10}, 1);
  EXPECT_EQ(train.begin, 0u);
  EXPECT_EQ(train.end, 900u);
  EXPECT_EQ(valid.begin, 900u);
  EXPECT_EQ(valid.end, 1000u);
  EXPECT_EQ(splitRange(tokens, {969, 30, 1}, 1).end, 999u);
  EXPECT_EQ(splitRange(tokens, {1, 0}, 1).size(), 0u);
}

TEST_F(TokenDataTest, AWindowAndItsTargets) {
  WindowSource source(range(100), of(8), DataOrder::Random, 5, "training");
  int32_t tokens[8], targets[8];
  for (uint64_t index = 0; index < 50; ++index) {
    source.sample(index, tokens, targets);
    uint64_t place = source.place(index);
    ASSERT_LE(place + 9, 100u);
    for (uint64_t i = 0; i < 8; ++i) {
      EXPECT_EQ(tokens[i], int32_t('a' + (place + i) % 26));
      EXPECT_EQ(targets[i], int32_t('a' + (place + i + 1) % 26));
    }
  }
}

TEST_F(TokenDataTest, PlacesDependOnSeedAndIndexOnly) {
  WindowSource a(range(5000), of(8), DataOrder::Random, 5, "training");
  WindowSource b(range(5000), of(8), DataOrder::Random, 5, "training");
  WindowSource c(range(5000), of(8), DataOrder::Random, 6, "training");
  int32_t row[8];
  for (uint64_t index = 100; index-- > 0;)
    b.sample(index, row, row); // what was drawn before does not matter
  int same = 0;
  for (uint64_t index = 0; index < 100; ++index) {
    EXPECT_EQ(a.place(index), b.place(index));
    same += a.place(index) == c.place(index);
  }
  EXPECT_LT(same, 5);
}

TEST_F(TokenDataTest, EveryPlaceIsReached) {
  WindowSource source(range(12), of(8), DataOrder::Random, 5, "training");
  bool seen[4] = {};
  for (uint64_t index = 0; index < 200; ++index)
    seen[source.place(index)] = true;
  for (bool one : seen)
    EXPECT_TRUE(one);
}

TEST_F(TokenDataTest, Sequential) {
  WindowSource source(range(25), of(8), DataOrder::Sequential, 5, "training");
  EXPECT_EQ(source.place(0), 0u);
  EXPECT_EQ(source.place(2), 16u);
  EXPECT_EQ(source.place(3), 0u); // 24 predicted tokens are three windows
}

TEST_F(TokenDataTest, TooShort) {
  EXPECT_NO_THROW(WindowSource(range(9), of(8), DataOrder::Random, 5, "training"));
  TokenRange eight = range(8);
  expectError(TXRT_BAD_INPUT, "has 8 training tokens, a window",
              [&] { WindowSource(eight, of(8), DataOrder::Random, 5, "training"); });
  TokenRange one = range(1);
  expectError(TXRT_BAD_INPUT, "has 1 tokens to evaluate", [&] { CoveringSource(one, of(8)); });
}

TEST_F(TokenDataTest, CoveringPredictsEveryTokenOnce) {
  CoveringSource source(range(20), of(8));
  EXPECT_EQ(source.size(), 3u);
  int32_t tokens[8], targets[8];
  std::string predicted;
  for (uint64_t index = 0; index < source.size(); ++index) {
    source.sample(index, tokens, targets);
    uint64_t valid = 0;
    for (int i = 0; i < 8; ++i)
      if (targets[i] != -100) {
        predicted += static_cast<char>(targets[i]);
        ++valid;
      }
    EXPECT_EQ(valid, source.valid(index));
  }
  EXPECT_EQ(predicted, text(20).substr(1));
}

// Where padding is a token of the data, it counts as little as that of the loss.
TEST_F(TokenDataTest, AnIgnoredTokenIsNoTarget) {
  BatchSpec batch = of(8);
  batch.ignored = text(100)[3];
  std::vector<std::unique_ptr<SampleSource>> sources;
  sources.push_back(std::make_unique<WindowSource>(range(100), batch, DataOrder::Sequential, 5, "training"));
  sources.push_back(std::make_unique<CoveringSource>(range(20), batch));
  for (auto &source : sources) {
    int32_t tokens[8], targets[8];
    source->sample(0, tokens, targets);
    EXPECT_EQ(targets[2], *batch.ignored);
    EXPECT_EQ(source->valid(0), 8u - static_cast<uint64_t>(std::count(targets, targets + 8, *batch.ignored)));
    EXPECT_LT(source->valid(0), 8u);
  }
}

TEST_F(TokenDataTest, Prepared) {
  int32_t tokens[6] = {1, 2, 3, 4, 5, 6};
  int64_t targets[6] = {2, 3, -100, -100, -100, -100};
  SafetensorsWriter writer;
  writer.add("tokens", "I32", {2, 3}, tokens, sizeof tokens);
  writer.add("targets", "I64", {2, 3}, targets, sizeof targets);
  writer.write(file("p.safetensors"));
  PreparedSource source(file("p.safetensors"), of(3, 7));
  EXPECT_EQ(source.size(), 2u);
  EXPECT_EQ(source.valid(0), 2u);
  EXPECT_EQ(source.valid(1), 0u);
  int32_t a[3], b[3];
  source.sample(3, a, b);
  EXPECT_EQ(a[0], 4);
  EXPECT_EQ(b[2], -100);
  expectError(TXRT_BAD_INPUT, "'tokens' has 6 at index 5", [&] { PreparedSource s(file("p.safetensors"), of(3, 6)); });
  expectError(TXRT_BAD_INPUT, "[samples, 4]", [&] { PreparedSource s(file("p.safetensors"), of(4, 7)); });
}

} // namespace
