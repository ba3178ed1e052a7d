//===- Entries.h - Entries of a plain step, written by hand ---------------------------------------------*- C++ -*-===//
//
//   EntryWriter writer;
//   int x = writer.addArgument();
//   int y = writer.addRow("gelu", {x});
//   writer.addResult(writer.addRow("add", {y, x}));
//   EXPECT_EQ(print(writer.entry, makeSchedule(writer.entry)), "gelu+add");
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_PLAN_ENTRIES_H
#define TX_TEST_PLAN_ENTRIES_H

#include "tx/Plan/Schedule.h"

#include <string>
#include <utility>
#include <vector>

namespace tx::plan {

/// Adds ops and values to an entry, in program order. Tensors are f32 [2, rows / 2, columns].
class EntryWriter {
public:
  Entry entry;

  // Of the ops that follow.
  Segment segment = Segment::Forward;
  int layer = -1;
  int64_t rows = 8, columns = 6;

  int addArgument();
  /// A tensor of one dimension, as a bias or an accumulator for one.
  int addVector();
  /// State with this number, loaded.
  int addLoad(int state);

  /// An op, by the last component of its name. Each returns the op's first result; lastOp() has the others.
  int addOp(const std::string &name, Work work, std::vector<int> operands, int results = 1);
  int addRow(const std::string &name, std::vector<int> operands) { return addOp(name, Work::Row, operands); }
  int addColumn(const std::string &name, std::vector<int> operands) { return addOp(name, Work::Column, operands); }
  int addProduct(const std::string &name, int a, int b);
  /// A row op that draws random numbers by `key`.
  int addDropout(const std::string &name, int x, int key);
  /// A view of columns of `whole`.
  int addView(const std::string &name, int whole);

  void addStore(int value, int state) { entry.stores.push_back({value, state}); }
  void addResult(int value) { entry.results.push_back(value); }

  Op &lastOp() { return entry.ops.back(); }

private:
  int addValue(int producer, int rank);
};

/// The launches in order: `norm; qkv; gelu+add`.
std::string print(const Entry &entry, const Schedule &schedule);

} // namespace tx::plan

#endif // TX_TEST_PLAN_ENTRIES_H
