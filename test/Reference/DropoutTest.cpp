//===- DropoutTest.cpp - The reference's random words -------------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Reference/Interpreter.h"

#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"

#include "../../lib/Reference/Philox.h"

using namespace mlir;
using namespace tx;

namespace {

// The known answers that Salmon et al. publish with their code.
TEST(Philox, KnownAnswers) {
  uint32_t ones = 0xffffffffu;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}), (PhiloxCounter{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  EXPECT_EQ(philox4x32({ones, ones, ones, ones}, {ones, ones}),
            (PhiloxCounter{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  EXPECT_EQ(philox4x32({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}, {0xa4093822u, 0x299f31d0u}),
            (PhiloxCounter{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
}

class Dropout : public testing::Test {
protected:
  Dropout() { context.loadDialect<TxDialect, func::FuncDialect>(); }

  /// Drops from ones of [batch, 3, 100] at a site.
  std::vector<double> drop(int64_t batch, std::vector<double> key, const std::string &site = "layer 1, \"residual\"") {
    std::string type = "tensor<" + std::to_string(batch) + "x3x100xf32>";
    auto module = parseSourceString<ModuleOp>("func.func @f(%x: " + type + ", %key: tensor<4xi32>) -> " + type +
                                                  " {\n %y = tx.dropout %x, %key p 0.25 in <" + site + "> : " + type +
                                                  ", tensor<4xi32>\n return %y : " + type + "\n}",
                                              &context);
    Tensor x = Tensor::zeros({batch, 3, 100});
    x.values.assign(x.values.size(), 1.0);
    State state;
    auto results = interpret(module->lookupSymbol<func::FuncOp>("f"), {x, Tensor{{4}, std::move(key)}}, state);
    return (*results)[0].values;
  }
  MLIRContext context;
};

TEST_F(Dropout, DropsAboutItsPartAndScalesTheRest) {
  auto y = drop(4, {1, 2, 0, 0});
  size_t dropped = 0;
  for (double value : y) {
    EXPECT_TRUE(value == 0 || value == 1 / 0.75);
    dropped += value == 0;
  }
  // 1200 draws: four standard deviations are 60.
  EXPECT_NEAR(static_cast<double>(dropped), 300, 60);
}

// A sample's mask does not depend on the microbatch that it is in.
TEST_F(Dropout, MaskBelongsToTheSample) {
  auto together = drop(2, {1, 2, 6, 0}), second = drop(1, {1, 2, 7, 0});
  EXPECT_EQ(std::vector<double>(together.begin() + 300, together.end()), second);
}

// A negative word of the key is the same bits as the unsigned one.
TEST_F(Dropout, KeyWordsAreBits) { EXPECT_EQ(drop(1, {-1, 2, 0, 0}), drop(1, {4294967295.0, 2, 0, 0})); }

TEST_F(Dropout, KeySampleAndSiteEachMatter) {
  auto y = drop(1, {1, 2, 0, 0});
  EXPECT_EQ(y, drop(1, {1, 2, 0, 0}));
  EXPECT_NE(y, drop(1, {3, 2, 0, 0}));
  EXPECT_NE(y, drop(1, {1, 3, 0, 0}));
  EXPECT_NE(y, drop(1, {1, 2, 1, 0}));
  EXPECT_NE(y, drop(1, {1, 2, 0, 0}, "layer 2, \"residual\""));
  EXPECT_NE(y, drop(1, {1, 2, 0, 0}, "layer 1, \"mlp_residual\""));
}

TEST_F(Dropout, SegmentDoesNotMatter) {
  auto y = drop(1, {1, 2, 0, 0});
  EXPECT_EQ(y, drop(1, {1, 2, 0, 0}, "recompute, layer 1, \"residual\""));
  EXPECT_EQ(y, drop(1, {1, 2, 0, 0}, "backward, layer 1, \"residual\""));
}

} // namespace
