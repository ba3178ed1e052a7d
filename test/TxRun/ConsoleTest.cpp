//===- ConsoleTest.cpp - Logs and numbers -------------------------------------------------------------------------===//

#include "Console.h"
#include "TestFiles.h"

#include <cmath>
#include <sys/stat.h>

using namespace txrun;

namespace {

using LogTest = FolderTest;

TEST_F(LogTest, LogLinesAreWholeAndLocked) {
  {
    Log log(file("log.jsonl"));
    log.write(JsonLine().integer("step", 1).number("loss", 0.1));
    expectError(TXRT_IO, "another run writes it", [&] { Log second(file("log.jsonl")); });
    // Written before the log is closed.
    EXPECT_EQ(read(file("log.jsonl")), "{\"step\": 1, \"loss\": 0.1}\n");
  }
  Log log(file("log.jsonl"));
  log.write(JsonLine().text("a", "x\"\n\xff"));
  EXPECT_EQ(read(file("log.jsonl")), "{\"step\": 1, \"loss\": 0.1}\n{\"a\": \"x\\\"\\n\\ufffd\"}\n");
}

// What a crash has cut off is nobody's line but its own.
TEST_F(LogTest, ATornLastLineIsLeftAlone) {
  for (const char *before : {"{\"step\": 1}\n{\"st", "{\"step\": 1}\n", ""}) {
    const std::string path = write("log.jsonl", before);
    {
      Log log(path);
      EXPECT_EQ(read(path), before); // a run that fails adds nothing
      log.write(JsonLine().integer("step", 2));
      log.write(JsonLine().integer("step", 3));
    }
    std::string whole = before;
    if (!whole.empty() && whole.back() != '\n')
      whole += '\n';
    EXPECT_EQ(read(path), whole + "{\"step\": 2}\n{\"step\": 3}\n");
  }
}

TEST(JsonLine, NumbersKeepTheirBits) {
  EXPECT_EQ(JsonLine().number("x", 1.0 / 3).str(), "{\"x\": 0.3333333333333333}");
  EXPECT_EQ(JsonLine().number("x", 0.1f).str(), "{\"x\": 0.1}");
  EXPECT_EQ(JsonLine().number("x", double(NAN)).str(), "{\"x\": null}");
  EXPECT_EQ(JsonLine().number("x", 1e300).str(), "{\"x\": 1e+300}");
}

TEST_F(LogTest, WhatCannotBeAppendedTo) {
  std::string path = write("out", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  expectError(TXRT_IO, "it is read-only", [&] { Log log(path); });
  expectError(TXRT_IO, "no regular file", [&] { Log log("/dev/null"); });
}

} // namespace
