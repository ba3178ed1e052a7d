//===- Output.h - The table for people and for programs -----------------------------------------------------*- C++
//-*-===//

#ifndef TXPLAN_OUTPUT_H
#define TXPLAN_OUTPUT_H

#include "Explain.h"

namespace tx {

/// What tx-plan has found out.
struct PlanAnswer {
  PlanTable table;
  const PlanRow *chosen = nullptr; ///< the row whose flags are shown; null: none fits and none was chosen
  std::optional<Explanation> explanation;
};

void printText(llvm::raw_ostream &os, const PlanAnswer &answer, const PlanOptions &options);
void printJson(llvm::raw_ostream &os, const PlanAnswer &answer, const PlanOptions &options);
void printCsv(llvm::raw_ostream &os, const PlanAnswer &answer, const PlanOptions &options);

} // namespace tx

#endif // TXPLAN_OUTPUT_H
