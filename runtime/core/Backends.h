//===- Backends.h - The list of backends ----------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_BACKENDS_H
#define TXRT_CORE_BACKENDS_H

#include "txrt/backend.h"

namespace txrt {

/// Finds a backend by name (NULL: the first of the list) or fails, naming those there are.
const txrt_backend &findBackend(const char *name);

} // namespace txrt

#endif // TXRT_CORE_BACKENDS_H
