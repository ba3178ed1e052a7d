//===- Advice.h - What to do with the table, in words -------------------------------------------------------*- C++
//-*-===//

#ifndef TXPLAN_ADVICE_H
#define TXPLAN_ADVICE_H

#include "PlanTable.h"

namespace tx {

/// Sentences for a person: one for each case of users' guides that the model and the machine are. They use the table's
/// own numbers.
std::vector<std::string> adviseOnTable(const PlanTable &table, const PlanOptions &options);

/// What recomputation is worth: the best row without it against the best row.
std::string describeNetEffect(const PlanTable &table);

/// "12.3 GiB", "-1.2 MiB".
std::string showBytes(int64_t bytes);

} // namespace tx

#endif // TXPLAN_ADVICE_H
