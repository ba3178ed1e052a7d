//===- MinCutTest.cpp - Minimum cuts against all cuts -------------------------------------------------------------===//

#include "../../lib/Plan/MinCut.h"
#include "TrainingSteps.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <limits>

using namespace tx::plan;

namespace {

struct Edge {
  int from, to;
  int64_t capacity;
};

struct Graph {
  int nodes;
  std::vector<Edge> edges;

  MinCut make() const {
    MinCut graph(nodes);
    for (const Edge &edge : edges)
      graph.add(edge.from, edge.to, edge.capacity);
    return graph;
  }

  /// What the cut costs whose sink's side has the nodes of the mask.
  int64_t weigh(unsigned sinkSide) const {
    int64_t value = 0;
    for (const Edge &edge : edges)
      if (!(sinkSide >> edge.from & 1) && (sinkSide >> edge.to & 1))
        value = std::min(value + edge.capacity, MinCut::kInfinite);
    return value;
  }

  bool isCut(unsigned sinkSide) const { return !(sinkSide >> MinCut::kSource & 1) && (sinkSide >> MinCut::kSink & 1); }
};

Graph drawGraph(test::Random &random) {
  Graph graph{2 + static_cast<int>(random.below(9)), {}};
  for (int i = 0, e = random.below(4 * graph.nodes); i < e; ++i) {
    int from = random.below(graph.nodes), to = random.below(graph.nodes);
    if (from != to)
      graph.edges.push_back({from, to, random.percent(15) ? MinCut::kInfinite : random.below(20)});
  }
  return graph;
}

} // namespace

TEST(MinCut, IsTheLeastOfAllCutsAndHasMostNodesBesideTheSink) {
  constexpr int kGraphs = 3000;
  int finite = 0;
  for (int seed = 0; seed < kGraphs; ++seed) {
    SCOPED_TRACE(seed);
    test::Random random(seed);
    Graph graph = drawGraph(random);
    int64_t least = std::numeric_limits<int64_t>::max();
    unsigned largest = 0; // minimum cuts are closed under union
    for (unsigned mask = 0; mask < 1u << graph.nodes; ++mask) {
      if (!graph.isCut(mask))
        continue;
      int64_t value = graph.weigh(mask);
      largest = value < least ? mask : value == least ? largest | mask : largest;
      least = std::min(least, value);
    }
    MinCut cut = graph.make();
    int64_t found = cut.solve();
    ASSERT_EQ(std::min(found, MinCut::kInfinite), least);
    if (least >= MinCut::kInfinite)
      continue;
    ++finite;
    for (int node = 0; node < graph.nodes; ++node)
      ASSERT_EQ(cut.isOnSinkSide(node), bool(largest >> node & 1)) << node;
  }
  EXPECT_GT(finite, kGraphs / 2);
}

TEST(MinCut, OfALongChain) {
  constexpr int kLength = 200000;
  MinCut cut(2 + kLength);
  for (int i = 0; i <= kLength; ++i)
    cut.add(i == 0 ? MinCut::kSource : 1 + i, i == kLength ? MinCut::kSink : 2 + i, 10 + i % 7);
  EXPECT_EQ(cut.solve(), 10);
  EXPECT_TRUE(cut.isOnSinkSide(2));
}

TEST(MinCut, OfNothing) {
  MinCut cut(3);
  EXPECT_EQ(cut.solve(), 0);
  EXPECT_FALSE(cut.isOnSinkSide(MinCut::kSource));
  EXPECT_TRUE(cut.isOnSinkSide(2));
}
