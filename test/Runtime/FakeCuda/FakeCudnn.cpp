//===- FakeCudnn.cpp - Operation graphs, computed as they say -------------------------------------------*- C++ -*-===//
//
// What the cuda backend uses of libcudnn: descriptors keep what they are told, and a plan computes its graph operation
// by operation in f32. So a test sees whether the graph is attention; whether the library has an engine for it, and how
// fast, it can not see.
//
//   FAKE_CUDNN_VERSION=91900
//   FAKE_CUDNN_ENGINES=1       engines that there are for any graph
//   FAKE_CUDNN_WORKSPACE=256   bytes that a plan asks for
//   FAKE_CUDNN_RUNS=3          calls that run, those after them fail
//   FAKE_CUDNN_CAPTURED=0      none runs in a capture
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "FakeCuda.h"
#include "backends/cuda/CudnnApi.h"

#include <cmath>
#include <cstring>
#include <map>
#include <set>
#include <vector>

using fake::narrow;
using fake::setting;
using fake::widen;
using namespace txrt::cuda;
using namespace txrt::cuda::dnn;

namespace {

struct Object {
  DescriptorType type;
  std::map<Attribute, std::vector<uint8_t>> values;
  Object *graph = nullptr; // of an engine's configuration

  template <typename T> std::vector<T> list(Attribute attribute) const {
    const std::vector<uint8_t> &bytes = values.at(attribute);
    std::vector<T> result(bytes.size() / sizeof(T));
    memcpy(result.data(), bytes.data(), result.size() * sizeof(T));
    return result;
  }
  template <typename T> T value(Attribute attribute) const { return list<T>(attribute).at(0); }
  const Object &object(Attribute attribute) const { return *value<const Object *>(attribute); }
  bool has(Attribute attribute) const { return values.count(attribute); }
};

size_t sizeOf(AttributeType type) {
  switch (type) {
  case TypeBoolean:
  case TypeChar:
    return 1;
  case TypeInt64:
  case TypeHandle:
  case TypeVoidPointer:
  case TypeDescriptor:
    return 8;
  default:
    return 4;
  }
}

/// One run of a graph.
class Run {
public:
  Run(std::map<int64_t, void *> places, std::map<int64_t, float> constants)
      : places(std::move(places)), constants(std::move(constants)) {}

  void operation(const Object &op) {
    switch (op.type) {
    case OperationMatmulDescriptor:
      return matmul(op.object(OperationMatmulA), op.object(OperationMatmulB), op.object(OperationMatmulC));
    case OperationPointwiseDescriptor:
      return pointwise(op);
    case OperationReductionDescriptor:
      return reduce(op);
    case OperationReshapeDescriptor:
      return reshape(op.object(OperationReshapeX), op.object(OperationReshapeY));
    default:
      abort();
    }
  }

private:
  using Values = std::vector<float>; // of the index space, last index fastest

  struct Space {
    std::vector<int64_t> sizes, strides;
    explicit Space(const Object &tensor)
        : sizes(tensor.list<int64_t>(TensorDimensions)), strides(tensor.list<int64_t>(TensorStrides)) {}
    int64_t count() const { return sizes[0] * sizes[1] * sizes[2] * sizes[3]; }
    int64_t offset(int64_t index) const {
      int64_t result = 0;
      for (int d = 3; d >= 0; --d) {
        result += index % sizes[d] * strides[d];
        index /= sizes[d];
      }
      return result;
    }
    /// The element that another space's `index` meets here: a dimension of one is repeated, of a few (shared heads)
    /// each some times in a row.
    int64_t under(const Space &other, int64_t index) const {
      int64_t at[4], result = 0;
      for (int d = 3; d >= 0; --d) {
        at[d] = index % other.sizes[d] * sizes[d] / other.sizes[d];
        index /= other.sizes[d];
      }
      for (int d = 0; d < 4; ++d)
        result = result * sizes[d] + at[d];
      return result;
    }
  };

  Values load(const Object &tensor) {
    const int64_t id = tensor.value<int64_t>(TensorId);
    if (auto known = computed.find(id); known != computed.end())
      return known->second;
    if (tensor.value<uint8_t>(TensorIsByValue))
      return {constants.at(id)};
    const Space space(tensor);
    Values values(static_cast<size_t>(space.count()));
    for (int64_t i = 0; i < space.count(); ++i)
      values[static_cast<size_t>(i)] = tensor.value<int>(TensorDataType) == dnn::BF16
                                           ? widen(static_cast<uint16_t *>(places.at(id))[space.offset(i)])
                                           : static_cast<float *>(places.at(id))[space.offset(i)];
    return values;
  }

