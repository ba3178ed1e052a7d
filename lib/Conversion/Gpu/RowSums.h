//===- RowSums.h - Sums over rows, beside a kernel of rows ----------------------------------------------*- C++ -*-===//
//
// A kernel of rows may also compute sums over rows, column by column: the kernel of a norm's input gradient also sums
// the gradients of the norm's parameters. A unit of such a kernel is a part of the rows. Each thread goes over these
// rows one after another and adds up its columns, in a few vectors. The sums are carried from row to row in registers.
// If the row itself needs the registers, each thread has its sums in shared memory, 16 bytes beside the next thread's.
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
  /// Starts `count` sums, each a vector of zeros.
  RowSums(ThreadEmitter &emitter, const KernelSchedule &schedule, size_t count);

  /// Writes a loop over `rows` rows; `body` gets and sets the sums.
  void loop(int64_t rows, llvm::function_ref<void(emit::Number row)> body);
  emit::Number get(size_t number);
  void set(size_t number, emit::Number sum);

  /// The sums, after the loop.
  llvm::ArrayRef<emit::Number> results() const { return registers; }

private:
  emit::Number placeOf(size_t number);

  ThreadEmitter &e;
  const KernelSchedule &schedule;
  const size_t count;
  llvm::SmallVector<emit::Number> registers;
  std::optional<emit::Buffer> shared; ///< while the loop is being written, if schedule.areRowSumsShared
};

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_ROWSUMS_H
