//===- Cpus.h - How many CPUs this process may use ------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_CPUS_H
#define TXRT_CORE_CPUS_H

namespace txrt {

/// CPUs that this process may use: its affinity mask, within the quota of its control group.
unsigned usableCpus();

/// Whether the affinity mask leaves out CPUs of this machine.
bool isBoundToCpus();

} // namespace txrt

#endif // TXRT_CORE_CPUS_H
