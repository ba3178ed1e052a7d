//===- Philox.h - The random words of dropout -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_CONVERSION_COMMON_PHILOX_H
#define TX_LIB_CONVERSION_COMMON_PHILOX_H

#include "Emitter.h"

namespace tx::emit {

/// Philox4x32-10: four random 32-bit words from a counter of four words and a key of two.
llvm::SmallVector<Number, 4> philox(llvm::SmallVector<Number, 4> counter, Number key0, Number key1);

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_PHILOX_H
