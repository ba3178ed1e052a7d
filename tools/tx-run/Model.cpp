//===- Model.cpp - An artifact that is loaded and has memory ------------------------------------------------------===//

#include "Model.h"
#include "Error.h"
#include "Random.h"
#include "Safetensors.h"
#include "TokenData.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <future>
#include <map>
#include <system_error>

namespace txrun {

bool Entry::hasArgument(const std::string &name) const {
  for (const TensorSpec &tensor : spec->arguments)
    if (tensor.name == name)
      return true;
  return false;
}

const TensorSpec &Entry::locate(const std::vector<TensorSpec> &list, const char *kind, const std::string &name,
                                txrt_dtype dtype, const std::vector<uint64_t> &shape) const {
  for (const TensorSpec &tensor : list) {
    if (tensor.name != name)
      continue;
    if (tensor.dtype != dtype || tensor.shape != shape)
      fail(ExitCode::BadInput, "%s: entry '%s': %s '%s' is %s %s, tx-run needs %s %s",
           printable(model->path(), 200).c_str(), spec->name.c_str(), kind, name.c_str(), dtypeName(tensor.dtype),
           shapeText(tensor.shape).c_str(), dtypeName(dtype), shapeText(shape).c_str());
    return tensor;
  }
  fail(ExitCode::BadInput, "%s: entry '%s' has no %s '%s'", printable(model->path(), 200).c_str(), spec->name.c_str(),
       kind, name.c_str());
}

void Entry::run() const {
  txrt_error error;
  check(txrt_session_run(model->session(), number, &error), error);
}

static void warn(const char *message) { complain("warning", message); }

/// What files take that a run reads and writes: prepared samples are held whole, all else goes through buffers.
static uint64_t bytesOfFiles(const Options &options) {
  uint64_t bytes = uint64_t(16) << 20;
  for (const std::string *path : {&options.dataPath, &options.validDataPath}) {
    std::error_code none; // a file that is not there is reported by who opens it
    const uint64_t size = isPrepared(*path) ? std::filesystem::file_size(*path, none) : 0;
    bytes += none ? 0 : size;
  }
  return bytes;
}

Model::Model(const std::string &path, const Options &options, Ranks &ranks) : file(path), together(ranks) {
  txrt_error error;
  ranks.together([&] {
    txrt_artifact *artifact = nullptr;
    check(txrt_artifact_open(path.c_str(), &artifact, &error), error);
    opened.reset(artifact);
    requireEffect(options, options.backend.empty() ? txrt_artifact_backend(artifact) : options.backend);
    description = parseManifest(txrt_artifact_manifest(artifact), path);
  });
  ranks.requireSame({{"ABI version", std::to_string(TXRT_ABI_VERSION)}, {"the artifact's digest", digest()}});
  const std::string cache = tuningCachePath(options);
  txrt_options how = {};
  how.backend = options.backend.empty() ? nullptr : options.backend.c_str();
  how.threads = static_cast<int>(options.threads);
  how.no_graph = options.noCudaGraph;
  how.no_overlap = options.noOverlap;
  how.no_cudnn = options.noCudnn;
  how.no_nccl_buffers = options.noNcclBuffers;
  how.tune = options.tune;
  how.tuning_cache = cache.empty() ? nullptr : cache.c_str();
  how.warn = ranks.isFirst() ? warn : nullptr;
  how.world = ranks.world();
  how.own_bytes = bytesOfFiles(options);
  ranks.together([&] {
    if (options.backend != "dryrun")
      checkRanks();
    txrt_session *session = nullptr;
    check(txrt_session_create(opened.get(), &how, &session, &error), error);
    running.reset(session);
  });
}

void Model::checkRanks() const {
  const auto present = static_cast<uint64_t>(together.size());
  if (description.ranks == present)
    return;
  const auto wanted = static_cast<unsigned long long>(description.ranks);
  fail(ExitCode::BadInput,
       "%s: its world size is %llu (tx-compile --data-parallel-size), this "
       "run's is %llu: %s",
       printable(file, 200).c_str(), wanted, (unsigned long long)present,
       wanted == 1 ? "start it alone, or compile it for as many ranks"
                   : format("tx-run --ranks %llu, or mpirun -np %llu tx-run", wanted, wanted).c_str());
}

const BatchSpec &Model::batch() const {
  if (!description.batch)
    fail(ExitCode::BadInput, "%s: %s", printable(file, 200).c_str(), description.noBatch.c_str());
  return *description.batch;
}

bool Model::hasEntry(const std::string &name) const {
  return description.findEntry(name) && txrt_session_find_entry(session(), name.c_str()) >= 0;
}

Entry Model::entry(const std::string &name) const {
  if (hasEntry(name))
    return Entry(*this, *description.findEntry(name), txrt_session_find_entry(session(), name.c_str()));
  std::string present;
  for (const EntrySpec &entry : description.entries)
    present += (present.empty() ? "" : ", ") + printable(entry.name);
  fail(ExitCode::BadInput, "%s: has no entry '%s'; present: %s", printable(file, 200).c_str(), printable(name).c_str(),
       present.c_str());
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
      // A narrow parameter is its master rounded.
      std::transform(values.begin(), values.begin() + (narrow ? count : 0), rounded.begin(), roundToBfloat);
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
    } catch (const std::system_error &) { // no thread more: done here
      fill(share(w), share(w + 1));
    }
  if (workers)
    fill(0, share(1));
  for (std::future<void> &other : others)
    other.get();
}

void Model::initialize(uint64_t seed) const {
  std::map<std::string, const GlobalSpec *> masters; // of each parameter
  for (const GlobalSpec *master : description.withRole(Role::Master))
    if (master->dtype == TXRT_DTYPE_F32)
      masters[master->of] = master;
  for (const GlobalSpec *parameter : description.withRole(Role::Parameter)) {
    const auto found = masters.find(parameter->name);
    const GlobalSpec *master = found == masters.end() ? nullptr : found->second;
    bool wide = parameter->dtype == TXRT_DTYPE_F32;
    if (!wide && !(parameter->dtype == TXRT_DTYPE_BF16 && master))
      fail(ExitCode::BadInput, "%s: parameter '%s' is %s and has no f32 master to initialize",
           printable(file, 200).c_str(), printable(parameter->name).c_str(), dtypeName(parameter->dtype));
    initializeParameter(*parameter, master, seed);
  }
}

} // namespace txrun
