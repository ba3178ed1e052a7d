#include "core/Cpus.h"
#include "core/File.h"

#include <cstdio>
#include <sched.h>
#include <thread>
#include <unistd.h>

unsigned txrt::usableCpus() {
  unsigned cpus = std::thread::hardware_concurrency();
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0)
    cpus = static_cast<unsigned>(CPU_COUNT(&set));
  // Control group version 2: "quota period" or "max period".
  unsigned long long quota, period;
  if (sscanf(readSmallText("/sys/fs/cgroup/cpu.max").c_str(), "%llu %llu", &quota, &period) == 2 && period != 0 &&
      quota / period < cpus)
    cpus = static_cast<unsigned>((quota + period - 1) / period);
  return cpus ? cpus : 1;
}

bool txrt::isBoundToCpus() {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) < sysconf(_SC_NPROCESSORS_ONLN);
}
