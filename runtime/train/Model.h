//===- Model.h - An artifact that is loaded and has memory ----------------------------------------------*- C++ -*-===//
//
//   Model model(OpenArtifact("step.txa"), options);
//   model.initialize(seed);
//   Entry apply = model.entry("apply");
//   Argument<float> lr = apply.argument<float>("lr", {});
//   Result<float> norm = apply.result<float>("grad_norm", {});
//   lr.set(3e-4f);
//   apply.run();
//   use(norm.get());
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_MODEL_H
#define TXRT_TRAIN_MODEL_H

#include "core/Manifest.h"
#include "train/Batch.h"
#include "train/Ranks.h"

#include <memory>

namespace txrt::train {

/// An artifact that was read and checked.
class OpenArtifact {
public:
  explicit OpenArtifact(const std::string &path);

  const std::string &path() const { return file; }
  const Manifest &manifest() const { return manifestOf(opened.get()); }
  const txrt_artifact *get() const { return opened.get(); }
  const char *digest() const { return txrt_artifact_digest(opened.get()); }
  const char *backend() const { return txrt_artifact_backend(opened.get()); }
  /// What data its training step takes; nothing, with a sentence in `noBatch`, if data cannot feed its entries.
  std::optional<BatchSpec> batch;
  std::string noBatch;

private:
  struct Close {
    void operator()(txrt_artifact *artifact) const { txrt_artifact_close(artifact); }
  };
  std::string file;
  std::unique_ptr<txrt_artifact, Close> opened;
};

class Model;

/// An argument of an entry. Valid as long as the model.
template <typename T> class Argument {
public:
  Argument() = default;
  Argument(const Model &model, const TensorSpec &tensor) : model(&model), tensor(&tensor) {}
  /// Sets every element, row-major.
  void set(const T *values) const;
  void set(const std::vector<T> &values) const { set(values.data()); }
  /// Sets the one element of a scalar.
  void set(T value) const { set(&value); }

private:
  const Model *model = nullptr;
  const TensorSpec *tensor = nullptr;
};

/// A result of an entry. Valid as long as the model.
template <typename T> class Result {
public:
  Result() = default;
  Result(const Model &model, const TensorSpec &tensor) : model(&model), tensor(&tensor) {}
  /// The one element of a scalar.
  T get() const {
    T value;
    get(0, 1, &value);
    return value;
  }
  /// Copies `count` elements to `to`, from element `first` on.
  void get(uint64_t first, uint64_t count, T *to) const;

private:
  const Model *model = nullptr;
  const TensorSpec *tensor = nullptr;
};

/// One entry. Valid as long as the model.
class Entry {
public:
  const std::string &name() const { return spec->name; }
  const EntrySpec &specification() const { return *spec; }
  int index() const { return number; }
  bool hasArgument(const std::string &name) const;
  /// `argument` and `result` throw if the entry has none of this name, type and shape.
  template <typename T> Argument<T> argument(const std::string &name, const std::vector<uint64_t> &shape) const {
    return {*model, locate(spec->arguments, "argument", name, dtypeOf(T()), shape)};
  }
  template <typename T> Result<T> result(const std::string &name, const std::vector<uint64_t> &shape) const {
    return {*model, locate(spec->results, "result", name, dtypeOf(T()), shape)};
  }
  void run() const;

private:
  friend class Model;
  Entry(const Model &model, const EntrySpec &spec, int number) : model(&model), spec(&spec), number(number) {}
  static txrt_dtype dtypeOf(float) { return TXRT_DTYPE_F32; }
  static txrt_dtype dtypeOf(int32_t) { return TXRT_DTYPE_I32; }
  static txrt_dtype dtypeOf(bool) { return TXRT_DTYPE_I1; }
  const TensorSpec &locate(const std::vector<TensorSpec> &list, const char *kind, const std::string &name,
                           txrt_dtype dtype, const std::vector<uint64_t> &shape) const;

  const Model *model;
  const EntrySpec *spec;
  int number;
};

class Model {
public:
  /// Makes a session of the artifact. `options` choose the backend; their `world` must be the one of `ranks`. Throws if
  /// the artifact was compiled for another number of ranks, or if the ranks have different artifacts. `ranks` must
  /// outlive the model; null for one rank.
  Model(OpenArtifact artifact, const txrt_options &options, Ranks *ranks = nullptr);

  const OpenArtifact &opened() const { return artifact; }
  const std::string &path() const { return artifact.path(); }
  const Manifest &manifest() const { return artifact.manifest(); }
  const char *digest() const { return artifact.digest(); }
  /// What data the step takes. Throws if data cannot feed its entries.
  const BatchSpec &batch() const;
  Ranks &ranks() const { return *together; }
  txrt_session *session() const { return running.get(); }

  bool hasEntry(const std::string &name) const;
  /// The entry of this name. Throws, with the list of entries, if there is none.
  Entry entry(const std::string &name) const;
  /// Copy a tensor's bytes [at, at + bytes) out of the session's arena, and into it. The arena may be a device's
  /// memory.
  void read(const TensorSpec &tensor, uint64_t at, uint64_t bytes, void *to) const;
  void write(const TensorSpec &tensor, uint64_t at, uint64_t bytes, const void *from) const;

  /// Gives every parameter its initial value. Call it in a new session, before anything has run: it leaves gradients
  /// and optimizer state at 0, as a new arena has them. A value depends on the seed and on the parameter's name, so an
  /// added layer changes no other layer's values.
  void initialize(uint64_t seed) const;

  /// Sets every global to 0, as in a new session.
  void clear() const;

private:
  void initializeParameter(const GlobalSpec &parameter, const GlobalSpec *master, uint64_t seed) const;

  struct Destroy {
    void operator()(txrt_session *session) const { txrt_session_destroy(session); }
  };
  void checkRanks() const;

  OpenArtifact artifact;
  std::unique_ptr<Ranks> alone; // one rank, if the caller gave no ranks
  Ranks *together;
  std::unique_ptr<txrt_session, Destroy> running;
};

/// How many bytes of a large tensor are copied at a time; so many stay in the cache.
constexpr uint64_t copyBytes = uint64_t(256) << 10;

template <typename T> void Argument<T>::set(const T *values) const { model->write(*tensor, 0, tensor->bytes, values); }

template <typename T> void Result<T>::get(uint64_t first, uint64_t count, T *to) const {
  model->read(*tensor, first * sizeof(T), count * sizeof(T), to);
}

} // namespace txrt::train

#endif // TXRT_TRAIN_MODEL_H
