//===- StoredDtype.h - The runtime's types, as safetensors files call them -------------------------------*- C++
//-*-===//

#ifndef TXRT_TRAIN_STOREDDTYPE_H
#define TXRT_TRAIN_STOREDDTYPE_H

#include "txrt/abi.h"

namespace txrt::train {

/// Whether numbers of the type are loaded from F32, F16 and BF16.
inline bool isFloat(txrt_dtype dtype) { return dtype == TXRT_DTYPE_F32 || dtype == TXRT_DTYPE_BF16; }

inline const char *storedDtype(txrt_dtype dtype) {
  switch (dtype) {
  case TXRT_DTYPE_F32:
    return "F32";
  case TXRT_DTYPE_BF16:
    return "BF16";
  case TXRT_DTYPE_I32:
    return "I32";
  case TXRT_DTYPE_I1:
    return "BOOL";
  case TXRT_DTYPE_BYTE:
    break; // scratch: no state
  }
  return "U8";
}

} // namespace txrt::train

#endif // TXRT_TRAIN_STOREDDTYPE_H
