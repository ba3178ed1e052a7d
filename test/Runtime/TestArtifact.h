//===- TestArtifact.h - Artifacts for the runtime's tests -----------------------------------------------*- C++ -*-===//
//
// Writes artifacts as the compiler does, and also as nobody should: every table is open to be broken before `bytes()`
// puts a valid digest on it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TEST_RUNTIME_TESTARTIFACT_H
#define TEST_RUNTIME_TESTARTIFACT_H

#include "txrt/runtime.h"

#include <cstdint>
#include <string>
#include <vector>

struct TestArtifact {
  std::vector<txrt_entry> entries;
  std::vector<txrt_launch> launches;
  std::vector<txrt_buffer> buffers;
  std::vector<txrt_kernel> kernels;
  std::string strings;
  std::vector<uint8_t> elf;                // the host's code, if not empty and there is no GPU's
  std::vector<txrt_gpu_kernel> gpuKernels; // of each kernel
  std::vector<txrt_gpu_image> gpuImages;
  std::string gpuCode;
  // What the code takes; made by `declare`, or by `bytes` if empty.
  std::vector<txrt_function> functions;
  std::vector<txrt_operand> operands;
  std::string functionNames;
  std::vector<txrt_attention> attentions;
  uint64_t segments[TXRT_SEGMENT_COUNT] = {};
  std::string backend = "host";
  std::string triple = "x86_64-unknown-linux-gnu";
  std::string features = "\"sse2\"";
  std::string globals;  // items of the list, as JSON text
  std::string manifest; // replaces the one made from the fields, if not empty

  uint32_t string(const std::string &text);
  uint32_t buffer(txrt_segment segment, txrt_dtype dtype, uint64_t offset, uint64_t bytes, bool writes);
  uint32_t kernel(const std::string &name, uint32_t buffers, uint32_t immediates);
  /// Launches whose buffers are the last ones added.
  txrt_launch &kernelLaunch(const std::string &name, uint32_t kernel, uint32_t buffers, uint64_t units, uint64_t grain,
                            std::vector<uint32_t> immediates);
  /// A product with A, B and C, and `more`, whose buffers are in this order.
  txrt_launch &gemmLaunch(const std::string &name, const txrt_gemm_launch &gemm,
                          const std::vector<txrt_gemm_operand> &more = {});
  /// `axis` is the mesh's; what is sent is not counted.
  txrt_launch &collectiveLaunch(const std::string &name, const txrt_collective_launch &collective);
  /// Makes the last launch wait for `launch`, one of another lane.
  void waitFor(uint32_t launch);
  /// An entry over the launches from `first` on.
  void entry(const std::string &name, uint32_t first);

  /// Declares each kernel as its first launch uses it.
  void declare();

  /// Makes it one for cuda, with GPU code for sm_90 and PTX for compute_80. The code is text: only the fake driver
  /// takes it.
  void addGpuCode();

  std::string manifestText() const;
  /// The code section, with a valid digest; empty without code.
  std::vector<uint8_t> codeUnit() const;
  std::vector<uint8_t> bytes() const;
};

/// Puts a valid digest (and length) into an artifact's bytes.
void seal(std::vector<uint8_t> &artifact);

/// Puts a valid digest into the code unit in `bytes`.
void sealCode(uint8_t *bytes, size_t size);

/// The ELF object with the kernels `weigh` and `bump`, as the C compiler wrote it.
const std::vector<uint8_t> &testKernels();

/// Two entries. "weigh": transient[u] = argument[u] * weights[u % 8], then += 3. "product": persistent C (4x5) = A
/// (4x3) B (3x5) of the arguments, beta 1 with a reset flag. Small, and has every kind of table item.
TestArtifact smallArtifact();

/// One product of matrices whose rows follow each other, without batch: what a test changes.
txrt_gemm_launch plainGemm(uint64_t m, uint64_t n, uint64_t k);

/// For cuda: C (4x5) = A (4x3) B (3x5) in one entry, with `vector` (BIAS, SUMS_A or SUMS_B; TXRT_GEMM_OPERANDS: none)
/// and `scratch` bytes. A at 0, B at 256, C at 512, the vector at 768, all of the arguments; scratch in the transient
/// part.
TestArtifact productWith(txrt_gemm_operand vector, uint64_t scratch);

/// Opens `bytes`; the artifact is closed again. Gives status and message.
txrt_error openError(const std::vector<uint8_t> &bytes);

#endif // TEST_RUNTIME_TESTARTIFACT_H
