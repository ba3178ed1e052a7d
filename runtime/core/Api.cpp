//===- Api.cpp - The C interface ------------------------------------------------------------------------*- C++ -*-===//
//
// Each call checks its arguments, calls the C++ code, and turns exceptions into a status.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "core/Artifact.h"
#include "core/File.h"
#include "core/Lifetimes.h"
#include "core/MemoryBlocks.h"
#include "core/Session.h"

#include <functional>
#include <memory>

using namespace txrt;

static uint32_t checkedEntry(const txrt_session *session, int entry) {
  if (entry < 0 || uint32_t(entry) >= session->program.entry_count)
    fail(TXRT_USAGE, "entry %d of %u", entry, session->program.entry_count);
  return static_cast<uint32_t>(entry);
}

txrt_status txrt_artifact_open(const char *path, txrt_artifact **artifact, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(path && artifact, "txrt_artifact_open");
    *artifact = new txrt_artifact(path, readFile(path, maxArtifactBytes));
  });
}

txrt_status txrt_artifact_open_memory(const void *bytes, size_t size, const char *name, txrt_artifact **artifact,
                                      txrt_error *error) {
  return guarded(error, [&] {
    requireArgument((bytes || size == 0) && artifact, "txrt_artifact_open_memory");
    auto *data = static_cast<const uint8_t *>(bytes);
    *artifact = new txrt_artifact(name ? name : "artifact", std::vector<uint8_t>(data, data + size));
  });
}

void txrt_artifact_close(txrt_artifact *artifact) { delete artifact; }

const char *txrt_artifact_manifest(const txrt_artifact *artifact) { return artifact->manifestText.c_str(); }

const char *txrt_artifact_backend(const txrt_artifact *artifact) { return artifact->manifest.backend.c_str(); }

const char *txrt_artifact_digest(const txrt_artifact *artifact) { return artifact->container.digest().c_str(); }

uint64_t txrt_artifact_segment_bytes(const txrt_artifact *artifact, txrt_segment segment) {
  auto index = static_cast<uint32_t>(segment);
  return index < TXRT_SEGMENT_COUNT ? artifact->manifest.segmentBytes[index] : 0;
}

txrt_status txrt_artifact_print_memory_map(const txrt_artifact *artifact, const char *what, FILE *output,
                                           txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(artifact && what && output, "txrt_artifact_print_memory_map");
    printMemoryMap(artifact->program.view(), what, output);
  });
}

/// Calls `visit` as txrt_artifact_visit_memory says. A name lives until `visit` returns.
static void visitMemory(const txrt_program &program, uint32_t entry,
                        const std::function<void(const txrt_memory_block &)> &visit) {
  auto plain = [&](const txrt_place &place, int last) {
    visit({place.begin, place.end, -1, last, place.name, TXRT_DTYPE_BYTE, "", TXRT_PHASE_FORWARD, -1});
  };
  for (uint32_t i = 0; i < program.place_count; ++i)
    if (program.places[i].kind == TXRT_PLACE_STATE)
      plain(program.places[i], -1);
  const std::vector<Lifetime> values = findLifetimes(program, entry);
  const std::vector<MemoryBlock> blocks = findBlocks(values);
  auto lastOf = [](const MemoryBlock &block) { return block.isResult ? -1 : int(block.last); };
  for (bool isArgument : {true, false})
    for (const MemoryBlock &block : blocks) {
      const Lifetime &value = values[block.value];
      if (isArgument != !value.buffer)
        continue;
      txrt_memory_block shown = {
          block.begin, block.end, -1, lastOf(block), value.name.c_str(), TXRT_DTYPE_BYTE, "", TXRT_PHASE_FORWARD, -1};
      if (!isArgument) {
        const txrt_launch &launch = program.launches[value.first];
        shown.number = int(value.first);
        shown.dtype = txrt_dtype(value.buffer->dtype);
        shown.launch = program.strings + launch.name;
        shown.phase = txrt_phase(launch.phase);
        shown.layer = launch.layer;
      }
      visit(shown);
    }
}

