//===- Axes.h - Does a program's mesh fit the world? ----------------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_AXES_H
#define TXRT_COMM_AXES_H

#include "comm/World.h"
#include "txrt/backend.h"

namespace txrt {

/// Fails with TXRT_BAD_INPUT unless the groups of every collective contain all ranks of the world.
void requireAxes(const txrt_program &program, const txrt_world &world);

} // namespace txrt

#endif // TXRT_COMM_AXES_H
