// The one meaning of f32 as bf16 (txrt/bf16.h), in kernels at each level of this machine and in the reference
// interpreter; and no CPU's own conversion, which takes denormals for 0, in code for any kind of CPU.

#include "Disassembly.h"
#include "KernelHarness.h"

#include "../../../lib/Conversion/Host/HostEmitter.h"

#include "tx/Reference/Interpreter.h"
#include "txrt/bf16.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace txtest;

static float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

/// Every upper half with every kind of lower half: below, at and above a tie.
static std::vector<float> allKinds() {
  std::vector<float> values;
  for (uint32_t upper = 0; upper < 0x10000; ++upper)
    for (uint32_t lower : {0u, 1u, 0x4321u, 0x7fffu, 0x8000u, 0x8001u, 0xcdefu, 0xffffu})
      values.push_back(fromBits(upper << 16 | lower));
  return values;
}

/// @narrow(f32, bf16, count): rounds and stores as kernels do, 16 at a time.
class Narrowing : public tx::host::HostEmitter {
public:
  using HostEmitter::HostEmitter;

  static void emit(mlir::OpBuilder &module, mlir::Location loc) {
    mlir::OpBuilder builder = module;
    auto memory = [](mlir::Type element) { return mlir::MemRefType::get({int64_t(1) << 32}, element); };
    mlir::Type types[] = {memory(builder.getF32Type()), memory(builder.getIntegerType(16)), builder.getIndexType()};
    auto function = mlir::func::FuncOp::create(module, loc, "narrow", builder.getFunctionType(types, {}));
    mlir::Block *entry = function.addEntryBlock();
    builder.setInsertionPointToStart(entry);
    builder.setInsertionPoint(mlir::func::ReturnOp::create(builder, loc));
    Narrowing(builder, loc, entry).emit(entry->getArguments());
  }

private:
  void emit(mlir::ValueRange arguments) {
    using namespace tx::emit;
    auto buffer = [](mlir::Value memory, mlir::Type element) {
      return Buffer{memory, mlir::RankedTensorType::get({kSlice}, element)};
    };
    Buffer from = buffer(arguments[0], f32()), to = buffer(arguments[1], builder.getBF16Type());
    loop(index(0), wrap(arguments[2]), kSlice, [&](Number at) {
      Number value = loadBlock(from, at, {1, kSlice})[0];
      storeBlock({roundTo(value, to.element())}, to, at, {1, kSlice});
    });
  }
};

static llvm::SmallVector<char, 0> narrowing(const std::string &cpu) {
  return compileFunctions(cpu, [](mlir::OpBuilder &module, mlir::Location loc) { Narrowing::emit(module, loc); });
}

TEST(Bf16Rule, isNearestEven) {
  auto rounded = [](uint32_t bits) { return txrt_bf16_from_f32(fromBits(bits)); };
  EXPECT_EQ(rounded(0x3f808000), 0x3f80); // ties, to even
  EXPECT_EQ(rounded(0x3f818000), 0x3f82);
  EXPECT_EQ(rounded(0x3f808001), 0x3f81);
  EXPECT_EQ(rounded(0x7f7f7fff), 0x7f7f); // the largest, and beyond
  EXPECT_EQ(rounded(0xff7f8000), 0xff80);
  EXPECT_EQ(rounded(0x00018000), 0x0002); // subnormal
  EXPECT_EQ(rounded(0x80008000), 0x8000); // half of the smallest: -0
  EXPECT_EQ(rounded(0x80008001), 0x8001);
  EXPECT_EQ(rounded(0x007fffff), 0x0080); // to the smallest normal one
  EXPECT_EQ(rounded(0x7f800001), 0x7fc0); // NaN: quiet, with sign and payload
  EXPECT_EQ(rounded(0xffa51234), 0xffe5);
  EXPECT_EQ(rounded(0xff800000), 0xff80);
}

TEST(Bf16Rule, isTheReferencesToo) {
  std::vector<float> values = allKinds();
  tx::Tensor tensor = tx::Tensor::zeros({static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), tensor.values.begin());
  mlir::MLIRContext context;
  tx::roundTo(mlir::RankedTensorType::get({static_cast<int64_t>(values.size())}, mlir::BFloat16Type::get(&context)),
              tensor);
  for (size_t i = 0; i < values.size(); ++i) {
    float expected = txrt_bf16_to_f32(txrt_bf16_from_f32(values[i])), found = static_cast<float>(tensor.values[i]);
    if (std::isnan(expected)) // as doubles, which have payloads of their own
      ASSERT_TRUE(std::isnan(found));
    else
      ASSERT_TRUE(found == expected && std::signbit(found) == std::signbit(expected)) << values[i];
  }
}

class Bf16Kernel : public AtLevel {};

TEST_P(Bf16Kernel, roundsByTheRule) {
  Code code(narrowing(GetParam()));
  auto narrow = reinterpret_cast<void (*)(const float *, uint16_t *, int64_t)>(code.function("narrow"));
  ASSERT_TRUE(narrow);
  std::vector<float> values = allKinds();
  std::vector<uint16_t> found(values.size());
  narrow(values.data(), found.data(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    uint32_t bits;
    std::memcpy(&bits, &values[i], 4);
    ASSERT_EQ(found[i], txrt_bf16_from_f32(values[i])) << std::hex << bits;
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, Bf16Kernel, testing::ValuesIn(tx::hostLevels()), nameOfLevel);

// vcvtneps2bf16, vcvtne2ps2bf16, vcvtbiasph2bf8 and the rest have the type in their names.
TEST(Bf16Rule, isNoInstructionOfACpu) {
  for (const std::string &cpu : kCpus)
    for (const Instruction &instruction : disassemble(narrowing(cpu), "narrow"))
      EXPECT_EQ(instruction.text.find("bf"), std::string::npos) << cpu << ": " << instruction.text;
}
