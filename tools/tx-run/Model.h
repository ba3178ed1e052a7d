//===- Model.h - An artifact that is loaded and has memory ------*- C++ -*-===//
//
//   Model model("step.txa", "host", 0);
//   model.initialize(seed);
//   Entry apply = model.entry("apply");
//   *apply.argument<float>("lr", {}) = 3e-4f;
//   apply.run();
//   float norm = *apply.result<float>("grad_norm", {});
//
//===----------------------------------------------------------------------===//

#ifndef TXRUN_MODEL_H
#define TXRUN_MODEL_H

#include "Manifest.h"
#include "txrt/runtime.h"

#include <memory>

namespace txrun {

class Model;

/// One entry; its pointers stay valid as long as the model.
class Entry {
public:
  const std::string &name() const { return spec->name; }
  const EntrySpec &specification() const { return *spec; }
  int index() const { return number; }
  bool hasArgument(const std::string &name) const;
  /// The memory of an argument or result; throws when the artifact has none of
  /// this name, type and shape.
  template <typename T>
  T *argument(const std::string &name,
              const std::vector<uint64_t> &shape) const {
    return static_cast<T *>(
        locate(spec->arguments, "argument", name, dtypeOf(T()), shape));
  }
  template <typename T>
  const T *result(const std::string &name,
                  const std::vector<uint64_t> &shape) const {
    return static_cast<const T *>(
        locate(spec->results, "result", name, dtypeOf(T()), shape));
  }
  void run() const;

private:
  friend class Model;
  Entry(const Model &model, const EntrySpec &spec, int number)
      : model(&model), spec(&spec), number(number) {}
  static txrt_dtype dtypeOf(float) { return TXRT_DTYPE_F32; }
  static txrt_dtype dtypeOf(int32_t) { return TXRT_DTYPE_I32; }
  static txrt_dtype dtypeOf(bool) { return TXRT_DTYPE_I1; }
  void *locate(const std::vector<TensorSpec> &list, const char *kind,
               const std::string &name, txrt_dtype dtype,
               const std::vector<uint64_t> &shape) const;

  const Model *model;
  const EntrySpec *spec;
  int number;
};

class Model {
public:
  Model(const std::string &path, const std::string &backend, int threads);

  const std::string &path() const { return file; }
  const Manifest &manifest() const { return description; }
  txrt_session *session() const { return running.get(); }
  const char *digest() const { return txrt_artifact_digest(opened.get()); }

  bool hasEntry(const std::string &name) const;
  /// Throws with the list of entries when there is none of this name.
  Entry entry(const std::string &name) const;
  void *data(const TensorSpec &tensor) const;

  /// Gives every parameter its initial value and clears gradients and
  /// optimizer state. The values depend on the seed and on the parameter's
  /// name, so an added layer changes no other one.
  void initialize(uint64_t seed) const;
  /// Clears gradients and optimizer state only.
  void clearState() const;

private:
  struct CloseArtifact {
    void operator()(txrt_artifact *artifact) const {
      txrt_artifact_close(artifact);
    }
  };
  struct DestroySession {
    void operator()(txrt_session *session) const {
      txrt_session_destroy(session);
    }
  };
  std::string file;
  Manifest description;
  std::unique_ptr<txrt_artifact, CloseArtifact> opened;
  std::unique_ptr<txrt_session, DestroySession> running;
};

} // namespace txrun

#endif // TXRUN_MODEL_H
