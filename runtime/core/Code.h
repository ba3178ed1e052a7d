//===- Code.h - A code unit, checked --------------------------------------------------------------------*- C++ -*-===//
//
// Reads the section with a target's code (abi.h's code unit) out of bytes that are not trusted. What is in it is of its
// compiler, or its digest is wrong; what describes it is checked all the same, so that nothing here points outside.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_CODE_H
#define TXRT_CORE_CODE_H

#include "core/Container.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace txrt {

class Code {
public:
  /// No code: a table without kernels, or one to be printed alone.
  Code() = default;
  /// Checks the unit whole, or fails. The bytes must outlive it.
  Code(const std::string &artifact, Span unit);

  /// The instructions, and the constants that they read.
  Span instructions;
  std::vector<txrt_function> functions;
  std::vector<txrt_operand> operands;
  std::vector<txrt_gpu_image> images;
  const char *names = nullptr;

  /// The place of a function in `functions`, or -1.
  int64_t find(const std::string &name) const;

private:
  friend class CodeReader;
  std::unordered_map<std::string, uint32_t> places;
};

} // namespace txrt

#endif // TXRT_CORE_CODE_H
