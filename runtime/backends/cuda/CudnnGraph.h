//===- CudnnGraph.h - Operation graphs of cuDNN, and their plans ----------------------------------------*- C++ -*-===//
//
//   Graph graph(dnn::Library::get());
//   Tensor s = graph.matmul(q, kTransposed, {b, h, s, t});
//   s = graph.pointwise(dnn::Multiply, s, graph.constant(scale));
//   graph.finish(handle);
//   graph.enqueue(handle, {{q, address}, ...}, workspace);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_CUDNNGRAPH_H
#define TXRT_BACKENDS_CUDA_CUDNNGRAPH_H

#include "backends/cuda/CudnnApi.h"
#include "core/Failure.h"

#include <array>
#include <deque>
#include <memory>
#include <vector>

namespace txrt::cuda::dnn {

struct Library {
#define TXRT_MEMBER(member, type, symbol, ...) type (*member)(__VA_ARGS__);
  TXRT_CUDNN_FUNCTIONS(TXRT_MEMBER)
#undef TXRT_MEMBER

  /// The library, opened once for the process. Fails with TXRT_DEVICE if it is missing or too old.
  static const Library &get();

  /// "cuDNN 9.19.0".
  std::string version() const;
  /// Fails, with the library's own message, if a call did not succeed. `what` names the call.
  void check(Status status, const char *what) const;

private:
  Library();
};

/// One of the library's engines, with the values of its knobs.
struct Engine {
  int64_t index;
  std::vector<std::pair<Knob, int64_t>> knobs;
};

using Sizes = std::array<int64_t, 4>;

/// A value of a graph: sizes and strides in elements.
struct Tensor {
  Descriptor descriptor = nullptr;
  int64_t id = 0;
  Sizes sizes = {};
};

class Graph {
public:
  explicit Graph(const Library &library) : library(library) {}
  Graph(const Graph &) = delete;
  ~Graph();

  /// A tensor in memory.
  Tensor memory(DataType type, Sizes sizes, Sizes strides);
  /// A number, which enqueue passes to the library.
  Tensor constant(float value);

  Tensor matmul(const Tensor &a, const Tensor &b, Sizes sizes);
  void matmul(const Tensor &a, const Tensor &b, const Tensor &to);
  Tensor pointwise(PointwiseMode mode, const Tensor &x, const Tensor &b);
  Tensor pointwise(PointwiseMode mode, const Tensor &x);
  void pointwise(PointwiseMode mode, const Tensor &x, const Tensor *b, const Tensor &to);
  /// x where row index >= column index, else `otherwise`.
  Tensor lowerTriangle(const Tensor &x, const Tensor &otherwise);
  /// Reduces x over the dimensions whose size in `sizes` is 1.
  Tensor reduce(ReductionOperator op, const Tensor &x, Sizes sizes);
  void reduce(ReductionOperator op, const Tensor &x, const Tensor &to);
  /// The same elements with other sizes, strides and type.
  Tensor reshape(const Tensor &x, DataType type, Sizes sizes, Sizes strides);
  /// A value that stays inside of the graph and has no memory.
  Tensor virtualTensor(DataType type, Sizes sizes, Sizes strides);

  /// Lets the library plan the graph for `handle`'s device; on a machine without a device, for the one that `device`
  /// describes (in the library's JSON format). Takes the engine `preferred` if it can run the graph, else one that the
  /// library chooses.
  void finish(Handle handle, const char *device = nullptr, const Engine *preferred = nullptr);
  /// Bytes of workspace that a call needs beside the tensors.
  int64_t workspaceBytes() const { return workspace; }
  void enqueue(Handle handle, const std::vector<std::pair<int64_t, void *>> &places, void *workspaceAt);

private:
  void describe(Handle handle, const char *device);
  std::vector<Descriptor> choose();
  Descriptor configure(const Engine &engine);
  /// Makes a plan with the engine of `config`. Returns the library's status: success, or why there is no plan.
  Status makePlan(Handle handle, Descriptor config);
  Descriptor create(DescriptorType type);
  void set(Descriptor descriptor, Attribute attribute, AttributeType type, const void *values, int64_t count = 1);
  void finalize(Descriptor descriptor, const char *what);
  Tensor tensor(DataType type, Sizes sizes, Sizes strides, bool isVirtual, bool isConstant);
  void pointwiseOp(PointwiseMode mode, DataType precision, const Tensor &x, const Tensor *b, const Tensor *t,
                   const Tensor &to, int64_t axis = -1);

  const Library &library;
  std::vector<Descriptor> owned, operations;
  Descriptor graph = nullptr, properties = nullptr, plan = nullptr;
  int64_t workspace = 0;
  std::deque<std::pair<int64_t, float>> constants; // a deque, since their addresses must not change
  int64_t nextId = 1;
};

} // namespace txrt::cuda::dnn

#endif // TXRT_BACKENDS_CUDA_CUDNNGRAPH_H
