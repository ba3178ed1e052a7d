#include "backends/cuda/CudnnGraph.h"
#include "backends/cuda/Driver.h"

#include <algorithm>

namespace txrt::cuda::dnn {

// NVIDIA's cudnn-frontend refuses bf16 attention with cuDNN 9.10.0 and 9.10.1, which have bugs. Before 9.6 the caller
// had to clear the f32 sums of dQ.
static constexpr size_t oldestVersion = 91002;

Library::Library() {
  void *library = openLibrary({"libcudnn.so.9"}, "cuDNN 9 is not here");
#define TXRT_LOAD(member, type, function, ...)                                                                         \
  member = reinterpret_cast<type (*)(__VA_ARGS__)>(symbol(library, "cuDNN", #function));
  TXRT_CUDNN_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
  if (getVersion() < oldestVersion)
    fail(TXRT_DEVICE, "found %s; attention needs 9.10.2 or newer", version().c_str());
}

const Library &Library::get() {
  static const Library library;
  return library;
}

std::string Library::version() const {
  const size_t v = getVersion();
  return format("cuDNN %zu.%zu.%zu", v / 10000, v / 100 % 100, v % 100);
}

void Library::check(Status status, const char *what) const {
  if (status == dnn::Success)
    return;
  char text[512] = "";
  getLastErrorString(text, sizeof text);
  fail(TXRT_DEVICE, "cuDNN: %s: %s%s%s", what, getErrorString(status), *text ? ": " : "", printable(text).c_str());
}

Graph::~Graph() {
  // Destroy descriptors in reverse order: later ones refer to earlier ones.
  std::for_each(owned.rbegin(), owned.rend(), [&](Descriptor descriptor) { library.destroyDescriptor(descriptor); });
}

Descriptor Graph::create(DescriptorType type) {
  Descriptor descriptor = nullptr;
  library.check(library.createDescriptor(type, &descriptor), "descriptor");
  owned.push_back(descriptor);
  return descriptor;
}

void Graph::set(Descriptor descriptor, Attribute attribute, AttributeType type, const void *values, int64_t count) {
  library.check(library.setAttribute(descriptor, attribute, type, count, values), "attribute");
}

void Graph::finalize(Descriptor descriptor, const char *what) { library.check(library.finalize(descriptor), what); }

//===--------------------------------------------------------------------------------------------------------------===//
// Tensors
//===--------------------------------------------------------------------------------------------------------------===//

static Sizes packed(Sizes sizes) { return {sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1}; }

Tensor Graph::tensor(DataType type, Sizes sizes, Sizes strides, bool isVirtual, bool isConstant) {
  Tensor result{create(TensorDescriptor), nextId++, sizes};
  Descriptor d = result.descriptor;
  const int64_t alignment = isConstant ? 4 : 16;
  set(d, TensorDataType, TypeDataType, &type);
  set(d, TensorDimensions, TypeInt64, sizes.data(), 4);
  set(d, TensorStrides, TypeInt64, strides.data(), 4);
  set(d, TensorId, TypeInt64, &result.id);
  set(d, TensorByteAlignment, TypeInt64, &alignment);
  set(d, TensorIsVirtual, TypeBoolean, &isVirtual);
  set(d, TensorIsByValue, TypeBoolean, &isConstant);
  finalize(d, "a tensor");
  return result;
}

Tensor Graph::memory(DataType type, Sizes sizes, Sizes strides) { return tensor(type, sizes, strides, false, false); }

Tensor Graph::virtualTensor(DataType type, Sizes sizes, Sizes strides) {
  return tensor(type, sizes, strides, true, false);
}

Tensor Graph::constant(float value) {
  Tensor result = tensor(F32, {1, 1, 1, 1}, {1, 1, 1, 1}, false, true);
  constants.push_back({result.id, value});
  return result;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Operations
//===--------------------------------------------------------------------------------------------------------------===//

void Graph::matmul(const Tensor &a, const Tensor &b, const Tensor &to) {
  const DataType precision = F32;
  Descriptor kind = create(MatmulDescriptor);
  set(kind, MatmulPrecision, TypeDataType, &precision);
  finalize(kind, "a product");
  Descriptor op = create(OperationMatmulDescriptor);
  set(op, OperationMatmulA, TypeDescriptor, &a.descriptor);
  set(op, OperationMatmulB, TypeDescriptor, &b.descriptor);
  set(op, OperationMatmulC, TypeDescriptor, &to.descriptor);
  set(op, OperationMatmul, TypeDescriptor, &kind);
  finalize(op, "a product");
  operations.push_back(op);
}

Tensor Graph::matmul(const Tensor &a, const Tensor &b, Sizes sizes) {
  Tensor to = virtualTensor(F32, sizes, packed(sizes));
  matmul(a, b, to);
  return to;
}

void Graph::pointwiseOp(PointwiseMode mode, DataType precision, const Tensor &x, const Tensor *b, const Tensor *t,
                        const Tensor &to, int64_t axis) {
  Descriptor kind = create(PointwiseDescriptor);
  set(kind, PointwiseModeOf, TypePointwiseMode, &mode);
  set(kind, PointwisePrecision, TypeDataType, &precision);
  if (axis >= 0)
    set(kind, PointwiseAxis, TypeInt64, &axis);
  finalize(kind, "an elementwise operation");
  Descriptor op = create(OperationPointwiseDescriptor);
  set(op, OperationPointwise, TypeDescriptor, &kind);
  set(op, OperationPointwiseX, TypeDescriptor, &x.descriptor);
  if (b)
    set(op, OperationPointwiseB, TypeDescriptor, &b->descriptor);
  if (t)
    set(op, OperationPointwiseT, TypeDescriptor, &t->descriptor);
  set(op, OperationPointwiseY, TypeDescriptor, &to.descriptor);
  finalize(op, "an elementwise operation");
  operations.push_back(op);
}

void Graph::pointwise(PointwiseMode mode, const Tensor &x, const Tensor *b, const Tensor &to) {
  pointwiseOp(mode, F32, x, b, nullptr, to);
}

Tensor Graph::pointwise(PointwiseMode mode, const Tensor &x, const Tensor &b) {
  Tensor to = virtualTensor(F32, x.sizes, packed(x.sizes));
  pointwise(mode, x, &b, to);
  return to;
}

Tensor Graph::pointwise(PointwiseMode mode, const Tensor &x) {
  Tensor to = virtualTensor(F32, x.sizes, packed(x.sizes));
  pointwise(mode, x, nullptr, to);
  return to;
}

Tensor Graph::lowerTriangle(const Tensor &x, const Tensor &otherwise) {
  Tensor row = virtualTensor(I32, x.sizes, packed(x.sizes));
  Tensor column = virtualTensor(I32, x.sizes, packed(x.sizes));
  Tensor inside = virtualTensor(Boolean, x.sizes, packed(x.sizes));
  Tensor to = virtualTensor(F32, x.sizes, packed(x.sizes));
  pointwiseOp(Index, F32, x, nullptr, nullptr, row, 2);
  pointwiseOp(Index, F32, x, nullptr, nullptr, column, 3);
  pointwiseOp(GreaterOrEqual, Boolean, row, &column, nullptr, inside);
  pointwiseOp(Select, F32, x, &otherwise, &inside, to);
  return to;
}

void Graph::reduce(ReductionOperator op, const Tensor &x, const Tensor &to) {
  const DataType precision = F32;
  Descriptor kind = create(ReductionDescriptor);
  set(kind, ReductionOperatorOf, TypeReductionOperator, &op);
  set(kind, ReductionPrecision, TypeDataType, &precision);
  finalize(kind, "a reduction");
  Descriptor operation = create(OperationReductionDescriptor);
  set(operation, OperationReductionX, TypeDescriptor, &x.descriptor);
  set(operation, OperationReductionY, TypeDescriptor, &to.descriptor);
  set(operation, OperationReduction, TypeDescriptor, &kind);
  finalize(operation, "a reduction");
  operations.push_back(operation);
}

Tensor Graph::reduce(ReductionOperator op, const Tensor &x, Sizes sizes) {
  Tensor to = virtualTensor(F32, sizes, packed(sizes));
  reduce(op, x, to);
  return to;
}

Tensor Graph::reshape(const Tensor &x, DataType type, Sizes sizes, Sizes strides) {
  Tensor to = virtualTensor(type, sizes, strides);
  Descriptor op = create(OperationReshapeDescriptor);
  set(op, OperationReshapeX, TypeDescriptor, &x.descriptor);
  set(op, OperationReshapeY, TypeDescriptor, &to.descriptor);
  finalize(op, "a view");
  operations.push_back(op);
  return to;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Plans
//===--------------------------------------------------------------------------------------------------------------===//

void Graph::describe(Handle handle, const char *device) {
  if (device) {
    properties = create(DevicePropertyDescriptor);
    set(properties, DeviceJson, TypeChar, device, static_cast<int64_t>(std::string(device).size()));
    finalize(properties, "the device's description");
  }
  graph = create(OperationGraphDescriptor);
  if (handle)
    set(graph, GraphHandle, TypeHandle, &handle);
  set(graph, GraphOperations, TypeDescriptor, operations.data(), static_cast<int64_t>(operations.size()));
  finalize(graph, "the graph");
}

/// The engine configurations that the library proposes, its first choice first.
std::vector<Descriptor> Graph::choose() {
  const HeuristicMode mode = ModeA;
  const char *what = "the choice of an engine";
  Descriptor heuristic = create(EngineHeuristicDescriptor);
  set(heuristic, HeuristicGraph, TypeDescriptor, &graph);
  set(heuristic, HeuristicModeOf, TypeHeuristicMode, &mode);
  if (properties)
    set(heuristic, HeuristicDevice, TypeDescriptor, &properties);
  finalize(heuristic, what);
  int64_t count = 0;
  library.check(library.getAttribute(heuristic, HeuristicResults, TypeDescriptor, 0, &count, nullptr), what);
  std::vector<Descriptor> configs;
  for (int64_t i = 0; i < count; ++i)
    configs.push_back(create(EngineConfigDescriptor));
  library.check(library.getAttribute(heuristic, HeuristicResults, TypeDescriptor, count, &count, configs.data()), what);
  configs.resize(static_cast<size_t>(count));
  return configs;
}

/// The configuration of an engine with its knobs; null if the engine takes neither the graph nor these knobs.
Descriptor Graph::configure(const Engine &engine) {
  Descriptor chosen = create(EngineDescriptor);
  set(chosen, EngineGraph, TypeDescriptor, &graph);
  set(chosen, EngineIndex, TypeInt64, &engine.index);
  if (properties)
    set(chosen, EngineDevice, TypeDescriptor, &properties);
  if (library.finalize(chosen) != dnn::Success)
    return nullptr;
  std::vector<Descriptor> choices;
  for (const auto &[knob, value] : engine.knobs) {
    choices.push_back(create(KnobChoiceDescriptor));
    set(choices.back(), KnobChoiceOf, TypeKnob, &knob);
    set(choices.back(), KnobChoiceValue, TypeInt64, &value);
    finalize(choices.back(), "a knob");
  }
  Descriptor config = create(EngineConfigDescriptor);
  set(config, ConfigEngine, TypeDescriptor, &chosen);
  set(config, ConfigKnobs, TypeDescriptor, choices.data(), static_cast<int64_t>(choices.size()));
  return library.finalize(config) == dnn::Success ? config : nullptr;
}

Status Graph::makePlan(Handle handle, Descriptor config) {
  Descriptor candidate = create(ExecutionPlanDescriptor);
  if (handle)
    set(candidate, PlanHandle, TypeHandle, &handle);
  if (properties)
    set(candidate, PlanDevice, TypeDescriptor, &properties);
  set(candidate, PlanEngineConfig, TypeDescriptor, &config);
  const Status status = library.finalize(candidate);
  if (status != dnn::Success)
    return status;
  plan = candidate;
  int64_t found = 0;
  library.check(library.getAttribute(plan, PlanWorkspaceBytes, TypeInt64, 1, &found, &workspace),
                "the workspace's size");
  return status;
}

void Graph::finish(Handle handle, const char *device, const Engine *preferred) {
  describe(handle, device);
  Descriptor own = preferred ? configure(*preferred) : nullptr;
  if (own && makePlan(handle, own) == dnn::Success)
    return;
  const std::vector<Descriptor> configs = choose();
  if (configs.empty())
    fail(TXRT_DEVICE, "cuDNN: has no engine for the graph");
  Status status = dnn::Success;
  for (Descriptor config : configs)
    if ((status = makePlan(handle, config)) == dnn::Success)
      return;
  library.check(status, "a plan");
}

void Graph::enqueue(Handle handle, const std::vector<std::pair<int64_t, void *>> &places, void *workspaceAt) {
  std::vector<int64_t> ids;
  std::vector<void *> pointers;
  for (auto [id, place] : places) {
    ids.push_back(id);
    pointers.push_back(place);
  }
  for (auto &[id, value] : constants) {
    ids.push_back(id);
    pointers.push_back(&value);
  }
  Descriptor pack = nullptr;
  library.check(library.createDescriptor(VariantPackDescriptor, &pack), "operands");
  struct Destroyed {
    const Library &library;
    Descriptor pack;
    ~Destroyed() { library.destroyDescriptor(pack); }
  } destroyed{library, pack};
  set(pack, PackIds, TypeInt64, ids.data(), static_cast<int64_t>(ids.size()));
  set(pack, PackPointers, TypeVoidPointer, pointers.data(), static_cast<int64_t>(pointers.size()));
  set(pack, PackWorkspace, TypeVoidPointer, &workspaceAt);
  finalize(pack, "operands");
  library.check(library.execute(handle, plan, pack), "attention");
}

} // namespace txrt::cuda::dnn
