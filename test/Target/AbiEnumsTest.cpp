// The names of txrt/abi.h are those of the dialects' enumerations; their numbers are compared where AbiEnums.h
// compiles.

#include "AbiEnums.h"

#include <gtest/gtest.h>

using namespace tx;

template <typename Enum, typename Name> static void compare(unsigned first, unsigned most, Name name) {
  for (unsigned value = first; value <= most; ++value) {
    ASSERT_NE(name(value), nullptr) << value;
    EXPECT_EQ(stringifyEnum(static_cast<Enum>(value)), name(value)) << value;
  }
  EXPECT_EQ(name(most + 1), nullptr) << "a name of no number";
}

TEST(AbiEnums, Names) {
  compare<step::ArenaSegment>(0, step::getMaxEnumValForArenaSegment(), txrt_segment_name);
  compare<step::GemmRole>(0, step::getMaxEnumValForGemmRole(), txrt_gemm_operand_name);
  compare<Lane>(0, getMaxEnumValForLane(), txrt_lane_name);
  compare<Segment>(0, getMaxEnumValForSegment(), txrt_phase_name);
  compare<GlobalRole>(0, getMaxEnumValForGlobalRole(), txrt_role_name);
  compare<InitKind>(0, getMaxEnumValForInitKind(), txrt_init_name);
  compare<AxisKind>(0, getMaxEnumValForAxisKind(), txrt_axis_kind_name);
  compare<CollectiveKind>(0, getMaxEnumValForCollectiveKind(), txrt_collective_name);
}
