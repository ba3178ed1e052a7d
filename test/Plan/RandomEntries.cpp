//===- RandomEntries.cpp - Small training steps at random, with few choices ---------------------------------------===//

#include "RandomEntries.h"

#include "Entries.h"

#include <algorithm>
#include <functional>

using namespace tx;
using namespace tx::plan;

namespace {

class Writer {
public:
  Writer(test::Random &random, size_t most, Results results) : random(random), most(most), results(results) {}

  RandomStep run() {
    writer.rows = 8 << random.below(4);
    writer.columns = drawWidth();
    key = writer.addVector();
    int x = writer.addArgument();
    for (int layers = 1 + random.below(3); writer.layer + 1 < layers;) {
      ++writer.layer;
      for (int i = 0, e = 1 + random.below(5); i < e; ++i)
        x = addForward(x);
    }
    writer.layer = -1;
    int dy = addProductOf("head", x, drawWidth());
    writer.segment = Segment::Backward;
    while (!gradients.empty()) {
      auto [layer, add] = std::move(gradients.back());
      gradients.pop_back();
      writer.layer = layer;
      dy = add(dy);
    }
    writer.addResult(dy);
    RandomStep drawn;
    for (int value = 0, e = writer.entry.values.size(); value < e; ++value)
      if (writer.entry.isForwardResult(value) && !writer.entry.isView(value) &&
          writer.entry.ops[writer.entry.values[value].producer].replay != ReplayKind::Never)
        drawn.free.push_back(value);
    nameTypes(drawn.step);
    drawn.step.entries.push_back(std::move(writer.entry));
    return drawn;
  }

private:
  int64_t drawWidth() { return 16 << random.below(4); }
  int64_t getWidth(int value) const { return writer.entry.values[value].columns; }

  /// The op that was added may run again, as long as there are few that may.
  void allowReplay(ReplayKind kind = ReplayKind::Exact) {
    size_t results = writer.lastOp().results.size();
    bool isView = writer.lastOp().view.has_value();
    if (!isView && freeCount + results > most)
      return;
    freeCount += isView ? 0 : results;
    writer.lastOp().replay = kind;
  }

  int addRow(const std::string &name, std::vector<int> operands, bool reduces, int results = 1) {
    writer.columns = getWidth(operands[0]);
    int result = writer.addOp(name, Work::Row, std::move(operands), results);
    writer.lastOp().reductionPasses = reduces;
    return result;
  }

  /// x times a weight that is there.
  int addProductOf(const std::string &name, int x, int64_t width, bool readsInput = true) {
    writer.columns = width;
    int weight = writer.addArgument();
    int y = writer.addProduct(name, x, weight);
    Product &product = *writer.lastOp().product;
    product.k = getWidth(x);
    writer.lastOp().matrixFlops = 2 * product.m * product.n * product.k;
    allowReplay();
    gradients.push_back({writer.layer, [=](int dy) {
                           if (readsInput) {
                             writer.columns = width;
                             writer.addResult(writer.addProduct("dw_" + name, x, dy));
                           }
                           writer.columns = getWidth(x);
                           return writer.addProduct("dx_" + name, dy, weight);
                         }});
    return y;
  }

  int addForward(int x) {
    std::string name = "op" + std::to_string(writer.entry.ops.size());
    switch (random.below(6)) {
    case 0:
    case 1:
      return addProductOf("product_" + name, x, drawWidth());
    case 2: {
      int y = addRow("gelu_" + name, {x}, false);
      allowReplay();
      gradients.push_back({writer.layer, [=](int dy) { return addRow("d_gelu_" + name, {dy, x}, false); }});
      return y;
    }
    case 3: {
      bool hasStatistics = results == Results::Several;
      int y = addRow("norm_" + name, {x}, true, hasStatistics ? 2 : 1);
      if (hasStatistics) { // a number for each row
        Value &statistics = writer.entry.values[y + 1];
        statistics.columns = 1;
        statistics.bytes = statistics.rows * statistics.elementBytes;
      }
      allowReplay();
      gradients.push_back(
          {writer.layer, [=](int dy) { return addRow("d_norm_" + name, {dy, x, hasStatistics ? y + 1 : y}, true); }});
      return y;
    }
    case 4: {
      writer.columns = getWidth(x);
      int y = writer.addDropout("dropout_" + name, x, key);
      writer.lastOp().replay = ReplayKind::Never;
      allowReplay(ReplayKind::Keyed);
      gradients.push_back({writer.layer, [=](int dy) { return addRow("d_dropout_" + name, {dy, key}, false); }});
      return y;
    }
    default: { // a product, of which a view is activated and added to x
      int wide = addProductOf("wide_" + name, x, getWidth(x));
      writer.columns = getWidth(x);
      int view = writer.addView("view_" + name, wide);
      allowReplay();
      // A view goes with its whole.
      writer.lastOp().replay = writer.entry.ops[writer.entry.values[wide].producer].replay;
      int y = addRow("add_" + name, {view, x}, false);
      allowReplay();
      auto gradientOfProduct = std::move(gradients.back().second);
      gradients.pop_back();
      gradients.push_back({writer.layer, [=](int dy) {
                             int dview = addRow("d_mul_" + name, {dy, view}, false);
                             return addRow("d_add_" + name, {gradientOfProduct(dview), dy}, false);
                           }});
      return y;
    }
    }
  }

  /// Tensors of one shape have one type.
  void nameTypes(Step &step) {
    for (Value &value : writer.entry.values) {
      TensorType type{value.rank == 1 ? std::vector<int64_t>{value.columns}
                                      : std::vector<int64_t>{2, value.rows / 2, value.columns},
                      ElementType::F32};
      auto found = std::find(step.types.begin(), step.types.end(), type);
      value.type = found - step.types.begin();
      if (found == step.types.end())
        step.types.push_back(type);
    }
  }

  test::Random &random;
  size_t most, freeCount = 0;
  Results results;
  EntryWriter writer;
  int key = -1;
  std::vector<std::pair<int, std::function<int(int)>>> gradients; // layer; from an op's gradient to its operand's
};

} // namespace

RandomStep plan::drawStep(test::Random &random, size_t most, Results results) {
  return Writer(random, most, results).run();
}

void plan::choose(const Entry &entry, Choices &choices, int value, Choice choice) {
  for (int other = value, e = entry.values.size(); other < e; ++other)
    if (entry.values[other].storage == value && entry.isForwardResult(other))
      choices[other] = choice;
}