  void store(const Object &tensor, Values values) {
    const int64_t id = tensor.value<int64_t>(TensorId);
    const bool isNarrow = tensor.value<int>(TensorDataType) == dnn::BF16;
    for (float &value : values)
      value = isNarrow ? widen(narrow(value)) : value;
    if (!tensor.value<uint8_t>(TensorIsVirtual)) {
      const Space space(tensor);
      for (int64_t i = 0; i < space.count(); ++i) {
        const float value = values[static_cast<size_t>(i)];
        if (isNarrow)
          static_cast<uint16_t *>(places.at(id))[space.offset(i)] = narrow(value);
        else
          static_cast<float *>(places.at(id))[space.offset(i)] = value;
      }
    }
    computed[id] = std::move(values);
  }

  void matmul(const Object &a, const Object &b, const Object &c) {
    const Space sa(a), sb(b), sc(c);
    const Values va = load(a), vb = load(b);
    Values result(static_cast<size_t>(sc.count()));
    const int64_t rows = sc.sizes[2], columns = sc.sizes[3], inner = sa.sizes[3];
    for (int64_t batch = 0; batch < sc.sizes[0]; ++batch)
      for (int64_t head = 0; head < sc.sizes[1]; ++head) {
        auto matrix = [&](const Space &s) {
          return (batch * s.sizes[1] + head * s.sizes[1] / sc.sizes[1]) * s.sizes[2] * s.sizes[3];
        };
        for (int64_t i = 0; i < rows; ++i)
          for (int64_t j = 0; j < columns; ++j) {
            float sum = 0;
            for (int64_t p = 0; p < inner; ++p)
              sum += va[static_cast<size_t>(matrix(sa) + i * inner + p)] *
                     vb[static_cast<size_t>(matrix(sb) + p * columns + j)];
            result[static_cast<size_t>(matrix(sc) + i * columns + j)] = sum;
          }
      }
    store(c, std::move(result));
  }

  void pointwise(const Object &op) {
    const Object &kind = op.object(OperationPointwise);
    const Object &x = op.object(OperationPointwiseX);
    const Object &y = op.object(OperationPointwiseY);
    const Space space(y), spaceX(x);
    const int mode = kind.value<int>(PointwiseModeOf);
    const Values vx = load(x);
    auto optional = [&](Attribute attribute) { return op.has(attribute) ? &op.object(attribute) : nullptr; };
    const Object *b = optional(OperationPointwiseB);
    const Object *t = optional(OperationPointwiseT);
    const Values vb = b ? load(*b) : Values(), vt = t ? load(*t) : Values();
    Values result(static_cast<size_t>(space.count()));
    for (int64_t i = 0; i < space.count(); ++i) {
      auto at = [&](const Object *tensor, const Values &values) {
        return tensor ? values[static_cast<size_t>(Space(*tensor).under(space, i))] : 0.0f;
      };
      const float u = at(&x, vx), v = at(b, vb);
      float &to = result[static_cast<size_t>(i)];
      switch (mode) {
      case Add:
        to = u + v;
        break;
      case Subtract:
        to = u - v;
        break;
      case Multiply:
        to = u * v;
        break;
      case Divide:
        to = u / v;
        break;
      case Exp:
        to = std::exp(u);
        break;
      case Log:
        to = std::log(u);
        break;
      case Identity:
        to = u;
        break;
      case GreaterOrEqual:
        to = u >= v;
        break;
      case Select:
        to = at(t, vt) != 0 ? u : v;
        break;
      case Index: {
        int64_t index = i;
        for (int d = 3; d > kind.value<int64_t>(PointwiseAxis); --d)
          index /= space.sizes[d];
        to = static_cast<float>(index % space.sizes[kind.value<int64_t>(PointwiseAxis)]);
        break;
      }
      default:
        abort();
      }
    }
    store(y, std::move(result));
  }

  void reduce(const Object &op) {
    const Object &x = op.object(OperationReductionX);
    const Object &y = op.object(OperationReductionY);
    const bool isMaximum = op.object(OperationReduction).value<int>(ReductionOperatorOf) == Maximum;
    const Space from(x), to(y);
    const Values vx = load(x);
    Values result(static_cast<size_t>(to.count()), isMaximum ? -INFINITY : 0);
    for (int64_t i = 0; i < from.count(); ++i) {
      float &sum = result[static_cast<size_t>(to.under(from, i))];
      const float value = vx[static_cast<size_t>(i)];
      sum = isMaximum ? std::max(sum, value) : sum + value;
    }
    store(y, std::move(result));
  }

  void reshape(const Object &x, const Object &y) {
    const Space from(x), to(y);
    const Values vx = load(x);
    std::map<int64_t, float> elements;
    for (int64_t i = 0; i < from.count(); ++i)
      elements[from.offset(i)] = vx[static_cast<size_t>(i)];
    Values result;
    for (int64_t i = 0; i < to.count(); ++i)
      result.push_back(elements.at(to.offset(i)));
    store(y, std::move(result));
  }

