// A code unit: what is not the compiler's is refused, and every launch is held to it.

#include "core/Code.h"
#include "TestArtifact.h"
#include "core/CodeImage.h"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>

using namespace txrt;

namespace {

Span span(const std::vector<uint8_t> &bytes) { return {bytes.data(), bytes.size()}; }

std::string refusalOf(const std::vector<uint8_t> &unit) {
  try {
    Code code("test.txa", span(unit));
    return "";
  } catch (const Failure &failure) {
    EXPECT_EQ(failure.code, TXRT_BAD_INPUT);
    return failure.what();
  }
}

/// The small artifact's code, changed under a valid digest, is refused with `message`.
void refused(const char *message, const std::function<void(TestArtifact &)> &change) {
  TestArtifact artifact = smallArtifact();
  change(artifact);
  const std::string refusal = refusalOf(artifact.codeUnit());
  EXPECT_NE(refusal.find(message), std::string::npos) << "expected: " << message << "\ngot: " << refusal;
}

/// The same for the bytes of the unit and what stands at its end.
void refusedEnd(const char *message, const std::function<void(std::vector<uint8_t> &, txrt_code_end &)> &change) {
  std::vector<uint8_t> unit = smallArtifact().codeUnit();
  txrt_code_end end;
  memcpy(&end, unit.data() + unit.size() - sizeof end, sizeof end);
  change(unit, end);
  memcpy(unit.data() + unit.size() - sizeof end, &end, sizeof end);
  sealCode(unit.data(), unit.size());
  const std::string refusal = refusalOf(unit);
  EXPECT_NE(refusal.find(message), std::string::npos) << "expected: " << message << "\ngot: " << refusal;
}

/// A table that asks for what the code does not do, under both digests.
void refusedLaunch(const char *message, const std::function<void(TestArtifact &)> &change) {
  TestArtifact artifact = smallArtifact();
  change(artifact);
  txrt_error error = openError(artifact.bytes());
  EXPECT_EQ(error.code, TXRT_BAD_INPUT) << message;
  EXPECT_NE(strstr(error.message, message), nullptr) << "expected: " << message << "\ngot: " << error.message;
}

} // namespace

TEST(Code, KernelsRun) {
  const std::vector<uint8_t> unit = smallArtifact().codeUnit();
  Code code("test.txa", span(unit));
  EXPECT_EQ(code.find("no such kernel"), -1);
  ASSERT_GE(code.find("weigh"), 0);
  CodeImage image("test.txa", code.instructions);
  auto weigh = reinterpret_cast<txrt_host_kernel>(image.address(code.functions[size_t(code.find("weigh"))].entry));
  float in[16], out[16] = {};
  for (int i = 0; i < 16; ++i)
    in[i] = static_cast<float>(i);
  void *buffers[] = {in, out};
  uint32_t shift = 3;
  weigh(buffers, &shift, 2, 14);
  for (int i = 0; i < 16; ++i) {
    float weight = 0.5f + static_cast<float>((i + 3) % 8);
    EXPECT_EQ(out[i], i >= 2 && i < 14 ? in[i] * weight : 0.0f);
  }
}

// Instructions, constants, entries, operands: each bit is the compiler's.
TEST(Code, EveryBitFlip) {
  std::vector<uint8_t> unit = smallArtifact().codeUnit();
  for (size_t bit = 0; bit < unit.size() * 8; ++bit) {
    unit[bit / 8] ^= uint8_t(1 << bit % 8);
    ASSERT_NE(refusalOf(unit), "") << "bit " << bit;
    unit[bit / 8] ^= uint8_t(1 << bit % 8);
  }
}

TEST(Code, TruncationAtEveryLength) {
  const std::vector<uint8_t> whole = smallArtifact().codeUnit();
  for (size_t length = 0; length < whole.size(); ++length)
    ASSERT_NE(refusalOf({whole.begin(), whole.begin() + long(length)}), "") << length;
}

TEST(Code, End) {
  refusedEnd("wrong magic", [](auto &, auto &end) { end.magic[0] = 'X'; });
  refusedEnd("3 functions", [](auto &, auto &end) { ++end.function_count; });
  refusedEnd("4294967295 operands", [](auto &, auto &end) { end.operand_count = UINT32_MAX; });
  refusedEnd("are not the section's", [](auto &, auto &end) { end.code_bytes = ~uint64_t(0); });
  refusedEnd("are not the section's", [](auto &, auto &end) { end.code_bytes -= 64; });
  // A function more and as many bytes of code less.
  refusedEnd("are not the section's",
             [](auto &, auto &end) { ++end.function_count, end.code_bytes -= sizeof(txrt_function); });
  refusedEnd("do not end with a NUL", [](auto &unit, auto &) { unit[unit.size() - sizeof(txrt_code_end) - 1] = 'x'; });
}

TEST(Code, Functions) {
  refused("name is outside", [](auto &a) { a.functions[1].name = 4000; });
  refused("'weigh': is there twice", [](auto &a) { a.functions[1].name = a.functions[0].name; });
  refused("operands from", [](auto &a) { a.functions[1].operand_count = 2; });
  refused("operands from", [](auto &a) { a.functions[1].first_operand = UINT32_MAX; });
  refused("7 immediates", [](auto &a) { a.functions[1].immediate_count = 7; });
  refused("units", [](auto &a) { a.functions[1].units = ~uint64_t(0); });
  refused("begins at", [](auto &a) { a.functions[1].entry = 1u << 20; });
  refused("dtype 9", [](auto &a) { a.operands[0].dtype = 9; });
  refused("a flag", [](auto &a) { a.operands[0].writes = 2; });
  refused("239 bytes", [](auto &a) { a.operands[0].bytes = 239; });
}

TEST(Code, LaunchesAreHeldToIt) {
  refusedLaunch("61 units; the kernel's code is for 60", [](auto &a) { a.launches[0].u.kernel.units = 61; });
  refusedLaunch("59 units", [](auto &a) { a.launches[1].u.kernel.units = 59; });
  refusedLaunch("buffer 0 is f32 of 236 bytes that it reads; the kernel's code takes "
                "f32 of 240 bytes that it reads",
                [](auto &a) { a.buffers[0].bytes = 236; });
  refusedLaunch("buffer 1 is i32", [](auto &a) { a.buffers[1].dtype = TXRT_DTYPE_I32; });
  refusedLaunch("that it reads; the kernel's code takes f32 of 240 bytes that it writes",
                [](auto &a) { a.buffers[1].writes = 0; });
  refusedLaunch("that it does not read", [](auto &a) { a.buffers[0].unread = 1; });
  refusedLaunch("takes 1 and 2, and is no kernel", [](auto &a) { a.functions[1].units = 0; });
}
