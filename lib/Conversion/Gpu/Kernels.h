//===- Kernels.h - The code of GPU kernels --------------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_GPU_KERNELS_H
#define TX_LIB_CONVERSION_GPU_KERNELS_H

#include "../Common/ColumnUnit.h"
#include "../Common/RowProgram.h"
#include "KernelSchedule.h"
#include "ThreadEmitter.h"

namespace tx::simt {

/// Fills in the fields of `shape` that follow from the row program: reductions, kept values, sums over rows.
void describeRows(const emit::RowProgram &program, KernelShape &shape);

/// Writes one thread's code for its part of a row. `units`: the number of the kernel's units.
void emitRows(emit::RowProgram &program, const KernelSchedule &schedule, ThreadEmitter &emitter, emit::Number units);

/// Writes one thread's code for its columns; `body` writes all ops.
void emitColumns(emit::Kernel &kernel, const KernelSchedule &schedule, ThreadEmitter &emitter,
                 llvm::function_ref<void(emit::ColumnUnit &)> body);

/// Whether a kernel of columns is nothing but the gradient of a table (an embedding's weight).
bool isTableKernel(step::KernelOp kernel);
/// Writes one thread's code for its block's rows of such a table.
void emitTable(emit::Kernel &kernel, const KernelSchedule &schedule, ThreadEmitter &emitter);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_KERNELS_H
