//===- Environment.h - What a launcher has told this process --------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_ENVIRONMENT_H
#define TXRT_COMM_ENVIRONMENT_H

#include <cstdint>

namespace txrt {

/// A variable's whole number in [least, most]; `otherwise` when the variable is absent. Fails with TXRT_USAGE for
/// anything else in it.
int64_t numberFromEnvironment(const char *name, int64_t least, int64_t most, int64_t otherwise);

/// The same for what decides whether a launcher is there at all: 0 for something that is no count of ranks.
int ranksFromEnvironment(const char *name);

} // namespace txrt

#endif // TXRT_COMM_ENVIRONMENT_H
