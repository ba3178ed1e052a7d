//===- Entries.cpp - Entries of a plain step, written by hand -----------------------------------------------------===//

#include "Entries.h"

using namespace tx;
using namespace tx::plan;

int EntryWriter::addValue(int producer, int rank) {
  int number = entry.values.size();
  Value value;
  value.name = producer < 0 ? "value" + std::to_string(number) : entry.ops[producer].name;
  value.rank = rank;
  value.rows = rank > 1 ? rows : 1;
  value.columns = columns;
  value.bytes = value.rows * value.columns * value.elementBytes;
  value.type = rank;
  value.producer = producer;
  value.storage = number;
  entry.values.push_back(value);
  return number;
}

int EntryWriter::addArgument() {
  entry.arguments.push_back(addValue(/*producer=*/-1, /*rank=*/3));
  return entry.arguments.back();
}

int EntryWriter::addVector() {
  entry.arguments.push_back(addValue(/*producer=*/-1, /*rank=*/1));
  return entry.arguments.back();
}

int EntryWriter::addLoad(int state) {
  int number = addValue(/*producer=*/-1, /*rank=*/3);
  entry.values[number].state = state;
  return number;
}

int EntryWriter::addOp(const std::string &name, Work work, std::vector<int> operands, int results) {
  int number = entry.ops.size();
  Op op;
  op.name = name;
  op.kind = "test." + name;
  op.segment = segment;
  op.layer = layer;
  op.work = work;
  for (int operand : operands)
    op.operands.push_back({operand});
  if (op.isKernel()) {
    op.space = {rows, columns};
    op.vectorFlops = 1;
  }
  entry.ops.push_back(op);
  if (op.isForward())
    entry.addLayer(layer);
  for (int i = 0; i < results; ++i)
    entry.ops[number].results.push_back(addValue(number, work == Work::Column ? 1 : 3));
  return results ? entry.ops[number].results.front() : -1;
}

int EntryWriter::addProduct(const std::string &name, int a, int b) {
  int c = addOp(name, Work::Product, {a, b});
  Product product;
  product.m = rows, product.n = columns, product.k = columns;
  product.a = a, product.b = b, product.c = c;
  lastOp().product = product;
  lastOp().matrixFlops = 2 * product.m * product.n * product.k;
  return c;
}

int EntryWriter::addDropout(const std::string &name, int x, int key) {
  int result = addRow(name, {x, key});
  lastOp().replay = ReplayKind::Keyed;
  lastOp().replayKey = key;
  return result;
}

int EntryWriter::addView(const std::string &name, int whole) {
  int part = addOp(name, Work::View, {whole});
  lastOp().view = View{whole, {{part, 0}}};
  entry.values[part].storage = entry.values[whole].storage;
  return part;
}

std::string tx::plan::print(const Entry &entry, const Schedule &schedule) {
  std::string text;
  for (const Launch &launch : schedule.launches) {
    text += text.empty() ? "" : "; ";
    for (int op : launch.ops)
      text += (op == launch.ops.front() ? "" : "+") + entry.ops[op].name;
  }
  return text;
}
