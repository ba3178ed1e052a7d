//===- CublasLtApi.h - The part of cuBLASLt in use ------------------------------------------------------*- C++ -*-===//
//
// Declared here so that the runtime builds where no CUDA toolkit is; a test compares these declarations with the
// toolkit's header where there is one.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_CUBLASLTAPI_H
#define TXRT_BACKENDS_CUDA_CUBLASLTAPI_H

#include "backends/cuda/DriverApi.h"

namespace txrt::cuda::lt {

using Status = int; // cublasStatus_t
using Handle = struct cublasLtContext *;
using MatmulDesc = struct MatmulDescOpaque *;
using MatrixLayout = struct MatrixLayoutOpaque *;
using Preference = struct PreferenceOpaque *;

enum : Status { Success = 0, AllocationFailed = 3 };
enum DataType { F32 = 0, BF16 = 14 };
enum ComputeType { Compute32F = 68 };
enum Operation : int32_t { Plain = 0, Transposed = 1 };
enum DescAttribute {
  TransA = 3,
  TransB = 4,
  Epilogue = 7,
  BiasPointer = 8,
  BiasDataType = 26,
};
enum EpilogueKind : uint32_t {
  Bias = 4,
  BiasGradientA = 256,
  BiasGradientB = 512,
};
enum LayoutAttribute { BatchCount = 5, StridedBatchOffset = 6 };
enum PreferenceAttribute {
  MaxWorkspaceBytes = 1,
  ReductionSchemeMask = 3,
  MinAlignmentA = 5,
  MinAlignmentB = 6,
  MinAlignmentC = 7,
  MinAlignmentD = 8,
};

enum ReductionScheme : uint32_t { SumInComputeType = 2 };

struct Algorithm {
  uint64_t data[8];
};
struct HeuristicResult {
  Algorithm algorithm;
  size_t workspaceBytes;
  Status state;
  float wavesCount;
  int reserved[4];
};

// X(member, return type, symbol, arguments...)
#define TXRT_CUBLASLT_FUNCTIONS(X)                                                                                     \
  X(getVersion, size_t, cublasLtGetVersion, void)                                                                      \
  X(getStatusString, const char *, cublasLtGetStatusString, Status)                                                    \
  X(create, Status, cublasLtCreate, Handle *)                                                                          \
  X(destroy, Status, cublasLtDestroy, Handle)                                                                          \
  X(matmulDescCreate, Status, cublasLtMatmulDescCreate, MatmulDesc *, ComputeType, DataType)                           \
  X(matmulDescSet, Status, cublasLtMatmulDescSetAttribute, MatmulDesc, DescAttribute, const void *, size_t)            \
  X(matmulDescDestroy, Status, cublasLtMatmulDescDestroy, MatmulDesc)                                                  \
  X(layoutCreate, Status, cublasLtMatrixLayoutCreate, MatrixLayout *, DataType, uint64_t, uint64_t, int64_t)           \
  X(layoutSet, Status, cublasLtMatrixLayoutSetAttribute, MatrixLayout, LayoutAttribute, const void *, size_t)          \
  X(layoutDestroy, Status, cublasLtMatrixLayoutDestroy, MatrixLayout)                                                  \
  X(preferenceCreate, Status, cublasLtMatmulPreferenceCreate, Preference *)                                            \
  X(preferenceSet, Status, cublasLtMatmulPreferenceSetAttribute, Preference, PreferenceAttribute, const void *,        \
    size_t)                                                                                                            \
  X(preferenceDestroy, Status, cublasLtMatmulPreferenceDestroy, Preference)                                            \
  X(algoGetHeuristic, Status, cublasLtMatmulAlgoGetHeuristic, Handle, MatmulDesc, MatrixLayout, MatrixLayout,          \
    MatrixLayout, MatrixLayout, Preference, int, HeuristicResult *, int *)                                             \
  X(algoCheck, Status, cublasLtMatmulAlgoCheck, Handle, MatmulDesc, MatrixLayout, MatrixLayout, MatrixLayout,          \
    MatrixLayout, const Algorithm *, HeuristicResult *)                                                                \
  X(matmul, Status, cublasLtMatmul, Handle, MatmulDesc, const void *, const void *, MatrixLayout, const void *,        \
    MatrixLayout, const void *, const void *, MatrixLayout, void *, MatrixLayout, const Algorithm *, void *, size_t,   \
    Stream)

} // namespace txrt::cuda::lt

#endif // TXRT_BACKENDS_CUDA_CUBLASLTAPI_H
