//===- LibraryHandle.h - A handle of cuBLASLt or cuDNN --------------------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_LIBRARYHANDLE_H
#define TXRT_BACKENDS_CUDA_LIBRARYHANDLE_H

namespace txrt::cuda {

/// Owns a handle of a library and gives it back, also when the constructor of the object that contains it fails: a
/// handle holds device memory. Declare objects that were made with the handle after it, so that they are destroyed
/// first.
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
