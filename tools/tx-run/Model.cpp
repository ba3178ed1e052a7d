//===- Model.cpp - An artifact that is loaded and has memory --------------===//

#include "Model.h"
#include "Error.h"
#include "Random.h"
#include "Safetensors.h"

#include <algorithm>
#include <cstring>
#include <thread>

namespace txrun {

bool Entry::hasArgument(const std::string &name) const {
  for (const TensorSpec &tensor : spec->arguments)
    if (tensor.name == name)
      return true;
  return false;
}

void *Entry::locate(const std::vector<TensorSpec> &list, const char *kind,
                    const std::string &name, txrt_dtype dtype,
                    const std::vector<uint64_t> &shape) const {
  for (const TensorSpec &tensor : list) {
    if (tensor.name != name)
      continue;
    if (tensor.dtype != dtype || tensor.shape != shape)
      fail(ExitCode::BadInput,
           "%s: entry '%s': %s '%s' is %s %s, tx-run needs %s %s",
           printable(model->path(), 200).c_str(), spec->name.c_str(), kind,
           name.c_str(), dtypeName(tensor.dtype),
           shapeText(tensor.shape).c_str(), dtypeName(dtype),
           shapeText(shape).c_str());
    return model->data(tensor);
  }
  fail(ExitCode::BadInput, "%s: entry '%s' has no %s '%s'",
       printable(model->path(), 200).c_str(), spec->name.c_str(), kind,
       name.c_str());
}

void Entry::run() const {
  txrt_error error;
  check(txrt_session_run(model->session(), number, &error), error);
}

Model::Model(const std::string &path, const std::string &backend, int threads)
    : file(path) {
  txrt_error error;
  txrt_artifact *artifact = nullptr;
  check(txrt_artifact_open(path.c_str(), &artifact, &error), error);
  opened.reset(artifact);
  description = parseManifest(txrt_artifact_manifest(artifact), path);
  txrt_options options = {};
  options.backend = backend.c_str();
  options.threads = threads;
  txrt_session *session = nullptr;
  check(txrt_session_create(artifact, &options, &session, &error), error);
  running.reset(session);
}

bool Model::hasEntry(const std::string &name) const {
  return description.findEntry(name) &&
         txrt_session_find_entry(session(), name.c_str()) >= 0;
}

Entry Model::entry(const std::string &name) const {
  if (hasEntry(name))
    return Entry(*this, *description.findEntry(name),
                 txrt_session_find_entry(session(), name.c_str()));
  std::string present;
  for (const EntrySpec &entry : description.entries)
    present += (present.empty() ? "" : ", ") + printable(entry.name);
  fail(ExitCode::BadInput, "%s: has no entry '%s'; present: %s",
       printable(file, 200).c_str(), printable(name).c_str(), present.c_str());
}

void *Model::data(const TensorSpec &tensor) const {
  txrt_error error;
  void *address = txrt_session_data(session(), tensor.segment, tensor.offset,
                                    tensor.bytes, &error);
  if (!address)
    throw Error(static_cast<ExitCode>(error.code), error.message);
  return address;
}

void Model::clearState() const {
  for (const GlobalSpec &global : description.globals)
    if (global.role != Role::Parameter && global.role != Role::Master)
      std::memset(data(global), 0, global.bytes);
}

static void fillNormal(float *to, uint64_t count, double stddev,
                       const RandomStream &stream, int threads) {
  // Elements 2i and 2i + 1 come from counter i, so any split gives the same.
  uint64_t pairs = (count + 1) / 2;
  auto fill = [&](uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) {
      std::array<double, 2> values = stream.normals(i);
      to[2 * i] = static_cast<float>(stddev * values[0]);
      if (2 * i + 1 < count)
        to[2 * i + 1] = static_cast<float>(stddev * values[1]);
    }
  };
  uint64_t workers = count < 65536 ? 1 : static_cast<uint64_t>(threads);
  std::vector<std::thread> pool;
  for (uint64_t w = 1; w < workers; ++w)
    pool.emplace_back(fill, pairs * w / workers, pairs * (w + 1) / workers);
  fill(0, pairs / workers);
  for (std::thread &thread : pool)
    thread.join();
}

static uint16_t roundToBfloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void Model::initialize(uint64_t seed) const {
  clearState();
  int threads = std::max(1, txrt_session_threads(session()));
  for (const GlobalSpec *parameter : description.withRole(Role::Parameter)) {
    uint64_t count = parameter->elements();
    const GlobalSpec *master = nullptr;
    for (const GlobalSpec *candidate : description.withRole(Role::Master))
      if (candidate->of == parameter->name)
        master = candidate;
    // A narrow parameter is its master rounded.
    const GlobalSpec *wide =
        parameter->dtype == TXRT_DTYPE_F32 ? parameter : master;
    if (!wide || wide->dtype != TXRT_DTYPE_F32)
      fail(ExitCode::BadInput,
           "%s: parameter '%s' is %s and has no f32 master to initialize",
           printable(file, 200).c_str(), printable(parameter->name).c_str(),
           dtypeName(parameter->dtype));
    float *values = static_cast<float *>(data(*wide));
    if (parameter->init == InitKind::Normal)
      fillNormal(values, count, parameter->stddev,
                 RandomStream(seed, "init." + parameter->name), threads);
    else
      std::fill(values, values + count,
                parameter->init == InitKind::Ones ? 1.0f : 0.0f);
    if (parameter->dtype == TXRT_DTYPE_BF16) {
      uint16_t *narrow = static_cast<uint16_t *>(data(*parameter));
      for (uint64_t i = 0; i < count; ++i)
        narrow[i] = roundToBfloat(values[i]);
    } else if (master && master->dtype == TXRT_DTYPE_F32) {
      std::memcpy(data(*master), values, parameter->bytes);
    }
  }
}

} // namespace txrun
