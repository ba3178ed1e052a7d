#include "backends/host/CpuFeatures.h"
#include "core/Failure.h"

#include <cerrno>
#include <cstring>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

using namespace txrt;

#if defined(__x86_64__)

namespace {
enum Register { EAX, EBX, ECX, EDX };

// Registers that the operating system must save so that a feature is usable (bits of XCR0).
constexpr uint64_t none = 0, ymm = 0x6, zmm = 0xe6, tiles = 0x60000;

struct Entry {
  const char *name;
  uint32_t leaf, subleaf;
  Register reg;
  int bit;
  uint64_t state;
};

/// Where each feature's bit is: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix E.
constexpr Entry entries[] = {
    {"x87", 1, 0, EDX, 0, none},
    {"cx8", 1, 0, EDX, 8, none},
    {"cmov", 1, 0, EDX, 15, none},
    {"mmx", 1, 0, EDX, 23, none},
    {"fxsr", 1, 0, EDX, 24, none},
    {"sse", 1, 0, EDX, 25, none},
    {"sse2", 1, 0, EDX, 26, none},
    {"sse3", 1, 0, ECX, 0, none},
    {"pclmul", 1, 0, ECX, 1, none},
    {"ssse3", 1, 0, ECX, 9, none},
    {"fma", 1, 0, ECX, 12, ymm},
    {"cx16", 1, 0, ECX, 13, none},
    {"sse4.1", 1, 0, ECX, 19, none},
    {"sse4.2", 1, 0, ECX, 20, none},
    {"crc32", 1, 0, ECX, 20, none},
    {"movbe", 1, 0, ECX, 22, none},
    {"popcnt", 1, 0, ECX, 23, none},
    {"aes", 1, 0, ECX, 25, none},
    {"xsave", 1, 0, ECX, 27, none},
    {"avx", 1, 0, ECX, 28, ymm},
    {"f16c", 1, 0, ECX, 29, ymm},
    {"rdrnd", 1, 0, ECX, 30, none},
    {"fsgsbase", 7, 0, EBX, 0, none},
    {"bmi", 7, 0, EBX, 3, none},
    {"avx2", 7, 0, EBX, 5, ymm},
    {"bmi2", 7, 0, EBX, 8, none},
    {"invpcid", 7, 0, EBX, 10, none},
    {"rtm", 7, 0, EBX, 11, none},
    {"avx512f", 7, 0, EBX, 16, zmm},
    {"avx512dq", 7, 0, EBX, 17, zmm},
    {"rdseed", 7, 0, EBX, 18, none},
    {"adx", 7, 0, EBX, 19, none},
    {"avx512ifma", 7, 0, EBX, 21, zmm},
    {"clflushopt", 7, 0, EBX, 23, none},
    {"clwb", 7, 0, EBX, 24, none},
    {"avx512cd", 7, 0, EBX, 28, zmm},
    {"sha", 7, 0, EBX, 29, none},
    {"avx512bw", 7, 0, EBX, 30, zmm},
    {"avx512vl", 7, 0, EBX, 31, zmm},
    {"avx512vbmi", 7, 0, ECX, 1, zmm},
    {"pku", 7, 0, ECX, 4, none},
    {"waitpkg", 7, 0, ECX, 5, none},
    {"avx512vbmi2", 7, 0, ECX, 6, zmm},
    {"shstk", 7, 0, ECX, 7, none},
    {"gfni", 7, 0, ECX, 8, none},
    {"vaes", 7, 0, ECX, 9, ymm},
    {"vpclmulqdq", 7, 0, ECX, 10, ymm},
    {"avx512vnni", 7, 0, ECX, 11, zmm},
    {"avx512bitalg", 7, 0, ECX, 12, zmm},
    {"avx512vpopcntdq", 7, 0, ECX, 14, zmm},
    {"rdpid", 7, 0, ECX, 22, none},
    {"cldemote", 7, 0, ECX, 25, none},
    {"movdiri", 7, 0, ECX, 27, none},
    {"movdir64b", 7, 0, ECX, 28, none},
    {"enqcmd", 7, 0, ECX, 29, none},
    {"uintr", 7, 0, EDX, 5, none},
    {"avx512vp2intersect", 7, 0, EDX, 8, zmm},
    {"serialize", 7, 0, EDX, 14, none},
    {"tsxldtrk", 7, 0, EDX, 16, none},
    {"pconfig", 7, 0, EDX, 18, none},
    {"amx-bf16", 7, 0, EDX, 22, tiles},
    {"avx512fp16", 7, 0, EDX, 23, zmm},
    {"amx-tile", 7, 0, EDX, 24, tiles},
    {"amx-int8", 7, 0, EDX, 25, tiles},
    {"avxvnni", 7, 1, EAX, 4, ymm},
    {"avx512bf16", 7, 1, EAX, 5, zmm},
    {"cmpccxadd", 7, 1, EAX, 7, none},
    {"amx-fp16", 7, 1, EAX, 21, tiles},
    {"avxifma", 7, 1, EAX, 23, ymm},
    {"xsaveopt", 0xd, 1, EAX, 0, none},
    {"xsavec", 0xd, 1, EAX, 1, none},
    {"xsaves", 0xd, 1, EAX, 3, none},
    {"sahf", 0x80000001, 0, ECX, 0, none},
    {"lzcnt", 0x80000001, 0, ECX, 5, none},
    {"sse4a", 0x80000001, 0, ECX, 6, none},
    {"prfchw", 0x80000001, 0, ECX, 8, none},
    {"xop", 0x80000001, 0, ECX, 11, ymm},
    {"fma4", 0x80000001, 0, ECX, 16, ymm},
    {"tbm", 0x80000001, 0, ECX, 21, none},
    {"mwaitx", 0x80000001, 0, ECX, 29, none},
    {"64bit", 0x80000001, 0, EDX, 29, none},
    {"clzero", 0x80000008, 0, EBX, 0, none},
    {"rdpru", 0x80000008, 0, EBX, 4, none},
    {"wbnoinvd", 0x80000008, 0, EBX, 9, none},
};

uint64_t savedState() {
  uint32_t eax, ebx, ecx, edx;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & (1u << 27)))
    return 0; // the system does not use XSAVE
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}
} // namespace

