//===- Program.h - The launch table, checked ------------------------------------------------------------*- C++ -*-===//
//
// The constructor of `Program` throws unless every index of the launch table is valid and every operand lies inside its
// segment. So backends need not check any of it again.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_PROGRAM_H
#define TXRT_CORE_PROGRAM_H

#include "core/Code.h"
#include "core/Container.h"
#include "core/Manifest.h"
#include "txrt/backend.h"

#include <vector>

namespace txrt {

class Program {
public:
  // Products of two such numbers, summed a few times, fit in 128 bits.
  static constexpr uint64_t maxExtent = uint64_t(1) << 48;

  Program(const Container &container, const Manifest &manifest);
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;

  const txrt_program &view() const { return data; }

private:
  void readTables();
  void layOutArena();
  void checkBuffers() const;
  void findFunctions();
  void checkKernels() const;
  void checkEntries() const;
  void namePlaces();
  void checkLaunch(uint32_t index) const;
  void checkLane(uint32_t index) const;
  void checkKernelLaunch(uint32_t index) const;
  /// Throws unless a kernel launch has the units and operands that its function was made for (txrt_function).
  void checkFunction(uint32_t index) const;
  void checkGemmLaunch(uint32_t index) const;
  void checkAttention(uint32_t index, const txrt_attention &attention) const;
  void checkCollectiveLaunch(uint32_t index) const;
  void checkAxis(uint32_t index) const;
  void checkGemmBuffers(uint32_t index) const;
  void checkGemmMatrices(uint32_t index) const;
  /// Checks the launch's buffer `which`, a library's scratch.
  void checkScratch(uint32_t index, uint32_t which) const;

  /// The name at a string offset. Throws, with a message that begins with `what`, if there is none.
  const char *name(uint32_t offset, const std::string &what) const;
  std::string describe(uint32_t launch) const;
  [[noreturn]] void refuse(const std::string &what) const;

  const Container &container;
  const Manifest &manifest;
  std::vector<txrt_entry> entries;
  std::vector<txrt_launch> launches;
  std::vector<txrt_buffer> buffers;
  std::vector<txrt_kernel> kernels;
  Code code;
  std::vector<uint32_t> kernelFunctions; // for each kernel, the index of its function in `code`
  std::vector<txrt_attention> attentions;
  std::vector<const char *> features;
  std::vector<txrt_place> places;
  txrt_program data = {};
};

/// How messages call a launch: "launch 57 (mlp.fc1:gemm)". The number is the launch's index in the table; the step IR,
/// a dry run and a trace show the same one.
std::string describeLaunch(const txrt_program &program, uint32_t launch);

/// Bytes that a launch moves between memory and itself for a buffer: each byte of the buffer once; 0 for scratch and
/// for a buffer that the kernel does not read.
inline uint64_t movedBytes(const txrt_buffer &buffer) {
  return buffer.dtype == TXRT_DTYPE_BYTE || buffer.unread ? 0 : buffer.bytes;
}

/// A matrix operand of a product (TXRT_GEMM_A, B or C) as the ABI lays it out: `rows` x `columns` matrices.
struct GemmOperand {
  uint64_t rows, columns;
  txrt_gemm_matrix layout;
};
GemmOperand gemmOperand(const txrt_gemm_launch &gemm, int operand);

/// Where the operand's matrix of batch index (i0, i1) begins, in elements.
inline uint64_t matrixBegin(const txrt_gemm_matrix &layout, uint64_t i0, uint64_t i1) {
  return i0 * layout.stride0 + i1 / layout.repeat * layout.stride1;
}

/// The role of the vector that the product adds to C (BIAS) or writes beside C (SUMS_A, SUMS_B); TXRT_GEMM_OPERANDS if
/// there is none.
txrt_gemm_operand gemmVector(const txrt_gemm_launch &gemm);
/// The launch's buffer with this role in the product; null if there is none, as for TXRT_GEMM_OPERANDS.
const txrt_buffer *gemmBuffer(const txrt_program &program, const txrt_launch &launch, int operand);

} // namespace txrt

#endif // TXRT_CORE_PROGRAM_H
