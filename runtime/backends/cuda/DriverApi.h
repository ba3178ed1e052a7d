//===- DriverApi.h - The part of CUDA's driver API in use -----------------------------------------------*- C++ -*-===//
//
// Declared here so that the runtime builds where no CUDA toolkit is; a test compares these declarations with the
// toolkit's header where there is one.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_DRIVERAPI_H
#define TXRT_BACKENDS_CUDA_DRIVERAPI_H

#include <cstddef>
#include <cstdint>

namespace txrt::cuda {

using Result = int; // CUresult
using Device = int;
using DevicePointer = unsigned long long;
using Context = struct CUctx_st *;
using Module = struct CUmod_st *;
using Function = struct CUfunc_st *;
using Stream = struct CUstream_st *;
using Event = struct CUevent_st *;
using Graph = struct CUgraph_st *;
using GraphExec = struct CUgraphExec_st *;

enum : Result { Success = 0, OutOfMemory = 2, NotReady = 600 };
enum DeviceAttribute {
  ComputeCapabilityMajor = 75,
  ComputeCapabilityMinor = 76,
};
/// Options of cuModuleLoadDataEx; values are passed as pointers.
enum JitOption { JitErrorLog = 5, JitErrorLogBytes = 6 };
enum FunctionAttribute { MaxDynamicSharedSizeBytes = 8 };
enum { StreamNonBlocking = 1 };
enum { EventDisableTiming = 2 };
enum { HostAllocDeviceMap = 2 };
enum { InstantiateUseNodePriority = 8 };
enum CaptureMode { CaptureThreadLocal = 1 };

/// A device's UUID, unique in the whole world.
struct DeviceId {
  char bytes[16];
};

// X(member, symbol, arguments...)
#define TXRT_CUDA_DRIVER_FUNCTIONS(X)                                                                                  \
  X(init, cuInit, unsigned)                                                                                            \
  X(getErrorName, cuGetErrorName, Result, const char **)                                                               \
  X(getErrorString, cuGetErrorString, Result, const char **)                                                           \
  X(deviceGetCount, cuDeviceGetCount, int *)                                                                           \
  X(deviceGet, cuDeviceGet, Device *, int)                                                                             \
  X(deviceGetName, cuDeviceGetName, char *, int, Device)                                                               \
  X(deviceGetAttribute, cuDeviceGetAttribute, int *, DeviceAttribute, Device)                                          \
  X(deviceGetUuid, cuDeviceGetUuid_v2, DeviceId *, Device)                                                             \
  X(primaryCtxRetain, cuDevicePrimaryCtxRetain, Context *, Device)                                                     \
  X(primaryCtxRelease, cuDevicePrimaryCtxRelease_v2, Device)                                                           \
  X(ctxSetCurrent, cuCtxSetCurrent, Context)                                                                           \
  X(memGetInfo, cuMemGetInfo_v2, size_t *, size_t *)                                                                   \
  X(memAlloc, cuMemAlloc_v2, DevicePointer *, size_t)                                                                  \
  X(memFree, cuMemFree_v2, DevicePointer)                                                                              \
  X(memGetAddressRange, cuMemGetAddressRange_v2, DevicePointer *, size_t *, DevicePointer)                             \
  X(memsetD16Async, cuMemsetD16Async, DevicePointer, unsigned short, size_t, Stream)                                   \
  X(memsetD8Async, cuMemsetD8Async, DevicePointer, unsigned char, size_t, Stream)                                      \
  X(memsetD32Async, cuMemsetD32Async, DevicePointer, unsigned, size_t, Stream)                                         \
  X(memHostAlloc, cuMemHostAlloc, void **, size_t, unsigned)                                                           \
  X(memHostGetDevicePointer, cuMemHostGetDevicePointer_v2, DevicePointer *, void *, unsigned)                          \
  X(memFreeHost, cuMemFreeHost, void *)                                                                                \
  X(memcpyDtoDAsync, cuMemcpyDtoDAsync_v2, DevicePointer, DevicePointer, size_t, Stream)                               \
  X(memcpyHtoDAsync, cuMemcpyHtoDAsync_v2, DevicePointer, const void *, size_t, Stream)                                \
  X(memcpyDtoH, cuMemcpyDtoH_v2, void *, DevicePointer, size_t)                                                        \
  X(moduleLoadDataEx, cuModuleLoadDataEx, Module *, const void *, unsigned, JitOption *, void **)                      \
  X(moduleUnload, cuModuleUnload, Module)                                                                              \
  X(moduleGetFunction, cuModuleGetFunction, Function *, Module, const char *)                                          \
  X(funcSetAttribute, cuFuncSetAttribute, Function, FunctionAttribute, int)                                            \
  X(launchKernel, cuLaunchKernel, Function, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,      \
    Stream, void **, void **)                                                                                          \
  X(ctxGetStreamPriorityRange, cuCtxGetStreamPriorityRange, int *, int *)                                              \
  X(streamCreate, cuStreamCreate, Stream *, unsigned)                                                                  \
  X(streamCreateWithPriority, cuStreamCreateWithPriority, Stream *, unsigned, int)                                     \
  X(streamDestroy, cuStreamDestroy_v2, Stream)                                                                         \
  X(streamSynchronize, cuStreamSynchronize, Stream)                                                                    \
  X(streamQuery, cuStreamQuery, Stream)                                                                                \
  X(streamWaitEvent, cuStreamWaitEvent, Stream, Event, unsigned)                                                       \
  X(eventCreate, cuEventCreate, Event *, unsigned)                                                                     \
  X(eventDestroy, cuEventDestroy_v2, Event)                                                                            \
  X(eventRecord, cuEventRecord, Event, Stream)                                                                         \
  X(eventElapsedTime, cuEventElapsedTime_v2, float *, Event, Event)                                                    \
  X(streamBeginCapture, cuStreamBeginCapture_v2, Stream, CaptureMode)                                                  \
  X(streamEndCapture, cuStreamEndCapture, Stream, Graph *)                                                             \
  X(graphInstantiate, cuGraphInstantiateWithFlags, GraphExec *, Graph, unsigned long long)                             \
  X(graphLaunch, cuGraphLaunch, GraphExec, Stream)                                                                     \
  X(graphDestroy, cuGraphDestroy, Graph)                                                                               \
  X(graphExecDestroy, cuGraphExecDestroy, GraphExec)

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_DRIVERAPI_H
