//===- Resume.h - Does a run continue with its checkpoint's schedule? -----------------------------------*- C++ -*-===//
//
// A checkpoint with optimizer state stores the settings of the run that wrote it. If a run continued from it with
// another learning-rate schedule, the loss curve would bend there. So resumeSchedule refuses that, as Megatron-LM does,
// unless the caller says which of the two schedules holds (tx-run's --override-opt_param-scheduler and
// --use-checkpoint-opt_param-scheduler).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_RESUME_H
#define TXRT_TRAIN_RESUME_H

#include "train/DataFiles.h"
#include "train/LrSchedule.h"
#include "train/Notes.h"
#include "train/RunPosition.h"

namespace txrt::train {

/// The settings of a run that its checkpoint stores, by the names of tx-run's flags.
RunSettings settingsOf(const DataOptions &data, const LrSchedule &schedule, uint64_t globalBatch);

/// Which schedule holds if the caller gives another one than the checkpoint stores. Neither: the two must be the same.
enum class Holds { Neither, Given, Stored };

/// Returns the schedule with which a run continues. `given` is the caller's schedule and `mine` the settings that the
/// run would have with it; `from` are the settings that the checkpoint `file` stores (empty: there is no checkpoint).
/// `note` gets what differs.
LrSchedule resumeSchedule(const LrSchedule &given, Holds holds, const RunSettings &mine, const RunSettings &from,
                          const std::string &file, const Notes &note);

} // namespace txrt::train

#endif // TXRT_TRAIN_RESUME_H
