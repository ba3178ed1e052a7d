//===- Axes.h - The mesh of a program in a world --------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_AXES_H
#define TXRT_COMM_AXES_H

#include "comm/World.h"
#include "txrt/backend.h"

namespace txrt {

/// Fails with TXRT_BAD_INPUT unless every collective's groups fill the world.
void requireAxes(const txrt_program &program, const txrt_world &world);

} // namespace txrt

#endif // TXRT_COMM_AXES_H
