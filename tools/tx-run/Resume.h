//===- Resume.h - Does a run go on as its checkpoint began? ---------------------------------------------*- C++ -*-===//
//
// A checkpoint with optimizer state says how the run was trained that wrote it. A
// run that goes on from it under another schedule bends the curve where it was cut,
// so that is refused, as in Megatron-LM, unless a flag says which one holds:
// --override-opt_param-scheduler this run's, --use-checkpoint-opt_param-scheduler
// the checkpoint's.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_RESUME_H
#define TXRUN_RESUME_H

#include "Console.h"
#include "LrSchedule.h"
#include "Options.h"
#include "Weights.h"

namespace txrun {

/// What a checkpoint keeps of a run, by the names of its flags.
RunSettings settingsOf(const Options &options, const LrSchedule &schedule, uint64_t globalBatch);

/// The schedule that the options ask for, held against the settings of the checkpoint `from`; empty settings are those
/// of no checkpoint. Says on the console what changes.
LrSchedule resumeSchedule(const Options &options, const RunSettings &from, uint64_t globalBatch, Console &console);

} // namespace txrun

#endif // TXRUN_RESUME_H
