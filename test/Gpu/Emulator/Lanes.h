//===- Lanes.h - Instructions from functions of numbers -------------------------------------------------*- C++ -*-===//
//
//   table["add.s32"] = {binary<int32_t, add<int32_t>>, 1, 2};
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_GPU_EMULATOR_LANES_H
#define TX_TEST_GPU_EMULATOR_LANES_H

#include "Warp.h"

namespace ptx {

template <typename R, typename A, R (*f)(A)> void unary(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint64_t *to = warp.slot(instruction.slots[0]);
  const uint64_t *a = warp.slot(instruction.slots[1]);
  forLanes(lanes, [&](unsigned lane) { to[lane] = pack<R>(f(unpack<A>(a[lane]))); });
}

template <typename R, typename A, typename B, R (*f)(A, B)>
void binary(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint64_t *to = warp.slot(instruction.slots[0]);
  const uint64_t *a = warp.slot(instruction.slots[1]), *b = warp.slot(instruction.slots[2]);
  forLanes(lanes, [&](unsigned lane) { to[lane] = pack<R>(f(unpack<A>(a[lane]), unpack<B>(b[lane]))); });
}

template <typename R, typename A, typename B, typename C, R (*f)(A, B, C)>
void ternary(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint64_t *to = warp.slot(instruction.slots[0]);
  const uint64_t *a = warp.slot(instruction.slots[1]), *b = warp.slot(instruction.slots[2]),
                 *c = warp.slot(instruction.slots[3]);
  forLanes(lanes,
           [&](unsigned lane) { to[lane] = pack<R>(f(unpack<A>(a[lane]), unpack<B>(b[lane]), unpack<C>(c[lane]))); });
}

} // namespace ptx

#endif // TX_TEST_GPU_EMULATOR_LANES_H
