//===- Environment.h - A launcher's variables in the environment ----------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_ENVIRONMENT_H
#define TXRT_COMM_ENVIRONMENT_H

#include <cstdint>

namespace txrt {

/// The whole number in [least, most] that a variable contains; `otherwise` if the variable is absent. Fails with
/// TXRT_USAGE if it contains anything else.
int64_t numberFromEnvironment(const char *name, int64_t least, int64_t most, int64_t otherwise);

/// The number of ranks that a variable contains; 0 if it is absent or contains anything else. Such a variable tells
/// whether a launcher has started this process, so it must not fail.
int ranksFromEnvironment(const char *name);

} // namespace txrt

#endif // TXRT_COMM_ENVIRONMENT_H
