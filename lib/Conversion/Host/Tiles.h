//===- Tiles.h - Ops with loops of their own ------------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_HOST_TILES_H
#define TX_LIB_CONVERSION_HOST_TILES_H

#include "Loops.h"
#include "TileEmitter.h"

namespace tx::host {

/// Writes the loop over the tiles of a tile kernel, which has one op.
void emitTiles(const Task &task, TileEmitter &emitter);

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_TILES_H
