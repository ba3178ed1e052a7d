//===- PhiloxTest.cpp - The reference's random words --------------------------------------------------------------===//
//
// What dropout makes of them is in test/Numerics/Ops/dropout.mlir.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "gtest/gtest.h"

#include "../../lib/Reference/Philox.h"

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

} // namespace
