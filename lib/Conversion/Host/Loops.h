//===- Loops.h - The loops of a kernel on the host ------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_HOST_LOOPS_H
#define TX_LIB_CONVERSION_HOST_LOOPS_H

#include "../Common/ColumnUnit.h"
#include "../Common/RowProgram.h"

namespace tx::host {

/// Some units of a kernel.
struct Task {
  emit::Kernel &kernel;
  emit::Number begin, end;
};

/// Writes the loops of a row program.
void emitRows(const Task &task, emit::RowProgram &program);
/// Writes the loop over blocks of columns; `body` writes all ops for one.
void emitColumns(const Task &task, llvm::function_ref<void(emit::ColumnUnit &)> body);

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_LOOPS_H
