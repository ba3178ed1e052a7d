//===- Manifest.h - What an artifact says of itself -----------------------------------------------------*- C++ -*-===//
//
// The only reader of the manifest (docs/Artifact.md). It gives each field a type, names a field that is missing or of
// the wrong kind, and checks that every tensor lies inside its segment. The runtime does not read the compiler's
// report; that stays text, for tools.
//
//   Manifest manifest = readManifest("step.txa", text);
//   for (const GlobalSpec *parameter : manifest.withRole(Role::Parameter)) ...
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_MANIFEST_H
#define TXRT_CORE_MANIFEST_H

#include "txrt/runtime.h"

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace txrt {

/// The ids that an argument may hold: [0, below), and `ignored`.
struct IdRange {
  bool isSet = false;
  uint64_t below = std::numeric_limits<uint64_t>::max();
  std::optional<int32_t> ignored;
  bool holds(int64_t id) const { return (id >= 0 && uint64_t(id) < below) || (ignored && id == *ignored); }
};

/// A global, an argument or a result, and where it lies.
struct TensorSpec {
  std::string name;
  txrt_dtype dtype = TXRT_DTYPE_F32;
  std::vector<uint64_t> shape;
  txrt_segment segment = TXRT_SEGMENT_PERSISTENT;
  uint64_t offset = 0, bytes = 0;
  IdRange ids; // set for an argument of token ids
  uint64_t elements() const;
};

enum class Role { Parameter, Gradient, Moment1, Moment2, Master };
enum class InitKind { None, Zeros, Ones, Normal };

struct GlobalSpec : TensorSpec {
  Role role = Role::Parameter;
  std::string of; // the parameter that a gradient, a moment or a master belongs to; empty for a parameter itself
  InitKind init = InitKind::None;
  double stddev = 0;
};

struct EntrySpec {
  std::string name;
  std::vector<TensorSpec> arguments, results;
  /// The argument or the result of this name; null if there is none.
  const TensorSpec *argument(const std::string &name) const;
  const TensorSpec *result(const std::string &name) const;
};

/// The model's config, for messages and reports; empty in an artifact that was compiled from IR.
struct ModelSpec {
  std::string type;
  uint64_t numLayers = 0;
  bool tied = false;
};

/// What files of weights call the parameters. Stored names are Hugging Face's.
struct WeightsSpec {
  /// A stored name may have or lack it in front, whether the parameter's name has it or not.
  std::string prefix;
  /// The name of a copy that files may have of a parameter, and the parameter: "lm_head.weight" of the embedding.
  std::map<std::string, std::string> tied;
  /// Names of stored tensors that are no weights, such as "*.rotary_emb.inv_freq"; a star stands for any text.
  std::vector<std::string> ignored;
  /// The config.json that belongs to the weights; empty: none is known, as in an artifact that was compiled from IR.
  std::string config;
};

/// What the ranks of a mesh axis divide among them; the manifest need not say it.
enum class AxisKind { Batch, Sequence, Tensor, Expert, Stage, Unsaid };

struct AxisSpec {
  std::string name;
  uint64_t size = 1;
  AxisKind kind = AxisKind::Unsaid;
};

struct Manifest {
  std::string compiler; // "tx 0.1.0"
  std::string backend, triple;
  std::vector<std::string> features;
  std::array<uint64_t, TXRT_SEGMENT_COUNT> segmentBytes = {};
  uint64_t peakBytes = 0; // what the report plans
  ModelSpec model;
  WeightsSpec weights;
  std::string policy;         // "full, uniform, 1"
  uint64_t seed = 0;          // of initial weights and dropout
  std::vector<AxisSpec> mesh; // the last axis is the fastest
  uint64_t ranks = 1;         // of all axes of the mesh
  std::vector<GlobalSpec> globals;
  std::vector<EntrySpec> entries;

  const EntrySpec *findEntry(const std::string &name) const;
  const GlobalSpec *findGlobal(const std::string &name) const;
  std::vector<const GlobalSpec *> withRole(Role role) const;
  /// "microbatch, apply", for messages.
  std::string entryNames() const;

  std::map<std::string, size_t> places; // indices in `globals`, by name
};

/// Reads and checks the manifest's JSON `text`; throws with a message that begins with `artifact`.
Manifest readManifest(const std::string &artifact, const std::string &text);

/// The manifest of an artifact that was opened.
const Manifest &manifestOf(const txrt_artifact *artifact);

/// Bytes of one element; 0 for an unknown dtype.
uint64_t dtypeBytes(uint32_t dtype);
/// The name of a dtype for messages, also of an unknown one.
const char *dtypeName(uint32_t dtype);

/// "'tokens' i32[2, 16]", for messages.
std::string describeTensor(const TensorSpec &tensor);

} // namespace txrt

#endif // TXRT_CORE_MANIFEST_H
