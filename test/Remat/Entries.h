//===- Entries.h - Entries and a small machine to test with -------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_REMAT_ENTRIES_H
#define TX_TEST_REMAT_ENTRIES_H

#include "tx/Remat/Policies.h"

#include <random>

namespace tx {

/// Adds ops and values to an entry, by names.
class EntryWriter {
public:
  plan::Entry entry;

  int addInput(int64_t bytes = 0);
  /// The op's results; their names are the op's, then with `.1`, `.2`, ...
  std::vector<int> addOp(Segment segment, int layer, const std::string &path, std::vector<int> operands,
                         std::vector<int64_t> resultBytes, ReplayKind replay = ReplayKind::Exact);
  int addView(int layer, const std::string &path, int whole);

private:
  void addValue(const std::string &name, int64_t bytes, int producer);
};

/// GPT's forward and backward as autodiff builds them, with 1 byte for each element of a tensor as wide as the hidden
/// size, 4 for each of the MLP.
plan::Entry makeGpt(int layers);

/// Any directed graph: random modules, layers, keys, views, second results.
plan::Entry makeRandomEntry(std::mt19937_64 &random);

/// Flags that parse, mostly.
RematPolicyOptions makeRandomOptions(std::mt19937_64 &random, const plan::Entry &entry);

/// The policy that the flags ask for; fails the test on an error.
RematPolicy parseOk(const RematPolicyOptions &options, const plan::Entry &entry);

/// Runs the step on names instead of numbers, with and without the plan:
/// forward, then only what is saved stays, then backward with recomputations.
/// What differs, for people; nothing if backward sees the same values.
std::string compareWithoutPlan(const plan::Entry &entry, const RematPlan &plan);

} // namespace tx

#endif // TX_TEST_REMAT_ENTRIES_H
