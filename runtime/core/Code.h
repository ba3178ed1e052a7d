//===- Code.h - A code unit, checked --------------------------------------------------------------------*- C++ -*-===//
//
// Reads the section with a target's code (the code unit of abi.h) from untrusted bytes. The digest shows that the unit
// is as its compiler wrote it. The reader checks all offsets and counts of the unit nevertheless, so that none of them
// points outside of it.
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
  /// No code: for an artifact without kernels, or one that is only printed (dryrun).
  Code() = default;
  /// Checks the whole unit; throws if it is wrong. The bytes must outlive this object.
  Code(const std::string &artifact, Span unit);

  /// The instructions and the constants that they read.
  Span instructions;
  std::vector<txrt_function> functions;
  std::vector<txrt_operand> operands;
  std::vector<txrt_gpu_image> images;
  const char *names = nullptr;

  /// The index in `functions` of the function with this name, or -1.
  int64_t find(const std::string &name) const;

private:
  friend class CodeReader;
  std::unordered_map<std::string, uint32_t> places;
};

} // namespace txrt

#endif // TXRT_CORE_CODE_H
