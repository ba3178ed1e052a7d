//===- NcclApi.h - The part of NCCL in use --------------------------------------------------------------*- C++ -*-===//
//
// Declared here so that the runtime builds where no NCCL is; a test compares these declarations with the library's
// header where there is one.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_NCCLAPI_H
#define TXRT_BACKENDS_CUDA_NCCLAPI_H

#include "backends/cuda/DriverApi.h"

namespace txrt::cuda::nccl {

using Result = int; // ncclResult_t
using Comm = struct ncclComm *;
using Window = struct ncclWindow_vidmem *;

enum : Result {
  Success = 0,
  UnhandledCudaError = 1,
  SystemError = 2,
  RemoteError = 6,
  InProgress = 7,
};
enum DataType { U8 = 1, I32 = 2, F32 = 7, BF16 = 9 };
enum Operation { Sum = 0 };
enum { WindowCollSymmetric = 1 };

struct UniqueId {
  char bytes[128];
};

/// The configuration as of version 2.14: a newer library also takes this shorter struct.
struct Config {
  size_t size = sizeof(Config);
  unsigned magic = 0xcafebeef, version = 21400;
  int blocking = 0;
};

// X(member, return type, symbol, arguments...)
#define TXRT_NCCL_FUNCTIONS(X)                                                                                         \
  X(getVersion, Result, ncclGetVersion, int *)                                                                         \
  X(getErrorString, const char *, ncclGetErrorString, Result)                                                          \
  X(getLastError, const char *, ncclGetLastError, Comm)                                                                \
  X(getUniqueId, Result, ncclGetUniqueId, UniqueId *)                                                                  \
  X(commInit, Result, ncclCommInitRankConfig, Comm *, int, UniqueId, int, Config *)                                    \
  X(commFinalize, Result, ncclCommFinalize, Comm)                                                                      \
  X(commDestroy, Result, ncclCommDestroy, Comm)                                                                        \
  X(commAbort, Result, ncclCommAbort, Comm)                                                                            \
  X(commGetAsyncError, Result, ncclCommGetAsyncError, Comm, Result *)                                                  \
  X(groupStart, Result, ncclGroupStart, void)                                                                          \
  X(groupEnd, Result, ncclGroupEnd, void)                                                                              \
  X(allReduce, Result, ncclAllReduce, const void *, void *, size_t, DataType, Operation, Comm, Stream)                 \
  X(allGather, Result, ncclAllGather, const void *, void *, size_t, DataType, Comm, Stream)                            \
  X(reduceScatter, Result, ncclReduceScatter, const void *, void *, size_t, DataType, Operation, Comm, Stream)         \
  X(broadcast, Result, ncclBroadcast, const void *, void *, size_t, DataType, int, Comm, Stream)                       \
  X(reduce, Result, ncclReduce, const void *, void *, size_t, DataType, Operation, int, Comm, Stream)                  \
  X(send, Result, ncclSend, const void *, size_t, DataType, int, Comm, Stream)                                         \
  X(recv, Result, ncclRecv, void *, size_t, DataType, int, Comm, Stream)

// Functions that version 2.14 does not have yet.
// X(member, return type, symbol, first version, arguments...)
#define TXRT_NCCL_NEWER_FUNCTIONS(X)                                                                                   \
  X(memAlloc, Result, ncclMemAlloc, 21900, void **, size_t)                                                            \
  X(memFree, Result, ncclMemFree, 21900, void *)                                                                       \
  X(commRegister, Result, ncclCommRegister, 21900, Comm, void *, size_t, void **)                                      \
  X(commDeregister, Result, ncclCommDeregister, 21900, Comm, void *)                                                   \
  X(windowRegister, Result, ncclCommWindowRegister, 22700, Comm, void *, size_t, Window *, int)                        \
  X(windowDeregister, Result, ncclCommWindowDeregister, 22700, Comm, Window)

} // namespace txrt::cuda::nccl

#endif // TXRT_BACKENDS_CUDA_NCCLAPI_H
