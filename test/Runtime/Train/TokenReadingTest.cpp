//===- TokenReadingTest.cpp - Guesses that data contradict --------------------------------------------------------===//

#include "TestFiles.h"
#include "train/Random.h"
#include "train/TokenData.h"

#include <functional>
#include <memory>

using namespace txrt;
using namespace txrt::train;

namespace {

/// The n-th id of a file.
using Ids = std::function<uint64_t(uint64_t)>;

Ids below(uint64_t end) {
  auto stream = std::make_shared<RandomStream>(7, "ids");
  return [=](uint64_t i) { return stream->below(i, end); };
}
/// Small ids are much more frequent, as of words.
Ids words(uint64_t end) {
  auto stream = std::make_shared<RandomStream>(7, "ids");
  return [=](uint64_t i) {
    const double u = double(stream->below(i, 1 << 20)) / (1 << 20);
    return static_cast<uint64_t>(double(end) * u * u * u * u);
  };
}
/// Characters of a text.
Ids letters() {
  const std::string text = "the cat sat on the mat, and what of the dog? ";
  return [=](uint64_t i) { return static_cast<unsigned char>(text[i * i % 1009 % text.size()]); };
}

std::string stored(Ids ids, uint64_t count, int width, bool bigEndian = false) {
  std::string bytes;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t id = ids(i);
    for (int b = 0; b < width; ++b)
      bytes += static_cast<char>(id >> 8 * (bigEndian ? width - 1 - b : b));
  }
  return bytes;
}

class TokenReadingTest : public FolderTest {
protected:
  void refused(const std::string &bytes, uint64_t vocabulary, const std::string &part,
               const char *name = "d.bin") const {
    const std::string path = write(name, bytes);
    expectError(TXRT_BAD_INPUT, part, [&] { TokenFile file(path, DataFormat::Auto, vocabulary); });
  }
  std::string described(const std::string &bytes, uint64_t vocabulary, DataFormat format = DataFormat::Auto,
                        const char *name = "d.bin") const {
    const TokenFile file(write(name, bytes), format, vocabulary);
    const std::string text = file.describe();
    const size_t at = text.find(" read as ");
    return text.substr(at + 9);
  }
};

// What a guess would train on without a word.
TEST_F(TokenReadingTest, ContradictedGuesses) {
  for (uint64_t count : {40, 5000}) {
    refused(stored(below(65), count, 2), 65,
            "would be read as text (the vocabulary has 65), but every second byte "
            "is 0: --data-format uint16 fits; --data-format text reads it so all "
            "the same");
    refused(stored(below(65), count, 4), 65, "every second byte is 0: --data-format uint32 fits");
    refused(stored(words(50257), count, 4), 50257,
            "would be read as uint16 (the vocabulary has 50257), but every second "
            "16-bit word is 0: --data-format uint32 fits");
    refused(stored(words(100000), count, 8), 100000, "every second 32-bit word is 0: write it as little-endian uint16");
    refused(stored(words(50257), count, 8), 50257, "write it as little-endian uint16 or uint32 ids, or as text");
    refused(stored(below(65), count, 2, true), 65, "every second byte is 0: write it as little-endian");
    refused(stored(letters(), count, 1), 50257, "its bytes are text: --data-format text fits");
    refused(stored(letters(), count * 2, 1), 100000, "its bytes are text: --data-format text fits");
    refused(stored(letters(), count, 2), 256, "every second byte is 0", "d.txt");
  }
  // Where a statistic is needed.
  refused(stored(words(50257), 5000, 2), 256, "bytes at even and odd places are of two kinds");
  refused(stored(below(100), 10000, 1), 512, "the two bytes of an id look alike: --data-format text fits");
  refused(stored(below(256), 5000, 1), 256, "a byte of it is 0, as in no text", "d.txt");
}

// Of a large file some blocks are read, whose places are whole ids.
TEST_F(TokenReadingTest, LargeFiles) {
  const uint64_t count = 3000001;
  refused(stored(below(65), count, 2), 65, "--data-format uint16 fits");
  EXPECT_EQ(described(stored(below(50257), count, 2), 50257).substr(0, 6), "uint16");
  EXPECT_EQ(described(stored(below(65), 3 * count, 1), 65).substr(0, 4), "text");
}

// An id that is not in the vocabulary, where another reading has none such.
TEST_F(TokenReadingTest, AnotherReadingFits) {
  refused(stored(below(50257), 400, 2), 100000, "or uint16 fits");
  refused(stored(below(300), 5000, 2, true), 300, "no other --data-format fits");
  refused("abcde", 50257,
          "no whole number of 2-byte tokens, as which it is read "
          "(the vocabulary has 50257); --data-format text fits");
}

TEST_F(TokenReadingTest, Containers) {
  refused("\x93NUMPY\1" + std::string(200, 'a'), 50257,
          "is a NumPy array, not plain ids or text: write its ids with .tofile()");
  refused(std::string("PK\3\4") + std::string(200, 'a'), 256, "is a zip archive");
  refused(std::string("MMIDIDX\0\0", 9) + std::string(200, 'a'), 256, "give the .bin file beside it");
}

TEST_F(TokenReadingTest, MegatronsIndexSaysIt) {
  const std::string data = stored(below(65), 100, 2);
  auto index = [&](char type) {
    write("m.idx", std::string("MMIDIDX\0\0", 9) + bytesOf(uint64_t(1)) + type + std::string(40, '\0'));
  };
  index(8);
  const std::string found = described(data, 65, DataFormat::Auto, "m.bin");
  EXPECT_EQ(found.substr(0, 12), "uint16 ids (");
  EXPECT_NE(found.find("m.idx), 100 tokens"), std::string::npos);
  index(5);
  refused(data, 65, "has type 5 of Megatron's", "m.bin");
  index(4);
  const std::string path = write("m.bin", data);
  expectError(TXRT_BAD_INPUT, "is asked to be uint16, ", [&] { TokenFile file(path, DataFormat::U16, 65); });
}

TEST_F(TokenReadingTest, AFlagDecides) {
  const std::string data = stored(below(65), 1000, 2);
  EXPECT_EQ(described(data, 65, DataFormat::U16), "uint16 ids (--data-format), 1000 tokens");
  EXPECT_EQ(described(data, 65, DataFormat::Text), "text, one token a byte (--data-format), 2000 tokens, though every "
                                                   "second byte is 0");
}

// Nothing speaks against these.
TEST_F(TokenReadingTest, TrueGuesses) {
  auto repeated = [](uint64_t period, uint64_t first) -> Ids { return [=](uint64_t i) { return first + i % period; }; };
  for (uint64_t count : {4, 64, 10000}) {
    for (const Ids &ids :
         {below(256), below(65), words(256), letters(), repeated(256, 0), repeated(50, 0), repeated(26, 'a')})
      EXPECT_EQ(described(stored(ids, count, 1), 256).substr(0, 4), "text");
    EXPECT_EQ(described(stored(letters(), count, 1), 50257, DataFormat::Auto, "d.txt").substr(0, 4), "text");
    for (uint64_t vocabulary : {300, 1000, 50257, 65536})
      for (const Ids &ids : {below(vocabulary), words(vocabulary), repeated(vocabulary, 0), repeated(30, 256)})
        EXPECT_EQ(described(stored(ids, count, 2), vocabulary).substr(0, 6), "uint16") << vocabulary << " " << count;
    for (const Ids &ids : {below(100000), words(100000), repeated(100000, 0)})
      EXPECT_EQ(described(stored(ids, count, 4), 100000).substr(0, 6), "uint32");
  }
}

} // namespace
