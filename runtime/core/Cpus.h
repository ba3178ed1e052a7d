//===- Cpus.h - How many CPUs there are for us -----------------*- C++ -*-===//

#ifndef TXRT_CORE_CPUS_H
#define TXRT_CORE_CPUS_H

namespace txrt {

/// CPUs that this process may use: its affinity mask, within the quota of its
/// control group.
unsigned usableCpus();

} // namespace txrt

#endif // TXRT_CORE_CPUS_H
