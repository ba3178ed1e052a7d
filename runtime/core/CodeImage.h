//===- CodeImage.h - Host code in memory ----------------------------------------------------------------*- C++ -*-===//
//
// Maps the instructions of a code unit: they need no relocation wherever they lie, and are never writable and
// executable at the same time.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_CODEIMAGE_H
#define TXRT_CORE_CODEIMAGE_H

#include "core/Container.h"

namespace txrt {

class CodeImage {
public:
  /// Copies and protects, or fails.
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
