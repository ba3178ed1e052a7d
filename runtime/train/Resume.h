//===- Resume.h - Does a run go on as its checkpoint began? ---------------------------------------------*- C++ -*-===//
//
// A checkpoint with optimizer state says how the run was trained that wrote it. A run that goes on from it under
// another schedule bends the curve where it was cut, so that is refused, as in Megatron-LM, unless the caller says
// which one holds (tx-run's --override-opt_param-scheduler and --use-checkpoint-opt_param-scheduler).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_RESUME_H
#define TXRT_TRAIN_RESUME_H

#include "train/DataFiles.h"
#include "train/LrSchedule.h"
#include "train/Notes.h"
#include "train/RunPosition.h"

namespace txrt::train {

/// What a checkpoint keeps of a run, by the names of tx-run's flags.
RunSettings settingsOf(const DataOptions &data, const LrSchedule &schedule, uint64_t globalBatch);

/// Of a checkpoint's schedule and another one given, which one holds; Neither: they must be the same.
enum class Holds { Neither, Given, Stored };

/// The schedule that a run goes on with whose settings would be `mine`, after those of the checkpoint `from` in `file`;
/// empty settings are those of no checkpoint. Notes say what changes.
LrSchedule resumeSchedule(const LrSchedule &given, Holds holds, const RunSettings &mine, const RunSettings &from,
                          const std::string &file, const Notes &note);

} // namespace txrt::train

#endif // TXRT_TRAIN_RESUME_H
