//===- Explain.h - Why a value is kept or recomputed --------------------------------------------------------*- C++
//-*-===//

#ifndef TXPLAN_EXPLAIN_H
#define TXPLAN_EXPLAIN_H

#include "PlanTable.h"

namespace tx {

/// The values that --explain names, what a row does with them, and what freeing them alone would cost.
struct Explanation {
  std::string name;
  std::string row;                               ///< the policy and the size of the row that it is about
  std::vector<int> layers, keptIn, recomputedIn; ///< layers; -1: outside of the layers
  size_t values = 0;
  int64_t bytes = 0;
  std::string reason;
  // Everything is kept but these values.
  int64_t freedBytes = 0; ///< of the saved activations
  int64_t peakChange = 0;
  double secondsChange = 0; ///< of one micro batch
  double secondsOfNone = 0;
};

/// Fails if nothing that backward uses has the name.
llvm::Expected<Explanation> explain(const PlanOptions &options, const PlanRow &row, const PlanProgress &progress);

/// The explanation in lines for people.
std::vector<std::string> describe(const Explanation &explanation);

} // namespace tx

#endif // TXPLAN_EXPLAIN_H
