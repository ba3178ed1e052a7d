//===- Report.h - One number for plan and run -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_PIPELINE_REPORT_H
#define TX_LIB_PIPELINE_REPORT_H

#include "Times.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Remat/Remat.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/JSON.h"

namespace tx {

/// The bytes of the arena. The runtime allocates exactly these.
int64_t getPeakBytes(step::ProgramOp program);

/// The object of --report (docs/Recompute.md).
llvm::json::Object buildReport(mlir::ModuleOp module, step::ProgramOp program, const RematSummary &summary,
                               const StepTimes &times);

/// The manifest's `model`, `policy`, `seed`, `report` and `added_passes`. `hasOwnRecompute`: the input is IR that has
/// its recomputations already, so that no flag has decided them.
/// What an artifact says of the recompute policy: its flags, and a description.
llvm::json::Object describePolicy(const CompileOptions &options, bool hasOwnRecompute);
llvm::json::Object describeInput(const CompileOptions &options, bool hasOwnRecompute, llvm::json::Object report);

/// The recompute flags in Remat's terms.
RematPolicyOptions getPolicyOptions(const RecomputeOptions &recompute);

} // namespace tx

#endif // TX_LIB_PIPELINE_REPORT_H
