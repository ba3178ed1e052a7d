//===- Npy.h - One array in one file, NumPy's format ----------------------------------------------------*- C++ -*-===//
//
// Reads and writes arrays in little-endian and C order, of the types that entries take: f32, i32, bool. A file may also
// have i64, NumPy's default, if every value fits into i32.
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

/// Reads a file. Checks its whole header and its length first, and throws if they are wrong.
NpyArray readNpy(const std::string &path);

/// Writes a file atomically, see File.h.
void writeNpy(const std::string &path, const NpyArray &array);

} // namespace txrun

#endif // TXRUN_NPY_H
