//===- SafetensorsTest.cpp - Every check of the reader has a case -------------------------------------------------===//

#include "train/Safetensors.h"
#include "TestFiles.h"

#include <cmath>

using namespace txrt;
using namespace txrt::train;

namespace {

class SafetensorsTest : public FolderTest {
protected:
  /// A file with this header and so many bytes of data.
  std::string make(const std::string &header, size_t dataBytes) const {
    return write("t.safetensors", bytesOf(uint64_t(header.size())) + header + std::string(dataBytes, '\1'));
  }
  void expectRefused(const std::string &header, size_t dataBytes, const std::string &part) const {
    std::string path = make(header, dataBytes);
    expectError(TXRT_BAD_INPUT, part, [&] { SafetensorsReader r(path); });
  }
};

TEST_F(SafetensorsTest, RoundTrip) {
  float a[6] = {1, -2.5f, 0, INFINITY, 1e-40f, 3};
  int32_t b[2] = {7, -1};
  SafetensorsWriter writer;
  writer.setMetadata("format", "pt");
  writer.add("z.weight", "F32", {2, 3}, a, sizeof a);
  writer.add("a \"quoted\" name", "I32", {2}, b, sizeof b);
  writer.add("scalar", "F32", {}, a, 4);
  writer.add("empty", "F32", {0, 5}, nullptr, 0);
  writer.write(file("out.safetensors"));

  SafetensorsReader reader(file("out.safetensors"));
  EXPECT_EQ(reader.tensors().size(), 4u);
  EXPECT_EQ(reader.metadata().at("format"), "pt");
  const StoredTensor *tensor = reader.find("z.weight");
  ASSERT_NE(tensor, nullptr);
  EXPECT_EQ(tensor->shape, (std::vector<uint64_t>{2, 3}));
  float back[6];
  reader.readF32(*tensor, back);
  EXPECT_EQ(std::memcmp(a, back, sizeof a), 0);
  int32_t ids[2];
  reader.readRaw(*reader.find("a \"quoted\" name"), ids);
  EXPECT_EQ(ids[1], -1);
  EXPECT_EQ(reader.find("scalar")->elements, 1u);
  EXPECT_EQ(reader.find("empty")->elements, 0u);
  EXPECT_EQ(reader.find("none"), nullptr);
  // Data begins at a multiple of 8.
  EXPECT_EQ(tensor->offset % 8, 0u);
}

TEST_F(SafetensorsTest, NarrowTypesConvertExactly) {
  uint16_t half[6] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000};
  uint16_t brain[2] = {0x3fc0, 0xff80};
  SafetensorsWriter writer;
  writer.add("h", "F16", {6}, half, sizeof half);
  writer.add("b", "BF16", {2}, brain, sizeof brain);
  writer.write(file("n.safetensors"));
  SafetensorsReader reader(file("n.safetensors"));
  float h[6], b[2];
  reader.readF32(*reader.find("h"), h);
  reader.readF32(*reader.find("b"), b);
  EXPECT_EQ(h[0], 1.0f);
  EXPECT_EQ(h[1], -2.0f);
  EXPECT_EQ(h[2], std::ldexp(1.0f, -24));
  EXPECT_EQ(h[3], 65504.0f);
  EXPECT_TRUE(std::isinf(h[4]));
  EXPECT_TRUE(h[5] == 0 && std::signbit(h[5]));
  EXPECT_EQ(b[0], 1.5f);
  EXPECT_EQ(b[1], -INFINITY);
  EXPECT_TRUE(std::isnan(halfToFloat(0x7e00)));
}

TEST_F(SafetensorsTest, WrongDtypeForFloats) {
  std::string path = make(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8);
  SafetensorsReader reader(path);
  float value;
  expectError(TXRT_BAD_INPUT, "dtype I64 cannot become f32", [&] { reader.readF32(*reader.find("a"), &value); });
}

TEST_F(SafetensorsTest, TooShort) {
  std::string path = write("t", "1234567");
  expectError(TXRT_BAD_INPUT, "7 bytes", [&] { SafetensorsReader r(path); });
  path = write("empty", "");
  expectError(TXRT_BAD_INPUT, "0 bytes", [&] { SafetensorsReader r(path); });
}

TEST_F(SafetensorsTest, HeaderPastTheLimit) {
  std::string path = write("t", bytesOf(uint64_t(100000001)) + "{}");
  expectError(TXRT_BAD_INPUT, "100000001 bytes", [&] { SafetensorsReader r(path); });
  path = write("t", bytesOf(~uint64_t(0)) + "{}");
  expectError(TXRT_BAD_INPUT, "the format allows", [&] { SafetensorsReader r(path); });
}

TEST_F(SafetensorsTest, HeaderPastTheFile) {
  std::string path = write("t", bytesOf(uint64_t(3)) + "{}");
  expectError(TXRT_BAD_INPUT, "is cut off", [&] { SafetensorsReader r(path); });
}

TEST_F(SafetensorsTest, HeaderMustBeginWithABrace) {
  expectRefused(" {}", 0, "does not begin with '{'");
  expectRefused("[]", 0, "does not begin with '{'");
  expectRefused("", 0, "does not begin with '{'");
  expectRefused("\xef\xbb\xbf{}", 0, "does not begin with '{'");
}

TEST_F(SafetensorsTest, HeaderIsNoJson) {
  expectRefused("{\"a\"", 0, "is no JSON");
  expectRefused("{} x", 0, "is no JSON");
  expectRefused("{\"a\":1e400}", 0, "is no JSON");
  expectRefused("{\"\xff\":1}", 0, "is no JSON");     // broken UTF-8
  expectRefused("{\"\xc0\x80\":1}", 0, "is no JSON"); // overlong
}

