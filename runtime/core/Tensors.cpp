//===- Tensors.cpp - Tensors by name, as plain arrays ---------------------------------------------------*- C++ -*-===//

#include "core/Failure.h"
#include "core/Manifest.h"
#include "core/Session.h"
#include "txrt/bf16.h"

#include <algorithm>

using namespace txrt;

using ull = unsigned long long;

static void describe(const TensorSpec &spec, txrt_tensor &tensor) {
  tensor.name = spec.name.c_str();
  tensor.dtype = spec.dtype;
  tensor.rank = static_cast<int>(spec.shape.size());
  tensor.shape = spec.shape.data();
  tensor.elements = spec.elements();
  tensor.place = &spec;
}

static const TensorSpec &findInEntry(const txrt_artifact &artifact, const std::string &entry, const std::string &name) {
  const Manifest &manifest = artifact.manifest;
  const char *who = artifact.container.name().c_str();
  const EntrySpec *spec = manifest.findEntry(entry);
  if (!spec)
    fail(TXRT_USAGE, "%s: has no entry '%s'; present: %s", who, printable(entry).c_str(),
         manifest.entryNames().c_str());
  if (const TensorSpec *argument = spec->argument(name))
    return *argument;
  if (const TensorSpec *result = spec->result(name))
    return *result;
  std::string present;
  for (const auto *list : {&spec->arguments, &spec->results})
    for (const TensorSpec &tensor : *list)
      present += (present.empty() ? "" : ", ") + printable(tensor.name);
  fail(TXRT_USAGE, "%s: entry '%s' has no argument or result '%s'; present: %s", who, printable(entry).c_str(),
       printable(name).c_str(), present.c_str());
}

static const TensorSpec &findGlobal(const txrt_artifact &artifact, const std::string &name) {
  if (const GlobalSpec *global = artifact.manifest.findGlobal(name))
    return *global;
  const auto &globals = artifact.manifest.globals;
  fail(TXRT_USAGE, "%s: has no parameter or state '%s' (of %zu%s)", artifact.container.name().c_str(),
       printable(name).c_str(), globals.size(),
       globals.empty() ? "" : ("; the first is '" + printable(globals.front().name) + "'").c_str());
}

txrt_status txrt_session_find_tensor(const txrt_session *session, const char *entry, const char *name,
                                     txrt_tensor *tensor, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(session && name && tensor, "txrt_session_find_tensor");
    describe(entry ? findInEntry(session->artifact, entry, name) : findGlobal(session->artifact, name), *tensor);
  });
}

txrt_status txrt_session_global(const txrt_session *session, int index, txrt_tensor *tensor, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(session && tensor, "txrt_session_global");
    const auto &globals = session->artifact.manifest.globals;
    if (index < 0 || size_t(index) >= globals.size())
      fail(TXRT_USAGE, "global %d of %zu", index, globals.size());
    describe(globals[size_t(index)], *tensor);
  });
}

static const TensorSpec &checkedTensor(const txrt_tensor &tensor, txrt_dtype dtype, uint64_t elements) {
  const auto &spec = *static_cast<const TensorSpec *>(tensor.place);
  if (dtype != spec.dtype && !(dtype == TXRT_DTYPE_F32 && spec.dtype == TXRT_DTYPE_BF16))
    fail(TXRT_USAGE, "%s, and the array is of %s%s", describeTensor(spec).c_str(), dtypeName(dtype),
         spec.dtype == TXRT_DTYPE_BF16 ? "; bf16 or f32 fit" : "");
  if (elements != spec.elements())
    fail(TXRT_USAGE, "%s has %llu elements, and the array has %llu", describeTensor(spec).c_str(),
         static_cast<ull>(spec.elements()), static_cast<ull>(elements));
  return spec;
}

/// How many numbers are converted between bf16 and f32 at a time.
static constexpr uint64_t blockElements = 1 << 16;

txrt_status txrt_session_read_tensor(const txrt_session *session, const txrt_tensor *tensor, txrt_dtype dtype,
                                     uint64_t elements, void *to, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(session && tensor && tensor->place && (to || elements == 0), "txrt_session_read_tensor");
    const TensorSpec &spec = checkedTensor(*tensor, dtype, elements);
    txrt_error inner;
    if (dtype == spec.dtype)
      return check(session->read(spec.segment, spec.offset, spec.bytes, to, &inner), inner);
    std::vector<uint16_t> narrow(std::min(elements, blockElements));
    for (uint64_t at = 0; at < elements; at += narrow.size()) {
      const uint64_t count = std::min<uint64_t>(narrow.size(), elements - at);
      check(session->read(spec.segment, spec.offset + 2 * at, 2 * count, narrow.data(), &inner), inner);
      std::transform(narrow.begin(), narrow.begin() + count, static_cast<float *>(to) + at, txrt_bf16_to_f32);
    }
  });
}

txrt_status txrt_session_write_tensor(txrt_session *session, const txrt_tensor *tensor, txrt_dtype dtype,
                                      uint64_t elements, const void *from, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(session && tensor && tensor->place && (from || elements == 0), "txrt_session_write_tensor");
    const TensorSpec &spec = checkedTensor(*tensor, dtype, elements);
    txrt_error inner;
    if (dtype == spec.dtype)
      return check(session->write(spec.segment, spec.offset, spec.bytes, from, &inner), inner);
    std::vector<uint16_t> narrow(std::min(elements, blockElements));
    for (uint64_t at = 0; at < elements; at += narrow.size()) {
      const uint64_t count = std::min<uint64_t>(narrow.size(), elements - at);
      const float *block = static_cast<const float *>(from) + at;
      std::transform(block, block + count, narrow.begin(), txrt_bf16_from_f32);
      check(session->write(spec.segment, spec.offset + 2 * at, 2 * count, narrow.data(), &inner), inner);
    }
  });
}
