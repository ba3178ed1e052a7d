//===- MinCut.h - Minimum cuts --------------------------------------------------------------------------*- C++ -*-===//
//
// Dinic's algorithm. Nodes 0 and 1 are source and sink. Capacities are integers, so a cut is exact.
//
//   MinCut graph(2 + count);
//   graph.add(MinCut::kSource, a, 5);
//   int64_t value = graph.solve();
//   graph.isOnSinkSide(a)
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PLAN_MINCUT_H
#define TX_LIB_PLAN_MINCUT_H

#include <cstdint>
#include <vector>

namespace tx::plan {

class MinCut {
public:
  static constexpr int kSource = 0, kSink = 1;
  /// More than all finite capacities of a graph together.
  static constexpr int64_t kInfinite = int64_t(1) << 60;

  explicit MinCut(int nodes) : first(nodes, -1) {}

  void add(int from, int to, int64_t capacity) {
    addHalf(from, to, capacity);
    addHalf(to, from, 0);
  }

  /// The value of a minimum cut; at least kInfinite if every cut has an edge of infinite capacity.
  int64_t solve();

  /// After solve(): of all minimum cuts it is the one with most nodes on the side of the sink.
  bool isOnSinkSide(int node) const { return levels[node] < 0; }

private:
  struct Half {
    int to, next;
    int64_t capacity;
  };
  void addHalf(int from, int to, int64_t capacity) {
    halves.push_back({to, first[from], capacity});
    first[from] = static_cast<int>(halves.size()) - 1;
  }
  bool findLevels();
  int64_t push();

  std::vector<int> first; // of each node, its last half edge
  std::vector<Half> halves;
  std::vector<int> levels, current;
};

} // namespace tx::plan

#endif // TX_LIB_PLAN_MINCUT_H
