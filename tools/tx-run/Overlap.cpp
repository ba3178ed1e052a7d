//===- Overlap.cpp - How much communication computation hides -----------------------------------------------------===//

#include "Overlap.h"

#include <algorithm>

namespace txrun {

CommunicationTime communicationTime(const std::vector<txrt_launch_info> &launches) {
  // A time at which a launch begins or ends, and by how much the numbers of running collectives and other launches
  // change at it.
  struct Edge {
    double at;
    int collectives, others;
  };
  std::vector<Edge> edges;
  for (const txrt_launch_info &info : launches) {
    const bool isCollective = info.kind == TXRT_LAUNCH_COLLECTIVE;
    edges.push_back({info.last_start, isCollective, !isCollective});
    edges.push_back({info.last_start + info.last_seconds, -isCollective, -!isCollective});
  }
  std::sort(edges.begin(), edges.end(), [](const Edge &a, const Edge &b) { return a.at < b.at; });
  CommunicationTime time;
  int collectives = 0, others = 0;
  double before = 0;
  for (const Edge &edge : edges) {
    const double span = edge.at - before;
    if (collectives > 0)
      time.total += span;
    if (collectives > 0 && others == 0)
      time.exposed += span;
    collectives += edge.collectives;
    others += edge.others;
    before = edge.at;
  }
  return time;
}

} // namespace txrun
