//===- Loops.h - The loops of a kernel on the host ------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_HOST_LOOPS_H
#define TX_LIB_CONVERSION_HOST_LOOPS_H

#include "../Common/ColumnUnit.h"
#include "../Common/RowProgram.h"

namespace tx::host {

/// The units [begin, end) of a kernel: those that one call of its function computes.
struct Task {
  emit::Kernel &kernel;
  emit::Number begin, end;
};

/// Writes the loops over a task's rows and over their columns.
void emitRows(const Task &task, emit::RowProgram &program);
/// Writes the loop over a task's blocks of columns; `body` writes all ops of the kernel for one block.
void emitColumns(const Task &task, llvm::function_ref<void(emit::ColumnUnit &)> body);

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_LOOPS_H
