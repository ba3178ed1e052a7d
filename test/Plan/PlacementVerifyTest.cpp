//===- PlacementVerifyTest.cpp - the checker and the reader ---------------------------------------------*- C++ -*-===//
//
// A verifier is worth what it rejects: each case takes a placement that holds and breaks it in one way.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TrainingSteps.h"

#include "gtest/gtest.h"

#include <limits>

using namespace tx::plan;
using namespace tx::plan::test;

namespace {

class VerifyPlacement : public ::testing::Test {
protected:
  VerifyPlacement() : placement(place(buffers)) { EXPECT_EQ(verifyPlacement(buffers, placement), std::nullopt); }
  std::string fault() { return verifyPlacement(buffers, placement).value_or("no fault found"); }
  std::vector<Buffer> buffers = {{0, 4, 96, 1}, {1, 3, 32, 1}, {2, 6, 64, 32}};
  Placement placement;
};

TEST_F(VerifyPlacement, OverlapByOneByte) {
  placement.offsets = {0, 95, 128};
  EXPECT_EQ(fault(), "buffer 0 (96 bytes, alive [0, 4)) at offset 0 and buffer 1 "
                     "(32 bytes, alive [1, 3)) at offset 95 overlap: both are "
                     "alive at 1");
}

TEST_F(VerifyPlacement, OverlapFromAbove) {
  placement.offsets = {64, 160, 0};
  EXPECT_EQ(fault(), "no fault found");
  placement.offsets = {63, 160, 0};
  EXPECT_EQ(fault(), "buffer 0 (96 bytes, alive [0, 4)) at offset 63 and buffer 2 "
                     "(64 bytes, alive [2, 6)) at offset 0 overlap: both are "
                     "alive at 2");
}

TEST_F(VerifyPlacement, SameOffset) {
  placement.offsets = {0, 0, 128};
  EXPECT_NE(fault().find("overlap"), std::string::npos);
}

TEST_F(VerifyPlacement, Misaligned) {
  placement.offsets = {0, 96, 130};
  placement.height = 1000;
  EXPECT_EQ(fault(), "buffer 2 (64 bytes, alive [2, 6)) at offset 130 is not aligned to 32");
}

TEST_F(VerifyPlacement, Negative) {
  placement.offsets[1] = -32;
  EXPECT_EQ(fault(), "buffer 1 (32 bytes, alive [1, 3)) at offset -32 lies below the arena");
}

TEST_F(VerifyPlacement, AboveTheHeight) {
  placement.height -= 1;
  EXPECT_NE(fault().find("ends above the arena's height"), std::string::npos);
  placement.offsets[0] = std::numeric_limits<int64_t>::max();
  EXPECT_NE(fault().find("ends above the arena's height"), std::string::npos);
}

TEST_F(VerifyPlacement, MissingOffset) {
  placement.offsets.pop_back();
  EXPECT_EQ(fault(), "the placement has 2 offsets for 3 buffers");
}

TEST_F(VerifyPlacement, FalseLowerBound) {
  placement.lowerBound -= 1;
  EXPECT_EQ(fault(), "the placement claims 191 bytes as its lower bound, but the "
                     "peak of live bytes is 192");
}

// In placements that hold, moving any buffer that has something above or below it by one alignment must be noticed.
TEST(VerifyPlacementRandom, KillsEveryShiftIntoANeighbour) {
  StepShape shape;
  shape.layers = 2;
  shape.microbatches = 3;
  std::vector<Buffer> buffers = makeTrainingStep(shape);
  Placement placement = place(buffers);
  ASSERT_EQ(verifyPlacement(buffers, placement), std::nullopt);
  int killed = 0;
  for (size_t i = 0; i < buffers.size(); ++i) {
    bool supported = false;
    for (size_t j = 0; j < buffers.size(); ++j)
      supported |= buffers[i].lower < buffers[j].upper && buffers[j].lower < buffers[i].upper &&
                   placement.offsets[j] + buffers[j].alignedSize() == placement.offsets[i];
    if (!supported && placement.offsets[i] > 0)
      continue; // it floats, so one step down would be fine
    placement.offsets[i] -= buffers[i].alignment;
    EXPECT_NE(verifyPlacement(buffers, placement), std::nullopt) << i;
    placement.offsets[i] += buffers[i].alignment;
    ++killed;
  }
  EXPECT_GT(killed, 100);
}

TEST(VerifyBuffers, NamesWhatIsWrong) {
  EXPECT_EQ(verifyBuffers({{0, 1, -8, 8}}), "buffer 0 (-8 bytes, alive [0, 1)) has a negative size");
  EXPECT_EQ(verifyBuffers({{0, 1, 8, 0}}), "buffer 0 (8 bytes, alive [0, 1)) asks for alignment 0; it must be "
                                           "positive");
  EXPECT_EQ(verifyBuffers({{3, 3, 8, 8}}), "buffer 0 (8 bytes, alive [3, 3)) is never alive, yet its bytes are "
                                           "written somewhere; give it one moment");
  int64_t huge = std::numeric_limits<int64_t>::max();
  EXPECT_NE(verifyBuffers({{0, 1, huge, 1}}), std::nullopt);
  EXPECT_NE(verifyBuffers({{0, 1, huge, huge}}), std::nullopt);
  EXPECT_NE(verifyBuffers({{0, 1, huge / 10, 1}, {0, 1, huge / 10, 1}}), std::nullopt);
}

TEST(PlacementCsv, ReadsColumnsByName) {
  PlacementCsv csv = readPlacementCsv("size,id,upper,lower\r\n64, b1 ,5,2\n", "x.csv");
  ASSERT_EQ(csv.error, std::nullopt);
  ASSERT_EQ(csv.buffers.size(), 1u);
  EXPECT_EQ(csv.ids[0], "b1");
  EXPECT_EQ(csv.buffers[0].lower, 2);
  EXPECT_EQ(csv.buffers[0].upper, 5);
  EXPECT_EQ(csv.buffers[0].size, 64);
  EXPECT_EQ(csv.buffers[0].alignment, 1);
}

TEST(PlacementCsv, NamesTheLine) {
  EXPECT_EQ(readPlacementCsv("id,lower,upper,size\n1,2,3\n", "x.csv").error,
            "x.csv:2: found 3 fields; the header has 4");
  EXPECT_EQ(readPlacementCsv("id,lower,upper,size\n\n1,2,3,4\n1,2,3,4,5\n", "x.csv").error,
            "x.csv:4: found 5 fields; the header has 4");
  EXPECT_EQ(readPlacementCsv("id,lower,upper,size\n1,2,b,3\n", "x.csv").error,
            "x.csv:2: column 'upper' holds 'b', which is no 64-bit integer");
  EXPECT_EQ(readPlacementCsv("id,lower,size\n", "x.csv").error,
            "x.csv:1: no column 'upper' in the header; it should be "
            "id,lower,upper,size");
  EXPECT_EQ(readPlacementCsv("", "x.csv").error, "x.csv:0: the file is empty; its first line should be "
                                                 "id,lower,upper,size");
  EXPECT_EQ(readPlacementCsv("id,lower,upper,size,size\n", "x.csv").error, "x.csv:1: column 'size' is there twice");
  EXPECT_EQ(readPlacementCsv("id,lower,upper,size,offset\n", "x.csv").error,
            "x.csv:1: there is a column 'offset' already: the buffers have been placed; leave it out");
  EXPECT_EQ(readPlacementCsv("id,lower,upper,size\nb1,0,1,8\nb2,0,1,-8\n", "x.csv").error,
            "x.csv:3: buffer b2 (-8 bytes, alive [0, 1)) has a negative size");
}

// What was given comes back as it was, also columns that nobody knows and ends of lines of another system.
TEST(PlacementCsv, AddsOffsets) {
  std::string text = "id,lower,upper,size,why\r\n\r\na, 0,4,8,x\r\nb,1,2,4,\r\n";
  PlacementCsv csv = readPlacementCsv(text, "x.csv");
  ASSERT_EQ(csv.error, std::nullopt);
  EXPECT_EQ(addOffsetColumn(text, {64, 0}), "id,lower,upper,size,why,offset\r\na, 0,4,8,x,64\r\nb,1,2,4,,0\r\n");
  EXPECT_EQ(addOffsetColumn("id,lower,upper,size\n1,0,1,2", {7}), "id,lower,upper,size,offset\n1,0,1,2,7\n");
}

} // namespace
