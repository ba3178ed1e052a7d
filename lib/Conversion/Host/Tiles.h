//===- Tiles.h - Ops with loops of their own ------------------------------------------------------------*- C++ -*-===//
//
// Maps each op of tiles to the function that writes its host code: the loop over the task's tiles. The functions lie in
// the file of the op's family. A new op adds a function and a line there.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_HOST_TILES_H
#define TX_LIB_CONVERSION_HOST_TILES_H

#include "../Common/Lowerings.h"
#include "Loops.h"
#include "TileEmitter.h"

namespace tx::host {

struct TileTable : emit::Lowerings<const Task &, TileEmitter &> {
  TileTable();
};

// Each adds the functions of one family of ops.
void addFlashAttention(TileTable &table);

inline TileTable::TileTable() {
  for (auto add : {addFlashAttention})
    add(*this);
}

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_TILES_H