TEST_F(SafetensorsTest, NothingHidesBehindANul) {
  expectRefused(std::string("{}\0", 3), 0, "is no JSON: it has a NUL at byte 2");
  expectRefused(std::string("{}\0{\"a\":1}", 10), 0, "NUL at byte 2");
  expectRefused(std::string("{\"a\0\":1}", 8), 0, "NUL at byte 3");
}

// A header of 100 MB: what it may cost is bounded by what it says, not by how many small values it says it with.
TEST_F(SafetensorsTest, MillionsOfKeys) {
  auto repeat = [](const std::string &before, int count, auto make, const std::string &after) {
    std::string text = before;
    for (int i = 0; i < count; ++i)
      text += (i ? "," : "") + make(i);
    return text + after;
  };
  auto zero = [](int) { return std::string("0"); };
  auto key = [](int i) { return "\"" + std::to_string(i) + "\":\"\""; };
  const int many = 1000000;
  expectRefused(repeat(R"({"a":{"shape":[)", many, zero, "]}}"), 0, "header: 'a' holds more than 65536 values");
  expectRefused(repeat(R"({"a":{)", many, key, "}}"), 0, "header: 'a' holds more than 65536 values");
  expectRefused(repeat(R"({"__metadata__":{)", many, key, "}}"), 0,
                "header: '__metadata__' holds more than 65536 values");
  expectRefused(repeat("{", many, key, "}"), 0, "has more than 131072 members");
}

TEST_F(SafetensorsTest, MoreTensorsThanAnyModelHas) {
  std::string header = "{";
  for (int i = 0; i <= 1 << 17; ++i)
    header += format("%s\"%d\":{\"dtype\":\"U8\",\"shape\":[0],"
                     "\"data_offsets\":[0,0]}",
                     i ? "," : "", i);
  expectRefused(header + "}", 0, "has more than 131072 members");
}

TEST_F(SafetensorsTest, SpacesAfterTheHeaderAreFine) {
  SafetensorsReader reader(make("{}      ", 0));
  EXPECT_TRUE(reader.tensors().empty());
}

TEST_F(SafetensorsTest, Depth) {
  // 63 lists inside the object are 64 levels, one more is too many.
  auto nested = [](int lists) { return "{\"a\":" + std::string(lists, '[') + std::string(lists, ']') + "}"; };
  expectRefused(nested(63), 0, "tensor 'a': is no object");
  expectRefused(nested(64), 0, "nested deeper than 64");
  expectRefused(nested(1000000), 0, "nested deeper than 64");
}

TEST_F(SafetensorsTest, DuplicateKeys) {
  expectRefused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                1, "the key 'a' twice");
  expectRefused(R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1, "the key 'dtype' twice");
  // The same key written in another way.
  expectRefused(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                R"("\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                1, "the key 'a' twice");
}

TEST_F(SafetensorsTest, Dtype) {
  expectRefused(R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4, "dtype is \"F31\"");
  expectRefused(R"({"a":{"dtype":4,"shape":[1],"data_offsets":[0,4]}})", 4, "dtype is 4");
}

TEST_F(SafetensorsTest, MissingAndUnknownFields) {
  expectRefused(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "no field 'dtype'");
  expectRefused(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "no field 'shape'");
  expectRefused(R"({"a":{"dtype":"F32","shape":[1]}})", 4, "no field 'data_offsets'");
  expectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", 4, "unknown field 'x'");
}

TEST_F(SafetensorsTest, Shape) {
  expectRefused(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, "shape is no list");
  expectRefused(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "-1 is no number");
  expectRefused(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "1.0 is no number");
  expectRefused(R"({"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}})", 4,
                "is no number of 64 bits");
}

TEST_F(SafetensorsTest, Overflow) {
  expectRefused(R"({"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}})", 0,
                "product of its shape overflows");
  expectRefused(R"({"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}})", 0,
                "size in bytes overflows");
}

TEST_F(SafetensorsTest, Offsets) {
  expectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "no list of two numbers");
  expectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "behind their end");
  expectRefused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", 4,
                "ends at byte 8 of the data, the file has 4");
  expectRefused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "has 4 bytes, F32 [2] needs 8");
}

TEST_F(SafetensorsTest, OverlapAndHoles) {
  expectRefused(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                6, "tensor 'b': begins at byte 2 of the data, inside");
  expectRefused(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                R"("b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})",
                6, "leaving a hole from byte 2");
  expectRefused(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", 3, "leaving a hole from byte 0");
  expectRefused(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 3,
                "end at byte 2 of the data, the file has 3");
}

TEST_F(SafetensorsTest, Metadata) {
  expectRefused(R"({"__metadata__":[]})", 0, "__metadata__ is no object");
  expectRefused(R"({"__metadata__":{"a":1}})", 0, "'a' is no string");
}

TEST_F(SafetensorsTest, TruncatedAnywhere) {
  float values[4] = {1, 2, 3, 4};
  SafetensorsWriter writer;
  writer.add("a", "F32", {4}, values, sizeof values);
  writer.write(file("whole"));
  std::string bytes = read(file("whole"));
  for (size_t length = 0; length < bytes.size(); ++length) {
    std::string path = write("cut", bytes.substr(0, length));
    EXPECT_THROW(SafetensorsReader r(path), Failure) << length;
  }
}

TEST_F(SafetensorsTest, ShrinksWhileItIsRead) {
  std::string path = make(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 16);
  SafetensorsReader reader(path);
  std::filesystem::resize_file(path, 70);
  float values[4];
  expectError(TXRT_IO, "when it was opened", [&] { reader.readF32(*reader.find("a"), values); });
}

} // namespace
