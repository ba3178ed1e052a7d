//===- RowSums.cpp - Sums over rows, beside a kernel of rows ------------------------------------------------------===//

#include "RowSums.h"

using namespace mlir;
using namespace tx::emit;
using namespace tx::simt;

static BlockShape oneVector() {
  BlockShape shape;
  shape.vectors = 1;
  return shape;
}

RowSums::RowSums(ThreadEmitter &emitter, const KernelSchedule &schedule, size_t count)
    : e(emitter), schedule(schedule), count(count),
      registers(count, e.constant(0.0, VectorType::get({schedule.lanes}, e.f32()))) {
  if (!schedule.areRowSumsShared)
    return;
  SmallVector<Number> zeros = std::move(registers);
  registers.clear();
  shared = e.shared(count * schedule.threads * schedule.lanes);
  for (size_t i = 0; i < count; ++i)
    set(i, zeros[i]);
}

void RowSums::loop(int64_t rows, llvm::function_ref<void(Number row)> body) {
  if (!shared) {
    const SmallVector<Number> zeros(registers);
    registers = e.loop(e.index(0), e.index(rows), 1, zeros, [&](Number row, Numbers carried) {
      registers.assign(carried.begin(), carried.end());
      body(row);
      return registers;
    });
    return;
  }
  e.loop(e.index(0), e.index(rows), 1, body);
  e.storing = {}; // every thread reads its own sums, also a thread that stores nothing
  for (size_t i = 0; i < count; ++i)
    registers.push_back(get(i));
  shared.reset();
}

Number RowSums::placeOf(size_t number) {
  return (e.thread() + e.index(number * schedule.threads)) * static_cast<double>(schedule.lanes);
}

Number RowSums::get(size_t number) {
  return shared ? e.loadBlock(*shared, placeOf(number), oneVector())[0] : registers[number];
}

void RowSums::set(size_t number, Number sum) {
  if (shared)
    e.storeBlock({sum}, *shared, placeOf(number), oneVector());
  else
    registers[number] = sum;
}
