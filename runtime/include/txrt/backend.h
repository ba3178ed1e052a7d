//===- backend.h - What a backend gives the runtime -------------------------------------------------------*- C -*-===//
//
// A backend is one table of functions, listed in core/Backends.cpp. The session (core/Session.cpp) calls it: `create`
// once, then for each run of an entry `begin`, `launch` for each launch of the entry in order, and `sync`. The runtime
// has checked every index, range, extent and name of a program before a backend sees the program.
//
// Plain C, so that a backend may be written in any language. When `create` fails, it fills `error` and frees what it
// made. `create` prepares all that a step needs; after it a backend allocates nothing.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKEND_H
#define TXRT_BACKEND_H

#include "txrt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A tensor that the manifest names, at bytes [begin, end) of the arena; for dry runs and memory maps. */
typedef enum {
  TXRT_PLACE_STATE = 0, /* a global: it lives through all entries */
  TXRT_PLACE_ARGUMENT = 1,
  TXRT_PLACE_RESULT = 2,
} txrt_place_kind;

typedef struct {
  const char *name;
  uint32_t kind;  /* txrt_place_kind */
  uint32_t entry; /* of an argument or a result */
  uint64_t begin, end;
} txrt_place;

/* A checked artifact. It must outlive every backend made from it. */
typedef struct {
  const char *name; /* what messages call it */
  const char *target_backend, *target_triple;
  const char *const *target_features;
  uint32_t target_feature_count;

  const txrt_entry *entries;
  const txrt_launch *launches;
  const txrt_buffer *buffers;
  const txrt_kernel *kernels;
  const txrt_attention *attentions; /* what launches refer to */
  uint32_t entry_count, launch_count, buffer_count, kernel_count;
  const char *strings; /* NUL-terminated names; string offsets count from here */

  /* The target's code unit; NULL and 0 when the artifact has none. The `entry` of each function and each GPU image lie
     inside the code; the function of kernels[i] is functions[kernel_functions[i]], and every launch fits its function
     (txrt_operand). */
  const uint8_t *code;
  uint64_t code_bytes;
  const txrt_function *functions;
  uint32_t function_count;
  const char *function_names;
  const uint32_t *kernel_functions;
  const txrt_gpu_image *gpu_images;
  uint32_t gpu_image_count;

  /* First the state, sorted by address; then for each entry its arguments and its results. */
  const txrt_place *places;
  uint32_t place_count;

  /* segment_base[s] + buffer.offset is a buffer's place in the arena */
  uint64_t segment_bytes[TXRT_SEGMENT_COUNT];
  uint64_t segment_base[TXRT_SEGMENT_COUNT];
  uint64_t arena_bytes; /* all segments */
} txrt_program;

typedef struct {
  const char *name;
  txrt_status (*create)(const txrt_program *program, const txrt_options *options, void **state, txrt_error *error);
  void (*destroy)(void *state);

  /* Tells the backend that launches of this entry follow; if `timed`, the session asks for the time of each of them by
     `timing` after `sync`. */
  txrt_status (*begin)(void *state, uint32_t entry, int timed, txrt_error *error);
  /* Runs or queues one launch. The results must be those of launches run in order. The launch's `waits` suffice for
     that, the runtime has checked them: a collective may run beside later launches, up to the one that waits for it or
     to the end of the entry. A backend may wait for more, as one does that begins a collective after all launches
     before it. */
  txrt_status (*launch)(void *state, uint32_t launch, txrt_error *error);
  /* Waits until every launch since `begin` is done. */
  txrt_status (*sync)(void *state, txrt_error *error);

  /* After `sync` of an entry that was run with `timed`: when this launch began, in seconds after the entry began, and
     how many seconds it took, without the time it waited for others before it began. Timing changes no order: a
     collective that runs beside other launches does so when it is timed, too. NULL: the backend runs nothing, and all
     times are 0. */
  txrt_status (*timing)(void *state, uint32_t launch, double *start, double *seconds, txrt_error *error);

  /* `write` copies the caller's bytes to [offset, offset + bytes) of the arena, `read` copies them back, both after all
     launches so far are done. Both are NULL when the backend has no arena. */
  txrt_status (*write)(void *state, uint64_t offset, uint64_t bytes, const void *from, txrt_error *error);
  txrt_status (*read)(void *state, uint64_t offset, uint64_t bytes, void *to, txrt_error *error);
  uint64_t (*arena_bytes)(void *state);
  /* How much of the device's memory the session takes. NULL when the arena is in the host's memory or there is none. */
  txrt_status (*device_memory)(void *state, txrt_device_memory *memory, txrt_error *error);
  int (*threads)(void *state);
  const char *(*description)(void *state);
} txrt_backend;

#ifdef __cplusplus
}
#endif

#endif /* TXRT_BACKEND_H */