txrt_status txrt_artifact_visit_memory(const txrt_artifact *artifact, int entry,
                                       void (*visit)(void *context, const txrt_memory_block *block), void *context,
                                       txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(artifact && visit, "txrt_artifact_visit_memory");
    const txrt_program &program = artifact->program.view();
    if (entry < 0 || uint32_t(entry) >= program.entry_count)
      fail(TXRT_USAGE, "entry %d of %u", entry, program.entry_count);
    visitMemory(program, uint32_t(entry), [&](const txrt_memory_block &block) { visit(context, &block); });
  });
}

txrt_status txrt_session_create(const txrt_artifact *artifact, const txrt_options *options, txrt_session **session,
                                txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(artifact && session, "txrt_session_create");
    *session = new txrt_session(*artifact, options ? *options : txrt_options{});
  });
}

void txrt_session_destroy(txrt_session *session) { delete session; }

const char *txrt_session_description(const txrt_session *session) {
  return session->backend.description(session->state);
}

int txrt_session_threads(const txrt_session *session) { return session->backend.threads(session->state); }

uint64_t txrt_session_arena_bytes(const txrt_session *session) { return session->backend.arena_bytes(session->state); }

txrt_status txrt_session_device_memory(const txrt_session *session, txrt_device_memory *memory, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(memory, "txrt_session_device_memory");
    *memory = session->deviceMemory();
  });
}

txrt_status txrt_session_write(txrt_session *session, txrt_segment segment, uint64_t offset, uint64_t bytes,
                               const void *from, txrt_error *error) {
  txrt_status status = TXRT_OK;
  txrt_status checked = guarded(error, [&] {
    requireArgument(from || bytes == 0, "txrt_session_write");
    status = session->write(static_cast<uint32_t>(segment), offset, bytes, from, error);
  });
  return checked ? checked : status;
}

txrt_status txrt_session_read(const txrt_session *session, txrt_segment segment, uint64_t offset, uint64_t bytes,
                              void *to, txrt_error *error) {
  txrt_status status = TXRT_OK;
  txrt_status checked = guarded(error, [&] {
    requireArgument(to || bytes == 0, "txrt_session_read");
    status = session->read(static_cast<uint32_t>(segment), offset, bytes, to, error);
  });
  return checked ? checked : status;
}

int txrt_session_find_entry(const txrt_session *session, const char *name) {
  const txrt_program &program = session->program;
  for (uint32_t i = 0; name && i < program.entry_count; ++i)
    if (strcmp(program.strings + program.entries[i].name, name) == 0)
      return static_cast<int>(i);
  return -1;
}

txrt_status txrt_session_run(txrt_session *session, int entry, txrt_error *error) {
  txrt_status status = TXRT_OK;
  txrt_status checked = guarded(error, [&] { status = session->run(checkedEntry(session, entry), error); });
  return checked ? checked : status;
}

int64_t txrt_session_step_allocations(const txrt_session *session) { return session->stepAllocations(); }

int txrt_session_entry_count(const txrt_session *session) { return static_cast<int>(session->program.entry_count); }

const char *txrt_session_entry_name(const txrt_session *session, int entry) {
  const txrt_program &program = session->program;
  if (entry < 0 || uint32_t(entry) >= program.entry_count)
    return nullptr;
  return program.strings + program.entries[entry].name;
}

int txrt_session_launch_count(const txrt_session *session, int entry) {
  const txrt_program &program = session->program;
  if (entry < 0 || uint32_t(entry) >= program.entry_count)
    return -1;
  return static_cast<int>(program.entries[entry].launch_count);
}

txrt_status txrt_session_launch_info(const txrt_session *session, int entry, int launch, txrt_launch_info *info,
                                     txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(info, "txrt_session_launch_info");
    uint32_t index = checkedEntry(session, entry);
    uint32_t count = session->program.entries[index].launch_count;
    if (launch < 0 || uint32_t(launch) >= count)
      fail(TXRT_USAGE, "launch %d of %u", launch, count);
    *info = session->info(index, static_cast<uint32_t>(launch));
  });
}

void txrt_session_profile(txrt_session *session, int enabled) { session->profile(enabled != 0); }
