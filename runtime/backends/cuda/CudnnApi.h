//===- CudnnApi.h - The part of cuDNN in use ------------------------------------------------------------*- C++ -*-===//
//
// Declared here so that the runtime builds where no cuDNN is; a test compares these declarations with the library's
// header where there is one.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_CUDNNAPI_H
#define TXRT_BACKENDS_CUDA_CUDNNAPI_H

#include "backends/cuda/DriverApi.h"

namespace txrt::cuda::dnn {

using Status = int; // cudnnStatus_t
using Handle = struct cudnnContext *;
using Descriptor = void *;

enum : Status { Success = 0 };

enum DataType { F32 = 0, I32 = 4, BF16 = 9, Boolean = 11 };
enum PointwiseMode {
  Add = 0,
  Multiply = 1,
  Divide = 6,
  Subtract = 9,
  Exp = 13,
  Log = 15,
  Identity = 21,
  GreaterOrEqual = 303,
  Index = 501,
  Select = 601,
};
enum ReductionOperator { Sum = 0, Maximum = 3 };
enum HeuristicMode { ModeA = 3 };

enum Knob {
  KnobStages = 14,
  KnobKernelConfig = 24,
  KnobTileCgaM = 27,
  KnobStreamK = 38,
  KnobTileM = 40,
  KnobTileN = 41,
};

enum DescriptorType {
  PointwiseDescriptor = 0,
  EngineDescriptor = 2,
  EngineConfigDescriptor = 3,
  EngineHeuristicDescriptor = 4,
  ExecutionPlanDescriptor = 5,
  KnobChoiceDescriptor = 7,
  OperationPointwiseDescriptor = 13,
  OperationGraphDescriptor = 15,
  VariantPackDescriptor = 16,
  TensorDescriptor = 17,
  MatmulDescriptor = 18,
  OperationMatmulDescriptor = 19,
  ReductionDescriptor = 21,
  OperationReductionDescriptor = 22,
  OperationReshapeDescriptor = 31,
  DevicePropertyDescriptor = 38,
};

enum AttributeType {
  TypeHandle = 0,
  TypeDataType = 1,
  TypeBoolean = 2,
  TypeInt64 = 3,
  TypeFloat = 4,
  TypeVoidPointer = 6,
  TypeHeuristicMode = 8,
  TypeKnob = 9,
  TypePointwiseMode = 14,
  TypeDescriptor = 15,
  TypeReductionOperator = 18,
  TypeChar = 24,
};

enum Attribute {
  PointwiseModeOf = 0,
  PointwisePrecision = 1,
  PointwiseAxis = 9,
  HeuristicModeOf = 200,
  HeuristicGraph = 201,
  HeuristicResults = 202,
  HeuristicDevice = 204,
  ConfigEngine = 300,
  ConfigKnobs = 302,
  PlanHandle = 400,
  PlanEngineConfig = 401,
  PlanWorkspaceBytes = 402,
  PlanDevice = 407,
  KnobChoiceOf = 600,
  KnobChoiceValue = 601,
  OperationPointwise = 750,
  OperationPointwiseX = 751,
  OperationPointwiseB = 752,
  OperationPointwiseY = 753,
  OperationPointwiseT = 758,
  GraphHandle = 800,
  GraphOperations = 801,
  TensorByteAlignment = 900,
  TensorDataType = 901,
  TensorDimensions = 902,
  TensorStrides = 903,
  TensorId = 906,
  TensorIsVirtual = 907,
  TensorIsByValue = 908,
  PackIds = 1000,
  PackPointers = 1001,
  PackWorkspace = 1003,
  EngineGraph = 1300,
  EngineIndex = 1301,
  EngineDevice = 1307,
  MatmulPrecision = 1500,
  OperationMatmulA = 1520,
  OperationMatmulB = 1521,
  OperationMatmulC = 1522,
  OperationMatmul = 1523,
  ReductionOperatorOf = 1600,
  ReductionPrecision = 1601,
  OperationReductionX = 1610,
  OperationReductionY = 1611,
  OperationReduction = 1612,
  OperationReshapeX = 2200,
  OperationReshapeY = 2201,
  DeviceJson = 2702,
};

// X(member, return type, symbol, arguments...)
#define TXRT_CUDNN_FUNCTIONS(X)                                                                                        \
  X(getVersion, size_t, cudnnGetVersion, void)                                                                         \
  X(getErrorString, const char *, cudnnGetErrorString, Status)                                                         \
  X(getLastErrorString, void, cudnnGetLastErrorString, char *, size_t)                                                 \
  X(create, Status, cudnnCreate, Handle *)                                                                             \
  X(destroy, Status, cudnnDestroy, Handle)                                                                             \
  X(setStream, Status, cudnnSetStream, Handle, Stream)                                                                 \
  X(createDescriptor, Status, cudnnBackendCreateDescriptor, DescriptorType, Descriptor *)                              \
  X(destroyDescriptor, Status, cudnnBackendDestroyDescriptor, Descriptor)                                              \
  X(finalize, Status, cudnnBackendFinalize, Descriptor)                                                                \
  X(setAttribute, Status, cudnnBackendSetAttribute, Descriptor, Attribute, AttributeType, int64_t, const void *)       \
  X(getAttribute, Status, cudnnBackendGetAttribute, Descriptor, Attribute, AttributeType, int64_t, int64_t *, void *)  \
  X(execute, Status, cudnnBackendExecute, Handle, Descriptor, Descriptor)

} // namespace txrt::cuda::dnn

#endif // TXRT_BACKENDS_CUDA_CUDNNAPI_H
