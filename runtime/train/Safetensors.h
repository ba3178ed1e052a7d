//===- Safetensors.h - Named tensors in one file --------------------------------------------------------*- C++ -*-===//
//
// The format of Hugging Face's weights: 8 bytes of header length, a JSON header {"name": {"dtype", "shape",
// "data_offsets"}, "__metadata__": {...}}, data. The reader checks the whole header first: in a file that it accepts,
// all tensors are inside the file, do not overlap, leave no hole, and have the sizes that their shapes say.
//
//   SafetensorsReader reader("model.safetensors");
//   const StoredTensor *t = reader.find("wte.weight");
//   reader.readF32(*t, destination);          // also from F16 and BF16
//
//   SafetensorsWriter writer;
//   writer.add("wte.weight", "F32", {50257, 768}, data, bytes);
//   writer.write("out.safetensors");          // atomic, see OutputFile.h
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_SAFETENSORS_H
#define TXRT_TRAIN_SAFETENSORS_H

#include "core/File.h"
#include "txrt/bf16.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace txrt::train {

struct StoredTensor {
  std::string name;
  std::string dtype; // "F32", "BF16", "I64", ...
  std::vector<uint64_t> shape;
  uint64_t offset = 0; // in the file, in bytes
  uint64_t bytes = 0;
  uint64_t elements = 0;
};

class SafetensorsReader {
public:
  /// Reads the header. Throws, with the name of the file and of the field, if it is wrong.
  explicit SafetensorsReader(const std::string &path);

  const std::string &path() const { return file.path(); }
  /// All tensors, sorted by name.
  const std::map<std::string, StoredTensor> &tensors() const { return table; }
  const StoredTensor *find(const std::string &name) const;
  const std::map<std::string, std::string> &metadata() const { return extra; }

  void readRaw(const StoredTensor &tensor, void *to) const { readRaw(tensor, 0, tensor.bytes, to); }
  void readRaw(const StoredTensor &tensor, uint64_t at, uint64_t bytes, void *to) const;
  /// Reads all elements as f32. `tensor` must be F32, F16 or BF16; the conversion is exact.
  void readF32(const StoredTensor &tensor, float *to) const { readF32(tensor, 0, tensor.elements, to); }
  /// The same for `count` elements from element `first` on.
  void readF32(const StoredTensor &tensor, uint64_t first, uint64_t count, float *to) const;

private:
  InputFile file;
  std::map<std::string, StoredTensor> table;
  std::map<std::string, std::string> extra;
};

class SafetensorsWriter {
public:
  /// Copies bytes [at, at + bytes) of a tensor to `to`. Only write() calls it.
  using Source = std::function<void(uint64_t at, uint64_t bytes, void *to)>;
  void add(const std::string &name, const std::string &dtype, const std::vector<uint64_t> &shape, uint64_t bytes,
           Source source);
  /// The same for a tensor of `bytes` bytes in memory at `data`.
  void add(const std::string &name, const std::string &dtype, const std::vector<uint64_t> &shape, const void *data,
           uint64_t bytes);
  void setMetadata(const std::string &key, const std::string &value);

  /// Replaces the file at `path` atomically.
  void write(const std::string &path) const;
  /// Gives the file's bytes to `put`, block after block.
  using Sink = std::function<void(const void *from, size_t bytes)>;
  void write(const Sink &put) const;
  /// The file's first bytes: the length of its header, and the header.
  std::string begin() const;
  /// How many bytes of tensors the file will have.
  uint64_t dataBytes() const;
  /// The names of its tensors, in the order of add().
  std::vector<std::string> names() const;

private:
  struct Entry {
    std::string name, dtype;
    std::vector<uint64_t> shape;
    uint64_t bytes;
    Source source;
  };
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
};

/// Bytes of an element of a dtype, 0 for a dtype that does not exist.
uint64_t storedElementBytes(const std::string &dtype);

/// The float that has the same value as these bits have as an IEEE half (F16).
float halfToFloat(uint16_t bits);

} // namespace txrt::train

#endif // TXRT_TRAIN_SAFETENSORS_H
