//===- Manifest.h - The artifact's manifest with types --------------------------------------------------*- C++ -*-===//
//
// docs/Artifact.md describes the JSON. The runtime has checked that every address lies inside its segment; here each
// field gets a type, and one that is missing or of the wrong kind is named.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_MANIFEST_H
#define TXRUN_MANIFEST_H

#include "Batch.h"
#include "Json.h"
#include "txrt/abi.h"

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace txrun {

/// What an argument of ids may hold: [0, below), and `ignored`.
struct IdRange {
  bool isSet = false;
  uint64_t below = std::numeric_limits<uint64_t>::max();
  std::optional<int32_t> ignored;
  bool holds(int64_t id) const { return (id >= 0 && uint64_t(id) < below) || (ignored && id == *ignored); }
};

struct TensorSpec {
  std::string name;
  txrt_dtype dtype = TXRT_DTYPE_F32;
  std::vector<uint64_t> shape;
  txrt_segment segment = TXRT_SEGMENT_PERSISTENT;
  uint64_t offset = 0, bytes = 0;
  IdRange ids; // of an argument
  uint64_t elements() const;
};

enum class Role { Parameter, Gradient, Moment1, Moment2, Master };
enum class InitKind { None, Normal, Ones, Zeros };

struct GlobalSpec : TensorSpec {
  Role role = Role::Parameter;
  std::string of; // the parameter's name; empty for a parameter
  InitKind init = InitKind::None;
  double stddev = 0;
};

struct EntrySpec {
  std::string name;
  std::vector<TensorSpec> arguments, results;
};

/// What the model's config said, for people; IR has none.
struct ModelSpec {
  std::string type;
  uint64_t numLayers = 0;
  bool tied = false;
};

/// What the ranks of a mesh axis have parts of; an axis need not say it.
enum class AxisKind { Batch, Sequence, Tensor, Expert, Stage, Unsaid };

struct AxisSpec {
  std::string name;
  uint64_t size = 1;
  AxisKind kind = AxisKind::Unsaid;
};

struct Manifest {
  ModelSpec model;
  std::optional<BatchSpec> batch; // of a training step
  std::string noBatch;            // why there is none
  uint64_t seed = 0;              // of initial weights and dropout
  std::string policy;             // "full, uniform, 1"
  std::string compiler;           // "tx 0.1"
  uint64_t segmentBytes[TXRT_SEGMENT_COUNT] = {};
  uint64_t peakBytes = 0; // what the report plans
  std::vector<AxisSpec> mesh;
  uint64_t ranks = 1; // of all axes of the mesh
  nlohmann::json report;
  std::vector<GlobalSpec> globals;
  std::vector<EntrySpec> entries;

  const EntrySpec *findEntry(const std::string &name) const;
  const GlobalSpec *findGlobal(const std::string &name) const;
  std::vector<const GlobalSpec *> withRole(Role role) const;

  std::map<std::string, size_t> places; // of globals, by name
};

/// `path` begins every message.
Manifest parseManifest(const std::string &text, const std::string &path);

uint64_t dtypeBytes(txrt_dtype dtype);
const char *dtypeName(txrt_dtype dtype);

} // namespace txrun

#endif // TXRUN_MANIFEST_H
