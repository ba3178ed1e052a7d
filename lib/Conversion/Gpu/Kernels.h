//===- Kernels.h - The code of GPU kernels --------------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_GPU_KERNELS_H
#define TX_LIB_CONVERSION_GPU_KERNELS_H

#include "../Common/ColumnUnit.h"
#include "../Common/RowProgram.h"
#include "BlockEmitter.h"
#include "KernelSchedule.h"
#include "ThreadEmitter.h"

namespace tx::simt {

/// What the schedule of a row program depends on, besides its buffers.
void describeRows(const emit::RowProgram &program, KernelShape &shape);

/// Writes what a thread does for its row. `units`: how many there are.
void emitRows(emit::RowProgram &program, const KernelSchedule &schedule, ThreadEmitter &emitter, emit::Number units);

/// Writes what a thread does for its columns; `body` writes all ops.
void emitColumns(emit::Kernel &kernel, const KernelSchedule &schedule, ThreadEmitter &emitter,
                 llvm::function_ref<void(emit::ColumnUnit &)> body);

/// Whether a kernel of columns is the gradient of a table's rows, and no more.
bool isTableKernel(step::KernelOp kernel);
/// Writes what a thread does for some rows of such a table.
void emitTable(emit::Kernel &kernel, const KernelSchedule &schedule, ThreadEmitter &emitter);

/// Writes what a block does for a tile. `alignments`: what the buffers' addresses are multiples of, as far as known.
void emitTiles(emit::Kernel &kernel, llvm::ArrayRef<int64_t> alignments, BlockEmitter &emitter,
               AttentionSchedule &schedule);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_KERNELS_H
