// The runtime's own declarations of CUDA's interfaces against the toolkit's
// headers, where there is a toolkit.

#include <gtest/gtest.h>

#ifdef TX_HAVE_CUDA_HEADERS

#include "backends/cuda/CublasLtApi.h"
#include "backends/cuda/Driver.h"

#include <cublasLt.h>
#include <cuda.h>

#include <type_traits>

using namespace txrt::cuda;

namespace {

/// As the calling convention sees them: as many arguments, each of the same
/// size, pointers where there are pointers.
template <typename A, typename B> struct SameCall : std::false_type {};
template <typename R, typename... A, typename S, typename... B>
struct SameCall<R (*)(A...), S (*)(B...)> {
  static constexpr bool check() {
    if constexpr (sizeof...(A) != sizeof...(B))
      return false;
    else
      return sizeof(R) == sizeof(S) &&
             ((sizeof(A) == sizeof(B) &&
               std::is_pointer_v<A> == std::is_pointer_v<B>) &&
              ...);
  }
  static constexpr bool value = check();
};

static_assert(SameCall<int (*)(int *), unsigned (*)(void *)>::value);
static_assert(!SameCall<int (*)(int *), int (*)(size_t)>::value);
static_assert(!SameCall<int (*)(int), int (*)(int, int)>::value);

#define TXRT_CHECK(member, symbol, ...)                                       \
  static_assert(                                                              \
      SameCall<decltype(Driver::member), decltype(&::symbol)>::value,         \
      #symbol);
TXRT_CUDA_DRIVER_FUNCTIONS(TXRT_CHECK)
#undef TXRT_CHECK

static_assert(int(Success) == CUDA_SUCCESS);
static_assert(int(OutOfMemory) == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(int(ComputeCapabilityMajor) ==
              CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(int(ComputeCapabilityMinor) ==
              CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(int(MaxDynamicSharedSizeBytes) ==
              CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
static_assert(int(StreamNonBlocking) == CU_STREAM_NON_BLOCKING);
static_assert(int(CaptureThreadLocal) == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
static_assert(sizeof(DevicePointer) == sizeof(CUdeviceptr));

using namespace txrt::cuda::lt;
#define TXRT_CHECK(member, type, symbol, ...)                                 \
  static_assert(                                                              \
      SameCall<type (*)(__VA_ARGS__), decltype(&::symbol)>::value, #symbol);
TXRT_CUBLASLT_FUNCTIONS(TXRT_CHECK)
#undef TXRT_CHECK

static_assert(int(lt::Success) == CUBLAS_STATUS_SUCCESS);
static_assert(int(F32) == CUDA_R_32F && int(BF16) == CUDA_R_16BF);
static_assert(int(Compute32F) == CUBLAS_COMPUTE_32F);
static_assert(int(Plain) == CUBLAS_OP_N && int(Transposed) == CUBLAS_OP_T);
static_assert(int(TransA) == CUBLASLT_MATMUL_DESC_TRANSA);
static_assert(int(TransB) == CUBLASLT_MATMUL_DESC_TRANSB);
static_assert(int(BatchCount) == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
static_assert(int(StridedBatchOffset) ==
              CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
static_assert(int(MaxWorkspaceBytes) ==
              CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(int(MinAlignmentA) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
static_assert(int(MinAlignmentB) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
static_assert(int(MinAlignmentC) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
static_assert(int(MinAlignmentD) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(HeuristicResult) ==
              sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(HeuristicResult, state) ==
              offsetof(cublasLtMatmulHeuristicResult_t, state));

} // namespace

// The checks are static: that this file was compiled is the result.
TEST(CudaApi, DeclarationsAreTheToolkits) {}

#else

TEST(CudaApi, DeclarationsAreTheToolkits) {
  GTEST_SKIP() << "no CUDA toolkit with cublasLt.h was found";
}

#endif
