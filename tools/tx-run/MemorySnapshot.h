//===- MemorySnapshot.h - A step's memory for PyTorch's viewer ------------------------------------------*- C++ -*-===//
//
// Writes what torch.cuda.memory._snapshot() returns, as a pickle: pytorch.org/memory_viz and torch.cuda._memory_viz
// show it. The arena is the one segment of device 0, at the address 0x100000000; state, arguments and values are its
// blocks. Time is the number of launches so far, in microseconds, since the snapshot shows the plan and measures
// nothing. Stacks name the launch that writes a block, its module, its layer and the entry.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_MEMORYSNAPSHOT_H
#define TXRUN_MEMORYSNAPSHOT_H

#include "train/Model.h"

#include <string>
#include <vector>

namespace txrun {

/// The entries of one step: `step` where there is one, else `microbatch` and `apply`, else all.
std::vector<int> entriesOfStep(const txrt::Manifest &manifest);

/// The snapshot of these entries of the artifact, which run one after another.
std::string memorySnapshot(const txrt_artifact *artifact, const std::vector<int> &entries);

/// Writes the snapshot to a file, atomically.
void writeMemorySnapshot(const txrt_artifact *artifact, const std::vector<int> &entries, const std::string &path);

} // namespace txrun

#endif // TXRUN_MEMORYSNAPSHOT_H
