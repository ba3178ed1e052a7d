// The runtime's own declarations of NCCL against the library's header, where there is one.

#include "SameCall.h"
#include <gtest/gtest.h>

#ifdef TX_HAVE_NCCL_HEADERS

#include "backends/cuda/NcclApi.h"

#include <nccl.h>

namespace nccl = txrt::cuda::nccl;

#define TXRT_CHECK(member, type, symbol, ...)                                                                          \
  static_assert(SameCall<type (*)(__VA_ARGS__), decltype(&::symbol)>::value, #symbol);
namespace txrt::cuda::nccl {
TXRT_NCCL_FUNCTIONS(TXRT_CHECK)
#undef TXRT_CHECK
// Those that the toolkit's own version has.
#define TXRT_CHECK(member, type, symbol, version, ...)                                                                 \
  static_assert(SameCall<type (*)(__VA_ARGS__), decltype(&::symbol)>::value, #symbol);
#if NCCL_VERSION_CODE >= 22700
TXRT_NCCL_NEWER_FUNCTIONS(TXRT_CHECK)
#endif
#undef TXRT_CHECK
} // namespace txrt::cuda::nccl
#if NCCL_VERSION_CODE >= 22700
static_assert(int(nccl::WindowCollSymmetric) == NCCL_WIN_COLL_SYMMETRIC);
#endif

static_assert(int(nccl::Success) == ncclSuccess);
static_assert(int(nccl::UnhandledCudaError) == ncclUnhandledCudaError);
static_assert(int(nccl::SystemError) == ncclSystemError);
static_assert(int(nccl::RemoteError) == ncclRemoteError);
static_assert(int(nccl::InProgress) == ncclInProgress);
static_assert(int(nccl::U8) == ncclUint8 && int(nccl::I32) == ncclInt32);
static_assert(int(nccl::F32) == ncclFloat32 && int(nccl::BF16) == ncclBfloat16);
static_assert(int(nccl::Sum) == ncclSum);
static_assert(sizeof(nccl::UniqueId) == sizeof(ncclUniqueId));
// The library's has grown since, at its end.
static_assert(sizeof(nccl::Config) <= sizeof(ncclConfig_t));
static_assert(offsetof(nccl::Config, magic) == offsetof(ncclConfig_t, magic));
static_assert(offsetof(nccl::Config, version) == offsetof(ncclConfig_t, version));
static_assert(offsetof(nccl::Config, blocking) == offsetof(ncclConfig_t, blocking));

TEST(NcclApi, DeclarationsAreTheLibrarys) {
  const ncclConfig_t theirs = NCCL_CONFIG_INITIALIZER;
  EXPECT_EQ(nccl::Config().magic, theirs.magic);
  EXPECT_LE(nccl::Config().version, theirs.version);
}

#else

TEST(NcclApi, DeclarationsAreTheLibrarys) { GTEST_SKIP() << "no nccl.h was found"; }

#endif