Feature txrt::cpuFeature(const std::string &name) {
  for (const Entry &entry : entries) {
    if (name != entry.name)
      continue;
    uint32_t reg[4];
    if (!__get_cpuid_count(entry.leaf, entry.subleaf, &reg[EAX], &reg[EBX], &reg[ECX], &reg[EDX]))
      return Feature::Absent;
    bool usable =
        (reg[entry.reg] >> entry.bit & 1) != 0 && (entry.state == none || (savedState() & entry.state) == entry.state);
    return usable ? Feature::Present : Feature::Absent;
  }
  return Feature::Unknown;
}

#else

Feature txrt::cpuFeature(const std::string &) { return Feature::Unknown; }

#endif

/// Linux saves the registers of the matrix unit (AMX) only for processes that ask for it. This asks, once for all
/// threads of the process.
static void requireTileState(const char *artifact) {
#if defined(__x86_64__)
  constexpr long requestPermission = 0x1023, tileData = 18;
  if (syscall(SYS_arch_prctl, requestPermission, tileData) != 0)
    fail(TXRT_DEVICE,
         "%s: built for amx-tile, and the system does not give this process "
         "the CPU's matrix registers (%s): recompile with "
         "--target-cpu=x86-64-v4",
         artifact, strerror(errno));
#endif
}

void txrt::requireTarget(const txrt_program &program) {
  if (strcmp(program.target_backend, "host") != 0) {
    std::string features;
    for (uint32_t i = 0; i < program.target_feature_count; ++i)
      features += (i ? ", " : "") + printable(program.target_features[i]);
    fail(TXRT_DEVICE,
         "%s: built for backend '%s' (%s), this is 'host'; compile it with "
         "--target=host, or read it with --backend dryrun",
         program.name, printable(program.target_backend).c_str(), features.empty() ? "any device" : features.c_str());
  }
#if !defined(__x86_64__)
  const char *here = "another architecture";
  bool matches = false;
#else
  const char *here = "x86_64";
  bool matches = strncmp(program.target_triple, "x86_64-", 7) == 0 && strstr(program.target_triple, "linux");
#endif
  if (!matches)
    fail(TXRT_DEVICE, "%s: built for %s, this is %s Linux", program.name, printable(program.target_triple).c_str(),
         here);
  std::string missing;
  for (uint32_t i = 0; i < program.target_feature_count; ++i) {
    std::string feature = program.target_features[i];
    switch (cpuFeature(feature)) {
    case Feature::Present:
      break;
    case Feature::Absent:
      missing += (missing.empty() ? "" : ", ") + feature;
      break;
    case Feature::Unknown:
      fail(TXRT_DEVICE, "%s: built for CPU feature '%s', which this runtime does not know", program.name,
           printable(feature).c_str());
    }
  }
  if (!missing.empty())
    fail(TXRT_DEVICE,
         "%s: built for %s, this CPU has no %s: recompile with "
         "--target-cpu=native on this machine, or for an older CPU",
         program.name, missing.c_str(), missing.c_str());
  for (uint32_t i = 0; i < program.target_feature_count; ++i)
    if (strcmp(program.target_features[i], "amx-tile") == 0)
      requireTileState(program.name);
}
