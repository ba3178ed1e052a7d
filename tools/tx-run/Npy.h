//===- Npy.h - One array in one file, NumPy's format ----------------------------------------------------*- C++ -*-===//
//
// Little-endian, C order; the types that entries take: f32, i32 (also i64 in a file, when every value fits: it is
// NumPy's default), bool.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_NPY_H
#define TXRUN_NPY_H

#include "txrt/abi.h"

#include <cstdint>
#include <string>
#include <vector>

namespace txrun {

struct NpyArray {
  txrt_dtype dtype = TXRT_DTYPE_F32; // F32, I32 or I1
  std::vector<uint64_t> shape;
  std::vector<unsigned char> data;
};

/// Checks the whole header and the file's length first; throws otherwise.
NpyArray readNpy(const std::string &path);

/// Atomic, see File.h.
void writeNpy(const std::string &path, const NpyArray &array);

} // namespace txrun

#endif // TXRUN_NPY_H
