//===- Attention.h - Scaled dot product attention by cuDNN ----------------------------------------------*- C++ -*-===//
//
// A launch with a txrt_attention may run as a graph of cuDNN instead of as the generated kernel. The session chooses
// one of the two for all its attention launches, so a recomputation has the bits of its forward.
//
// Never executed on a device.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_ATTENTION_H
#define TXRT_BACKENDS_CUDA_ATTENTION_H

#include "backends/cuda/CudnnGraph.h"
#include "backends/cuda/LibraryHandle.h"
#include "txrt/backend.h"

#include <array>
#include <map>

namespace txrt::cuda {

/// One distinct attention, forward or backward.
class AttentionPlan {
public:
  /// Makes a plan for a device of compute capability `capability`, for instance 90. Fails if the library's version
  /// computes this attention wrong. A deterministic backward adds dQ in one order; for that most engines keep batch *
  /// heads * queries * keys bf16 values in the scratch. `device` is that of Graph::finish.
  AttentionPlan(const dnn::Library &library, dnn::Handle handle, const txrt_attention &attention, uint32_t capability,
                const char *device = nullptr);

  /// Bytes of scratch that a call needs: the library's workspace, and the tensors that one part of the graph writes and
  /// another reads.
  uint64_t scratchBytes() const;

  void enqueue(dnn::Handle handle, const std::array<void *, TXRT_ATTENTION_OPERANDS> &operands);

private:
  void buildForward();
  void buildBackward();
  int64_t widthOf(txrt_attention_operand which) const;
  dnn::Tensor operand(txrt_attention_operand which);
  dnn::Tensor transposed(txrt_attention_operand which);
  dnn::Tensor statistics();
  dnn::Tensor scores(const dnn::Tensor &q, const dnn::Tensor &k);

  const txrt_attention attention;
  dnn::Graph graph;
  std::array<int64_t, TXRT_ATTENTION_OPERANDS> ids = {};
  // Tensors that lie in the scratch, before the library's workspace.
  std::vector<std::pair<int64_t, uint64_t>> kept; // id, offset
  uint64_t keptBytes = 0;
};

/// The attention launches of a program.
class Attention {
public:
  /// Fails, with the reason, if the library cannot run every one of them.
  Attention(const txrt_program &program, uint32_t capability, Stream stream);
  Attention(const Attention &) = delete;

  void launch(uint32_t index, DevicePointer arena);
  /// Queues every attention launch of the program, to try them.
  void launchAll(DevicePointer arena);
  /// "cuDNN 9.19.0".
  std::string description() const { return library.version(); }

private:
  const txrt_program &program;
  const dnn::Library &library;
  const LibraryHandle<dnn::Library, dnn::Handle> handle;
  std::map<std::string, AttentionPlan> plans;
  std::vector<AttentionPlan *> ofLaunch;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_ATTENTION_H
