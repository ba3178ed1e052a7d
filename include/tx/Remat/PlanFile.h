//===- PlanFile.h - A recompute plan that a person can read and change ----------------------------------*- C++ -*-===//
//
// A plan as JSON:
//
//   {
//     "version": 1,
//     "model": "5f0c...",
//     "policy": { "asked": { ... }, "values": "93b1..." },
//     "values": {
//       "embedding.add": "keep",
//       "layers.0.mlp.fc1": "recompute",
//       ...
//     }
//   }
//
// `model` is the digest of the forward that the plan was made for. `policy`, which a person may leave out, is what an
// artifact says of the policy that made the plan, with a digest of the values as they were then: an artifact made by an
// unchanged plan is that of its policy, bit for bit. Every value that a plan may decide about has its
// line: results of forward ops that may be computed again. What is kept though backward does not need it costs nothing.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_PLANFILE_H
#define TX_REMAT_PLANFILE_H

#include "tx/Plan/Replay.h"

#include "llvm/Support/Error.h"

#include <map>

namespace tx {

struct PlanFile {
  std::string file; ///< for messages
  std::string model;
  std::string policy; ///< as JSON, if the values are still those that it has chosen; else empty
  std::map<std::string, plan::Choice> values;
};

/// SHA-256 of the entry's forward: its ops, types, places and who reads what. In hexadecimal digits.
std::string digestForward(const plan::Entry &entry);

/// The values that a plan decides about.
std::vector<int> getPlannedValues(const plan::Entry &entry);

/// `policy`: what an artifact says of the policy, a JSON object.
std::string writePlanFile(const plan::Entry &entry, const plan::Choices &choices, llvm::StringRef policy);

/// Reads JSON text. Errors name `file` and what is wrong in it: no JSON, another version, a name twice.
llvm::Expected<PlanFile> parsePlanFile(llvm::StringRef text, llvm::StringRef file);

/// The choices of a plan; or what does not fit the entry: another model, names that are missing or unknown.
llvm::Expected<plan::Choices> applyPlanFile(const PlanFile &file, const plan::Entry &entry);

/// The choices that an entry has made: it has recomputations already. By the values of its forward.
plan::Choices readChoices(const plan::Entry &entry);

} // namespace tx

#endif // TX_REMAT_PLANFILE_H
