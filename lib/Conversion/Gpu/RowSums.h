//===- RowSums.h - Sums over rows, beside a kernel of rows ----------------------------------------------*- C++ -*-===//
//
// A kernel of rows may sum over rows besides, column by column: a norm's kernel the gradients of its parameters. Its
// unit then is a part of the rows: a thread goes over them one after another and has the sums of its columns, some
// vectors. They are carried from row to row in registers; or, where the row takes those, each thread has its own in
// shared memory, 16 bytes beside the next thread's.
//
//   RowSums sums(e, schedule, 8);
//   sums.loop(rows, [&](Number row) { sums.set(3, sums.get(3) + ...); });
//   e.storeBlock(sums.results()...);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_ROWSUMS_H
#define TX_LIB_CONVERSION_GPU_ROWSUMS_H

#include "KernelSchedule.h"
#include "ThreadEmitter.h"

namespace tx::simt {

class RowSums {
public:
  /// `count` vectors, all 0.
  RowSums(ThreadEmitter &emitter, const KernelSchedule &schedule, size_t count);

  /// A loop over the rows; its body gets and sets the sums.
  void loop(int64_t rows, llvm::function_ref<void(emit::Number row)> body);
  emit::Number get(size_t number);
  void set(size_t number, emit::Number sum);

  /// After the loop.
  llvm::ArrayRef<emit::Number> results() const { return registers; }

private:
  emit::Number placeOf(size_t number);

  ThreadEmitter &e;
  const KernelSchedule &schedule;
  const size_t count;
  llvm::SmallVector<emit::Number> registers;
  std::optional<emit::Buffer> shared; ///< while the loop is written, if the schedule says so
};

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_ROWSUMS_H
