//===- ColumnEmitter.cpp - The loop over blocks of columns --------------------------------------------------------===//

#include "Loops.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

void tx::host::emitColumns(const Task &task, function_ref<void(ColumnUnit &)> body) {
  Kernel &kernel = task.kernel;
  Emitter &e = kernel.emitter;
  int64_t whole = kernel.columns / kBlock, rest = kernel.columns % kBlock;
  if (whole) {
    Number end = rest ? e.smallerIndex(task.end, e.index(whole)) : task.end;
    e.loop(task.begin, end, 1, [&](Number block) {
      ColumnUnit unit(kernel, block * static_cast<double>(kBlock), BlockShape());
      body(unit);
    });
  }
  if (rest) {
    Number isLast = (task.begin < task.end) & (e.index(whole) < task.end);
    e.onlyIf(isLast, [&] {
      ColumnUnit unit(kernel, e.index(whole * kBlock), BlockShape::of(rest));
      body(unit);
    });
  }
}
