/* A libcuda that loads code and does nothing else: all that cuDNN needs of a driver to make a plan for a device that is
   described to it. */

enum { Success = 0, NotInitialized = 3 };

#define LOADS(name)                                                                                                    \
  int name(void **handle);                                                                                             \
  int name(void **handle) {                                                                                            \
    static char code;                                                                                                  \
    *handle = &code;                                                                                                   \
    return Success;                                                                                                    \
  }
#define ACCEPTS(name)                                                                                                  \
  int name(void);                                                                                                      \
  int name(void) { return Success; }
#define REFUSES(name)                                                                                                  \
  int name(void);                                                                                                      \
  int name(void) { return NotInitialized; }

LOADS(cuLibraryLoadData)
LOADS(cuKernelGetFunction)
LOADS(cuLibraryGetKernel)
ACCEPTS(cuLibraryUnload)
ACCEPTS(cuKernelGetAttribute)
ACCEPTS(cuKernelSetAttribute)
ACCEPTS(cuFuncGetAttribute)
ACCEPTS(cuFuncSetAttribute)
ACCEPTS(cuModuleUnload)

REFUSES(cuCtxGetCurrent)
REFUSES(cuCtxGetDevice)
REFUSES(cuCtxGetLimit)
REFUSES(cuCtxPopCurrent)
REFUSES(cuCtxPushCurrent)
REFUSES(cuDeviceGet)
REFUSES(cuDeviceGetAttribute)
REFUSES(cuDeviceGetCount)
REFUSES(cuDevicePrimaryCtxRelease)
REFUSES(cuDevicePrimaryCtxReset)
REFUSES(cuDevicePrimaryCtxRetain)
REFUSES(cuDriverGetVersion)
REFUSES(cuGetErrorName)
REFUSES(cuGetErrorString)
REFUSES(cuInit)
REFUSES(cuLaunchCooperativeKernel)
REFUSES(cuLaunchKernel)
REFUSES(cuLaunchKernelEx)
REFUSES(cuLibraryLoadFromFile)
REFUSES(cuLinkAddData)
REFUSES(cuLinkAddData_v2)
REFUSES(cuLinkAddFile_v2)
REFUSES(cuLinkComplete)
REFUSES(cuLinkCreate)
REFUSES(cuLinkCreate_v2)
REFUSES(cuLinkDestroy)
REFUSES(cuMemcpyDtoH_v2)
REFUSES(cuModuleGetFunction)
REFUSES(cuModuleGetGlobal_v2)
REFUSES(cuModuleLoadData)
REFUSES(cuModuleLoadDataEx)
REFUSES(cuModuleLoadFatBinary)
REFUSES(cuOccupancyMaxActiveBlocksPerMultiprocessor)
REFUSES(cuOccupancyMaxPotentialClusterSize)
REFUSES(cuStreamGetCtx)
REFUSES(cuStreamSynchronize)
REFUSES(cuTensorMapEncodeIm2col)
REFUSES(cuTensorMapEncodeTiled)
