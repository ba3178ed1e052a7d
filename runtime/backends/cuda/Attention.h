//===- Attention.h - Scaled dot product attention by cuDNN ----------------------------------------------*- C++ -*-===//
//
// Launches that say they are attention may run as a graph of cuDNN instead of as the generated kernel. Which of the two
// is decided once for a session: all launches run the same way, so no recomputation differs from its forward.
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
  /// For a device of this compute capability, 90 for instance. Fails where the library's version computes it wrong. A
  /// deterministic backward adds dQ in one order; most engines keep batch * heads * queries * keys bf16 values in its
  /// scratch for that. `device` as in Graph::finish.
  AttentionPlan(const dnn::Library &library, dnn::Handle handle, const txrt_attention &attention, uint32_t capability,
                const char *device = nullptr);

  /// What a call needs: the library's own workspace and what stays between the parts of its graph.
  uint64_t scratchBytes() const;

  void enqueue(dnn::Handle handle, const std::array<void *, TXRT_ATTENTION_OPERANDS> &operands, void *scratch);

private:
  void buildForward();
  void buildBackward();
  dnn::Tensor operand(txrt_attention_operand which);
  dnn::Tensor transposed(txrt_attention_operand which);
  dnn::Tensor statistics();
  dnn::Tensor scores(const dnn::Tensor &q, const dnn::Tensor &k);

  const txrt_attention attention;
  dnn::Graph graph;
  std::array<int64_t, TXRT_ATTENTION_OPERANDS> ids = {};
  // Tensors in the scratch, before the library's workspace.
  std::vector<std::pair<int64_t, uint64_t>> kept; // id, offset
  uint64_t keptBytes = 0;
};

/// The attention launches of a program.
class Attention {
public:
  /// Fails with the reason when the library can not run every one of them.
  Attention(const txrt_program &program, uint32_t capability, Stream stream);
  Attention(const Attention &) = delete;

  void launch(uint32_t index, DevicePointer arena);
  /// Queues every attention launch of the program.
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
