//===- LibraryHandle.h - A handle of cuBLASLt or cuDNN --------------------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_LIBRARYHANDLE_H
#define TXRT_BACKENDS_CUDA_LIBRARYHANDLE_H

namespace txrt::cuda {

/// Made by a library and given back to it, also by an owner whose constructor fails later: a handle holds memory of the
/// device. What was made with it is declared after it.
template <typename Library, typename Handle> class LibraryHandle {
public:
  explicit LibraryHandle(const Library &library) : library(library) {
    library.check(library.create(&handle), "create");
  }
  LibraryHandle(const LibraryHandle &) = delete;
  ~LibraryHandle() { library.destroy(handle); }
  operator Handle() const { return handle; }

private:
  const Library &library;
  Handle handle = nullptr;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_LIBRARYHANDLE_H
