//===- Model.cpp - An artifact that is loaded and has memory ------------------------------------------------------===//

#include "train/Model.h"
#include "core/Failure.h"
#include "train/Random.h"
#include "txrt/bf16.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <map>
#include <system_error>

namespace txrt::train {

OpenArtifact::OpenArtifact(const std::string &path) : file(path) {
  txrt_error error;
  txrt_artifact *artifact = nullptr;
  check(txrt_artifact_open(path.c_str(), &artifact, &error), error);
  opened.reset(artifact);
  batch = findBatch(manifest(), noBatch);
}

bool Entry::hasArgument(const std::string &name) const { return spec->argument(name); }

const TensorSpec &Entry::locate(const std::vector<TensorSpec> &list, const char *kind, const std::string &name,
                                txrt_dtype dtype, const std::vector<uint64_t> &shape) const {
  for (const TensorSpec &tensor : list) {
    if (tensor.name != name)
      continue;
    if (tensor.dtype != dtype || tensor.shape != shape)
      fail(TXRT_BAD_INPUT, "%s: entry '%s': %s '%s' is %s %s, tx-run needs %s %s",
           printable(model->path(), 200).c_str(), spec->name.c_str(), kind, name.c_str(), dtypeName(tensor.dtype),
           shapeText(tensor.shape).c_str(), dtypeName(dtype), shapeText(shape).c_str());
    return tensor;
  }
  fail(TXRT_BAD_INPUT, "%s: entry '%s' has no %s '%s'", printable(model->path(), 200).c_str(), spec->name.c_str(), kind,
       name.c_str());
}

void Entry::run() const {
  txrt_error error;
  check(txrt_session_run(model->session(), number, &error), error);
}

Model::Model(OpenArtifact given, const txrt_options &options, Ranks *ranks)
    : artifact(std::move(given)), alone(ranks ? nullptr : std::make_unique<Ranks>()),
      together(ranks ? ranks : alone.get()) {
  together->requireSame({{"ABI version", std::to_string(TXRT_ABI_VERSION)}, {"the artifact's digest", digest()}});
  txrt_options how = options;
  how.world = together->world();
  together->together([&] {
    if (!how.backend || std::string(how.backend) != "dryrun")
      checkRanks();
    txrt_error error;
    txrt_session *session = nullptr;
    check(txrt_session_create(artifact.get(), &how, &session, &error), error);
    running.reset(session);
  });
}

void Model::checkRanks() const {
  const auto present = static_cast<uint64_t>(together->size());
  if (manifest().ranks == present)
    return;
  const auto wanted = static_cast<unsigned long long>(manifest().ranks);
  fail(TXRT_BAD_INPUT, "%s: its world size is %llu (tx-compile --data-parallel-size), this run's is %llu: %s",
       printable(path(), 200).c_str(), wanted, (unsigned long long)present,
       wanted == 1 ? "start it alone, or compile it for as many ranks"
                   : format("tx-run --ranks %llu, or mpirun -np %llu tx-run", wanted, wanted).c_str());
}

const BatchSpec &Model::batch() const {
  if (!artifact.batch)
    fail(TXRT_BAD_INPUT, "%s: %s", printable(path(), 200).c_str(), artifact.noBatch.c_str());
  return *artifact.batch;
}

bool Model::hasEntry(const std::string &name) const {
  return manifest().findEntry(name) && txrt_session_find_entry(session(), name.c_str()) >= 0;
}

Entry Model::entry(const std::string &name) const {
  if (!hasEntry(name))
    fail(TXRT_BAD_INPUT, "%s: has no entry '%s'; present: %s", printable(path(), 200).c_str(), printable(name).c_str(),
         manifest().entryNames().c_str());
  return Entry(*this, *manifest().findEntry(name), txrt_session_find_entry(session(), name.c_str()));
}

void Model::read(const TensorSpec &tensor, uint64_t at, uint64_t bytes, void *to) const {
  txrt_error error;
  check(txrt_session_read(session(), tensor.segment, tensor.offset + at, bytes, to, &error), error);
}

void Model::write(const TensorSpec &tensor, uint64_t at, uint64_t bytes, const void *from) const {
  txrt_error error;
  check(txrt_session_write(session(), tensor.segment, tensor.offset + at, bytes, from, &error), error);
}

/// Elements [begin, end) of a normal array; `begin` is even.
static void fillNormal(float *to, uint64_t begin, uint64_t end, double stddev, const RandomStream &stream) {
  // Elements 2i and 2i + 1 come from counter i, so any split gives the same.
  for (uint64_t i = begin; i < end; i += 2) {
    std::array<double, 2> values = stream.normals(i / 2);
    *to++ = static_cast<float>(stddev * values[0]);
    if (i + 1 < end)
      *to++ = static_cast<float>(stddev * values[1]);
  }
}

void Model::initializeParameter(const GlobalSpec &parameter, const GlobalSpec *master, uint64_t seed) const {
  const bool narrow = parameter.dtype == TXRT_DTYPE_BF16;
  const uint64_t block = copyBytes / sizeof(float);
  const RandomStream stream(seed, "init." + parameter.name);
  auto fill = [&](uint64_t begin, uint64_t end) {
    std::vector<float> values(block);
    std::vector<uint16_t> rounded(narrow ? block : 0);
    for (uint64_t at = begin; at < end; at += block) {
      uint64_t count = std::min(block, end - at);
      if (parameter.init == InitKind::Normal)
        fillNormal(values.data(), at, at + count, parameter.stddev, stream);
      else
        std::fill_n(values.data(), count, parameter.init == InitKind::Ones ? 1.0f : 0.0f);
      if (master)
        write(*master, at * 4, count * 4, values.data());
      // A bf16 parameter is its f32 master, rounded.
      std::transform(values.begin(), values.begin() + (narrow ? count : 0), rounded.begin(), txrt_bf16_from_f32);
      if (narrow)
        write(parameter, at * 2, count * 2, rounded.data());
      else
        write(parameter, at * 4, count * 4, values.data());
    }
  };
  const uint64_t blocks = (parameter.elements() + block - 1) / block;
  const uint64_t workers = std::min<uint64_t>(blocks, std::max(1, txrt_session_threads(session())));
  auto share = [&](uint64_t w) { return std::min(parameter.elements(), blocks * w / workers * block); };
  std::vector<std::future<void>> others;
  for (uint64_t w = 1; w < workers; ++w)
    try {
      others.push_back(std::async(std::launch::async, fill, share(w), share(w + 1)));
    } catch (const std::system_error &) { // the system starts no more threads: do the share in this one
      fill(share(w), share(w + 1));
    }
  if (workers)
    fill(0, share(1));
  for (std::future<void> &other : others)
    other.get();
}

void Model::initialize(uint64_t seed) const {
  std::map<std::string, const GlobalSpec *> masters; // by the parameter's name
  for (const GlobalSpec *master : manifest().withRole(Role::Master))
    if (master->dtype == TXRT_DTYPE_F32)
      masters[master->of] = master;
  for (const GlobalSpec *parameter : manifest().withRole(Role::Parameter)) {
    const auto found = masters.find(parameter->name);
    const GlobalSpec *master = found == masters.end() ? nullptr : found->second;
    bool wide = parameter->dtype == TXRT_DTYPE_F32;
    if (!wide && !(parameter->dtype == TXRT_DTYPE_BF16 && master))
      fail(TXRT_BAD_INPUT, "%s: parameter '%s' is %s and has no f32 master to initialize",
           printable(path(), 200).c_str(), printable(parameter->name).c_str(), dtypeName(parameter->dtype));
    initializeParameter(*parameter, master, seed);
  }
}

void Model::clear() const {
  const std::vector<char> zeros(copyBytes);
  for (const GlobalSpec &global : manifest().globals)
    for (uint64_t at = 0; at < global.bytes; at += copyBytes)
      write(global, at, std::min(copyBytes, global.bytes - at), zeros.data());
}

} // namespace txrt::train
