//===- Tiles.h - Ops of which a block of threads computes a tile ----------------------------------------*- C++ -*-===//
//
// Maps each op of tiles to the function that writes its GPU code: one thread's part of a block's work on a tile. The
// functions lie in the file of the op's family. A new op adds a function and a line there.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_TILES_H
#define TX_LIB_CONVERSION_GPU_TILES_H

#include "../Common/Kernel.h"
#include "../Common/Lowerings.h"
#include "BlockEmitter.h"

namespace tx::simt {

/// A kernel of tiles whose code is being written, and how it is to be launched, which the op's function fills in.
struct TileTask {
  emit::Kernel &kernel;
  BlockEmitter &emitter;
  /// For each buffer a number of bytes that its addresses are known to be multiples of.
  llvm::ArrayRef<int64_t> alignments;

  int64_t units = 0;
  unsigned threads = 0;
  unsigned blocks = 0; ///< least number of blocks that share a multiprocessor; 0: not given
};

struct TileTable : emit::Lowerings<TileTask &> {
  TileTable();
};

// Each adds the functions of one family of ops.
void addFlashAttention(TileTable &table);

inline TileTable::TileTable() {
  for (auto add : {addFlashAttention})
    add(*this);
}

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_TILES_H
