// What a rank that has waited too long says of the others.

#include "comm/Positions.h"

#include <gtest/gtest.h>

using namespace txrt;

TEST(Positions, AllInOne) {
  Positions positions(1, 3);
  positions.hear(0, {true, "a:all_reduce #4"});
  positions.hear(2, {false, "a:all_reduce #4"});
  EXPECT_EQ(positions.report("a:all_reduce #4"), "all ranks are in it");
}

TEST(Positions, Elsewhere) {
  Positions positions(0, 5);
  positions.hear(1, {false, "a:all_reduce #14"});
  positions.hear(2, {false, "b:all_reduce #12"});
  positions.hear(4, {false, "a:all_reduce #14"});
  EXPECT_TRUE(positions.isKnown(4));
  EXPECT_FALSE(positions.isKnown(3));
  EXPECT_EQ(positions.report("a:all_reduce #14"), "ranks 0, 1 and 4 are in a:all_reduce #14; rank 2 is in "
                                                  "b:all_reduce #12; rank 3 does not say where it is");
  positions.clear();
  EXPECT_EQ(positions.report("agreement"), "rank 0 is in agreement; ranks 1, 2, 3 and 4 do not say where they "
                                           "are");
}

// What does not fit a message is cut alike on all ranks, and keeps its number.
TEST(Positions, LongNames) {
  const std::string name = std::string(200, 'x') + ":all_reduce";
  OperationName operation;
  const std::string text = operation.set(name.c_str(), 123456789);
  EXPECT_EQ(text.substr(text.size() - 22), ":all_reduce #123456789");
  Positions positions(0, 2);
  positions.hear(1, {false, text.c_str()});
  EXPECT_EQ(positions.report(text.c_str()), "all ranks are in it");
  EXPECT_EQ(std::string(operation.set("loss:all_reduce", 1)), "loss:all_reduce #1");
}

// A message comes over the wire as it is.
TEST(Positions, NoEndOfName) {
  PositionMessage message;
  for (char &c : message.name)
    c = 'x';
  Positions positions(0, 2);
  positions.hear(1, message);
  EXPECT_NE(positions.report("a").find("rank 1 is in xxx"), std::string::npos);
}
