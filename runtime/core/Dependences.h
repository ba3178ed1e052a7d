//===- Dependences.h - What a launch has to wait for ----------------------------------------------------*- C++ -*-===//
//
// The results of a program are those of its launches run in order. Launches of different lanes may nevertheless run
// side by side, as long as no launch touches bytes on which an earlier one still works. The compiler says in the table
// what each launch waits for; checkWaits holds it to that, so that backends need not look at buffers themselves.
//
// What is done when a launch begins: the launches of its own lane before it, what it waits for, and all that was done
// when those began.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_DEPENDENCES_H
#define TXRT_CORE_DEPENDENCES_H

#include "txrt/backend.h"

#include <algorithm>
#include <iterator>

namespace txrt {

/// Throws unless each launch of the program waits for all launches with which it shares bytes that one of the two
/// writes. Everything else about the program has been checked.
void checkWaits(const txrt_program &program);

/// 1 + the index of the last launch that this one waits for, of any lane, for messages; 0: it waits for none.
inline uint32_t lastWait(const txrt_launch &launch) {
  return *std::max_element(std::begin(launch.waits), std::end(launch.waits));
}

} // namespace txrt

#endif // TXRT_CORE_DEPENDENCES_H
