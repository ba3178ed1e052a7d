//===- backend.h - What a backend gives the runtime -------------------------------------------------------*- C -*-===//
//
// A backend is one table of functions, listed in core/Backends.cpp. The one runtime loop drives it: `create` once, then
// for each run of an entry `begin`, `launch` for each of its launches in order, `sync`. Everything in a program has
// been checked when a backend sees it: indices, ranges, extents, names.
//
// Plain C, so that a backend may be written in any language. `create` fills `error` and leaves nothing behind when it
// fails. After `create` a backend allocates nothing: what a step needs is made ready there.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKEND_H
#define TXRT_BACKEND_H

#include "txrt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A tensor that the manifest names, at bytes [begin, end) of the arena. For people. */
typedef enum {
  TXRT_PLACE_STATE = 0, /* there in every entry */
  TXRT_PLACE_ARGUMENT = 1,
  TXRT_PLACE_RESULT = 2,
} txrt_place_kind;

typedef struct {
  const char *name;
  uint32_t kind;  /* txrt_place_kind */
  uint32_t entry; /* of an argument or a result */
  uint64_t begin, end;
} txrt_place;

/* A checked artifact. Lives as long as every backend made from it. */
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
  const char *strings; /* an offset into this is a NUL-terminated name */

  /* For each launch that is no collective: 1 + the launch that is the last collective before it, in its entry, which
     touches bytes that it touches, one of the two writing; 0 if there is none, or a launch between has waited for that
     one or a later one. So a collective may go on while others run, until a launch that waits for it, or the end of the
     entry. Collectives themselves begin after all launches before them, and run one after another. */
  const uint32_t *waits;

  /* What the target's code unit has; NULL and 0 when the artifact has none. Entries and images are inside the code; the
     function of kernels[i] is functions[kernel_functions[i]], and every launch fits its function. */
  const uint8_t *code;
  uint64_t code_bytes;
  const txrt_function *functions;
  uint32_t function_count;
  const char *function_names;
  const uint32_t *kernel_functions;
  const txrt_gpu_image *gpu_images;
  uint32_t gpu_image_count;

  /* State, by address; then of each entry its arguments and its results. */
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

  /* Tells that launches of this entry follow; if `timed`, `timing` will ask for each of them after `sync`. */
  txrt_status (*begin)(void *state, uint32_t entry, int timed, txrt_error *error);
  /* Runs, or queues, one launch; launches take effect in order, or as if they did: see txrt_program's `waits`. */
  txrt_status (*launch)(void *state, uint32_t launch, txrt_error *error);
  /* Waits until every launch has taken effect. */
  txrt_status (*sync)(void *state, txrt_error *error);

  /* Of the entry that ran timed, after `sync`: when launch `index` began, in seconds after the entry did, and how long
     it took. A collective that goes on beside other launches does so when it is timed, too; what a launch waits for
     before it begins is not in its time. NULL: nothing runs, and times are 0. */
  txrt_status (*timing)(void *state, uint32_t launch, double *start, double *seconds, txrt_error *error);

  /* Copy between the caller's memory and [offset, offset + bytes) of the arena, after every launch so far; both NULL
     when the backend keeps no memory. */
  txrt_status (*write)(void *state, uint64_t offset, uint64_t bytes, const void *from, txrt_error *error);
  txrt_status (*read)(void *state, uint64_t offset, uint64_t bytes, void *to, txrt_error *error);
  uint64_t (*arena_bytes)(void *state);
  /* NULL: the arena is the host's memory, or there is none. */
  txrt_status (*device_memory)(void *state, txrt_device_memory *memory, txrt_error *error);
  int (*threads)(void *state);
  const char *(*description)(void *state);
} txrt_backend;

#ifdef __cplusplus
}
#endif

#endif /* TXRT_BACKEND_H */
