//===- NpyTest.cpp - Arrays of NumPy's format ---------------------------------------------------------------------===//

#include "Npy.h"
#include "TestFiles.h"

using namespace txrun;

namespace {

class NpyTest : public FolderTest {
protected:
  std::string make(const std::string &header, const std::string &data, char version = 1) const {
    std::string bytes = "\x93NUMPY";
    bytes += version;
    bytes += '\0';
    bytes += version == 1 ? bytesOf(uint16_t(header.size())) : bytesOf(uint32_t(header.size()));
    return write("a.npy", bytes + header + data);
  }
  void expectRefused(const std::string &header, const std::string &data, const std::string &part) const {
    std::string path = make(header, data);
    expectError(TXRT_BAD_INPUT, part, [&] { readNpy(path); });
  }
};

TEST_F(NpyTest, RoundTrip) {
  for (const std::vector<uint64_t> &shape : {std::vector<uint64_t>{}, {3}, {2, 3}, {1, 0, 4}}) {
    NpyArray array;
    array.shape = shape;
    uint64_t count = 1;
    for (uint64_t size : shape)
      count *= size;
    for (uint64_t i = 0; i < count * 4; ++i)
      array.data.push_back(static_cast<unsigned char>(i));
    writeNpy(file("a.npy"), array);
    NpyArray back = readNpy(file("a.npy"));
    EXPECT_EQ(back.shape, shape);
    EXPECT_EQ(back.data, array.data);
    EXPECT_EQ(back.dtype, TXRT_DTYPE_F32);
  }
  EXPECT_EQ((read(file("a.npy")).size()) % 64, 0u);
}

TEST_F(NpyTest, WhatNumPyWrites) {
  NpyArray array = readNpy(make("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }   \n",
                                bytesOf(int32_t(5)) + bytesOf(int32_t(-7))));
  EXPECT_EQ(array.dtype, TXRT_DTYPE_I32);
  EXPECT_EQ(array.shape, std::vector<uint64_t>{2});
  array = readNpy(make("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", "\2", 2));
  EXPECT_EQ(array.dtype, TXRT_DTYPE_I1);
  EXPECT_EQ(array.data[0], 1);
}

TEST_F(NpyTest, WideIntegersNarrowWhenTheyFit) {
  std::string header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }";
  NpyArray array = readNpy(make(header, bytesOf(int64_t(-100)) + bytesOf(int64_t(50256))));
  int32_t values[2];
  std::memcpy(values, array.data.data(), 8);
  EXPECT_EQ(values[0], -100);
  EXPECT_EQ(values[1], 50256);
  expectRefused(header, bytesOf(int64_t(0)) + bytesOf(int64_t(1) << 40), "element 1 is 1099511627776");
}

TEST_F(NpyTest, Refusals) {
  std::string path = write("x", "abc");
  expectError(TXRT_BAD_INPUT, "only 3 bytes", [&] { readNpy(path); });
  path = write("x", std::string(100, 'x'));
  expectError(TXRT_BAD_INPUT, "numpy.save", [&] { readNpy(path); });
  path = write("x", std::string("\x93NUMPY\x09\0\0\0", 10) + "  ");
  expectError(TXRT_BAD_INPUT, "version 9", [&] { readNpy(path); });
  path = write("x", std::string("\x93NUMPY\x01\0\xff\xff", 10) + "  ");
  expectError(TXRT_BAD_INPUT, "65535 bytes", [&] { readNpy(path); });

  expectRefused("{'descr': '<f4', 'fortran_order': True, 'shape': (1,), }", "1234", "fortran_order");
  expectRefused("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", "12345678", "elements '<f8'");
  expectRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "1234",
                "needs 8 bytes of data, the file has 4");
  expectRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "12345",
                "needs 4 bytes of data, the file has 5");
  expectRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "", "no tuple of numbers");
  expectRefused("{'descr': '<f4', 'fortran_order': False, "
                "'shape': (4294967296, 4294967296), }",
                "", "overflows");
  expectRefused("{'descr': '<f4', 'fortran_order': False, "
                "'shape': (99999999999999999999,), }",
                "", "past 64 bits");
  expectRefused("{'descr': '<f4', 'shape': (1,), }", "1234", "lacks one of");
  expectRefused("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, "
                "'shape': (1,), }",
                "1234", "repeated key");
  expectRefused("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': "
                "(1,), }",
                "1234", "has no '''");
  expectRefused("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "1234", "goes on");
  expectRefused("", "", "has no '{'");
}

} // namespace
