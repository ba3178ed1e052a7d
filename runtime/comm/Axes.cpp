#include "comm/Axes.h"
#include "core/Failure.h"
#include "core/Program.h"

using namespace txrt;

void txrt::requireAxes(const txrt_program &program, const txrt_world &world) {
  const auto size = static_cast<uint32_t>(world.size());
  for (uint32_t i = 0; i < program.launch_count; ++i) {
    const txrt_launch &launch = program.launches[i];
    const txrt_collective_launch &c = launch.u.collective;
    if (launch.kind != TXRT_LAUNCH_COLLECTIVE || size % (c.ranks * c.stride) == 0)
      continue;
    fail(TXRT_BAD_INPUT, "%s: %s joins %u ranks of axis %s, and this run has %u", program.name,
         describeLaunch(program, i).c_str(), c.ranks, printable(program.strings + c.axis).c_str(), size);
  }
}