  std::map<int64_t, void *> places;
  std::map<int64_t, float> constants;
  std::map<int64_t, Values> computed;
};

Object *objectOf(Descriptor descriptor) { return static_cast<Object *>(descriptor); }

Stream theStream = nullptr;
long runs = 0;
std::set<Descriptor> started; // plans
constexpr Status ExecutionFailed = 5000;

} // namespace

extern "C" {

size_t cudnnGetVersion() { return static_cast<size_t>(setting("FAKE_CUDNN_VERSION", 91900)); }
const char *cudnnGetErrorString(Status) { return "said by the fake"; }
void cudnnGetLastErrorString(char *text, size_t size) { strncpy(text, "why, too", size); }
Status cudnnCreate(Handle *) {
  runs = 0;
  return fake::mayActUnseen() ? 0 : 1001;
}
Status cudnnDestroy(Handle) { return 0; }
Status cudnnSetStream(Handle, Stream stream) {
  theStream = stream;
  return 0;
}
Status cudnnBackendCreateDescriptor(DescriptorType type, Descriptor *to) {
  *to = new Object{type, {}};
  return 0;
}
Status cudnnBackendDestroyDescriptor(Descriptor descriptor) {
  started.erase(descriptor);
  delete objectOf(descriptor);
  return 0;
}
// Blackwell has an engine of its own for backward.
Status cudnnBackendFinalize(Descriptor descriptor) {
  Object &object = *objectOf(descriptor);
  if (object.type == EngineConfigDescriptor && object.has(ConfigEngine)) {
    const Object &engine = object.object(ConfigEngine);
    object.graph = const_cast<Object *>(&engine.object(EngineGraph));
    return engine.value<int64_t>(EngineIndex) == 5 && setting("FAKE_CUDA_CAPABILITY", 90) / 10 == 10 ? 0 : 2000;
  }
  return 0;
}
Status cudnnBackendSetAttribute(Descriptor descriptor, Attribute attribute, AttributeType type, int64_t count,
                                const void *from) {
  const uint8_t *bytes = static_cast<const uint8_t *>(from);
  objectOf(descriptor)->values[attribute].assign(bytes, bytes + static_cast<size_t>(count) * sizeOf(type));
  return 0;
}
Status cudnnBackendGetAttribute(Descriptor descriptor, Attribute attribute, AttributeType, int64_t requested,
                                int64_t *count, void *to) {
  Object &object = *objectOf(descriptor);
  if (attribute == HeuristicResults) {
    *count = setting("FAKE_CUDNN_ENGINES", 1);
    for (int64_t i = 0; i < requested; ++i)
      static_cast<Object **>(to)[i]->graph = const_cast<Object *>(&object.object(HeuristicGraph));
  } else if (attribute == PlanWorkspaceBytes) {
    *static_cast<int64_t *>(to) = setting("FAKE_CUDNN_WORKSPACE", 256);
  } else {
    return 2000;
  }
  return 0;
}
Status cudnnBackendExecute(Handle, Descriptor plan, Descriptor pack) {
  const Object &operands = *objectOf(pack);
  const std::vector<int64_t> ids = operands.list<int64_t>(PackIds);
  const std::vector<void *> pointers = operands.list<void *>(PackPointers);
  const std::vector<const Object *> operations =
      objectOf(plan)->object(PlanEngineConfig).graph->list<const Object *>(GraphOperations);
  std::map<int64_t, void *> places;
  std::map<int64_t, float> constants;
  for (size_t i = 0; i < ids.size(); ++i) {
    places[ids[i]] = pointers[i];
    constants[ids[i]] = 0;
  }
  // Numbers are taken when the call is made, memory when it runs.
  for (const Object *op : operations)
    for (Attribute attribute : {OperationPointwiseX, OperationPointwiseB})
      if (op->has(attribute) && op->object(attribute).value<uint8_t>(TensorIsByValue)) {
        const int64_t id = op->object(attribute).value<int64_t>(TensorId);
        memcpy(&constants[id], places.at(id), sizeof(float));
      }
  void *workspace = operands.value<void *>(PackWorkspace);
  const long bytes = setting("FAKE_CUDNN_WORKSPACE", 256);
  if (bytes && !workspace)
    return 2000;
  if (runs == setting("FAKE_CUDNN_RUNS", -1) || (!setting("FAKE_CUDNN_CAPTURED", 1) && !fake::mayActUnseen()))
    return ExecutionFailed;
  ++runs;
  // Its code comes with the first call.
  if (started.insert(plan).second && !fake::mayActUnseen())
    return ExecutionFailed;
  fake::run(theStream, [=] {
    memset(workspace, 0xee, static_cast<size_t>(bytes));
    Run once(places, constants);
    for (const Object *op : operations)
      once.operation(*op);
  });
  return 0;
}

} // extern "C"
