//===- CodeImage.h - Host code in memory ----------------------------------------------------------------*- C++ -*-===//
//
// Copies the instructions of a code unit into memory where they can run. They need no relocation at any address. The
// memory is never writable and executable at the same time.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_CODEIMAGE_H
#define TXRT_CORE_CODEIMAGE_H

#include "core/Container.h"

namespace txrt {

class CodeImage {
public:
  /// Copies the instructions, then makes the copy executable and read-only; throws if the system refuses.
  CodeImage(const std::string &artifact, Span instructions);
  ~CodeImage();
  CodeImage(const CodeImage &) = delete;
  CodeImage &operator=(const CodeImage &) = delete;

  void *address(uint64_t entry) const { return base + entry; }

private:
  uint8_t *base = nullptr;
  uint64_t size;
};

} // namespace txrt

#endif // TXRT_CORE_CODEIMAGE_H
