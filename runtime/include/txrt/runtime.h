//===- runtime.h - Load an artifact and run its entries ---------------------------------------------------*- C -*-===//
//
// The runtime's C interface. An artifact is a checked `step.txa`; a session is an artifact with a backend, one arena,
// and everything that a step needs, all of it allocated when the session is made and nothing while a step runs.
//
//   txrt_error error;
//   txrt_artifact *artifact;
//   txrt_session *session;
//   if (txrt_artifact_open("step.txa", &artifact, &error) ||
//       txrt_session_create(artifact, &(txrt_options){.backend = "host"},
//                           &session, &error))
//     return fprintf(stderr, "%s\n", error.message), error.code;
//   int entry = txrt_session_find_entry(session, "step");
//   txrt_session_write(session, TXRT_SEGMENT_ARGUMENT, 0, 1024, tokens, &error);
//   ... the parameters and the other arguments ...
//   txrt_session_run(session, entry, &error);
//   txrt_session_read(session, TXRT_SEGMENT_TRANSIENT, 64, 4, &loss, &error);
//
// Every call returns a status (or NULL) and fills `error` when it fails; `error` may be NULL. The statuses are the exit
// codes of the tools. No call throws. A session is used by one thread at a time; an artifact may be shared by sessions
// and must outlive them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_RUNTIME_H
#define TXRT_RUNTIME_H

#include "txrt/abi.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  TXRT_OK = 0,
  TXRT_BAD_INPUT = 1,     /* a file or a field of it is wrong */
  TXRT_USAGE = 2,         /* wrong call, or something is missing here */
  TXRT_OUT_OF_MEMORY = 3, /* needed and free are in the message */
  TXRT_DEVICE = 4,        /* device, driver or CPU features */
  TXRT_PEER = 5,          /* peer lost or timeout */
  TXRT_NUMERIC = 6,       /* numeric guard */
  TXRT_IO = 7,            /* the system refused a read or a write */
  TXRT_INTERRUPTED = 130,
} txrt_status;

typedef struct {
  int code;           /* txrt_status */
  char message[1024]; /* one line, NUL-terminated, no newline */
} txrt_error;

/*===-- Artifacts --------------------------------------------------------===*/

typedef struct txrt_artifact txrt_artifact;

/* Reads the file whole and checks everything that can be checked without running any of it. `*artifact` is set only on
   success. */
txrt_status txrt_artifact_open(const char *path, txrt_artifact **artifact, txrt_error *error);

/* The same for bytes in memory; they are copied. `name` is what messages call the artifact (NULL: "artifact"). */
txrt_status txrt_artifact_open_memory(const void *bytes, size_t size, const char *name, txrt_artifact **artifact,
                                      txrt_error *error);

void txrt_artifact_close(txrt_artifact *artifact);

/* The manifest's JSON text, NUL-terminated; lives as long as the artifact. */
const char *txrt_artifact_manifest(const txrt_artifact *artifact);

/* The backend that it was compiled for: "host". Lives as long as the artifact. */
const char *txrt_artifact_backend(const txrt_artifact *artifact);

/* SHA-256 of the file in 64 hexadecimal digits, NUL-terminated. */
const char *txrt_artifact_digest(const txrt_artifact *artifact);

/* What the manifest plans for a segment; all segments together are what a session allocates. */
uint64_t txrt_artifact_segment_bytes(const txrt_artifact *artifact, txrt_segment segment);

/* Prints who lies where in the arena, as text with a row for each value: of all entries (`what` is "all"), of the entry
   of this name, or at the launch of this number. */
txrt_status txrt_artifact_print_memory_map(const txrt_artifact *artifact, const char *what, FILE *output,
                                           txrt_error *error);

/*===-- Ranks ------------------------------------------------------------===*/

/* The processes that run one step together, numbered from 0. */
typedef struct txrt_world txrt_world;

typedef struct {
  double timeout_seconds; /* of one operation; 0: no end */
  /* Whether the launcher ends this run (SIGTERM): a rank that does not answer then is not waited for to the end. May be
     NULL. */
  int (*stopping)(void);
  /* Whether somebody wants this process to end: to wait for ranks that have not come ends with TXRT_INTERRUPTED then.
     May be NULL. */
  int (*interrupted)(void);
} txrt_world_options;

/* How many ranks a launcher (mpirun, tx-run) has started of this run; 0 if none has. */
int txrt_world_launched_ranks(void);

/* Joins them; without a launcher a world of one, which needs no library. `options` may be NULL. */
txrt_status txrt_world_create(const txrt_world_options *options, txrt_world **world, txrt_error *error);

/* Waits for all ranks; after the sessions that use it. */
void txrt_world_destroy(txrt_world *world);

int txrt_world_rank(const txrt_world *world);
int txrt_world_size(const txrt_world *world);
/* Ranks that share this machine's CPUs, this one counted; 1 when each has been given its own. */
int txrt_world_local_ranks(const txrt_world *world);
/* "rank 0 of 4, Open MPI v4.1.4". Lives as long as the world. */
const char *txrt_world_description(const txrt_world *world);

/* The sum over all ranks, in the order of ranks, in place. `what` names it in messages. After a failure nothing is left
   to do but to abort. */
txrt_status txrt_world_all_reduce(txrt_world *world, void *values, uint64_t count, txrt_dtype dtype, const char *what,
                                  txrt_error *error);

/* `to` = every rank's `bytes` bytes of `from`, in the order of ranks. */
txrt_status txrt_world_all_gather(txrt_world *world, const void *from, void *to, uint64_t bytes, const char *what,
                                  txrt_error *error);

/* Ends this process with this exit code, and so the run: other ranks learn why, as far as the transport can tell, or
   are ended too. Does not return. */
void txrt_world_abort(txrt_world *world, int code, const char *why);

/*===-- Sessions ---------------------------------------------------------===*/

/* The names that txrt_options.backend takes, numbered from 0; NULL behind the last. */
const char *txrt_backend_name(int index);

typedef struct txrt_session txrt_session;

typedef struct {
  const char *backend; /* of txrt_backend_name; NULL: the artifact's own */
  int threads;         /* host: 0 means one for each CPU we may use */
  FILE *output;        /* dryrun: where launches are printed; NULL: stdout */
  int no_graph;        /* cuda: queue launches one by one, for debugging */
  int no_overlap;      /* no launch goes on beside a collective, for comparison */
  txrt_world *world;   /* who runs the collectives; NULL: one rank */
  int no_cudnn;        /* cuda: attention by generated kernels alone */
  int no_nccl_buffers; /* cuda: do not register the arena with NCCL */
  int tune;            /* cuda: time the algorithms of each matrix product */
  /* cuda: the file that choices of algorithms are taken from, and with `tune` written to; NULL: none. */
  const char *tuning_cache;
  /* Gets what is worth a word and no failure, one line; NULL: dropped. */
  void (*warn)(const char *message);
  /* host: what the caller will allocate beside the session, as far as it knows: counted when memory is compared with
     its limits. */
  uint64_t own_bytes;
} txrt_options;

/* Allocates the arena (zero-filled) and loads the kernels, after what all of it takes was compared with every limit of
   memory. `options` may be NULL. */
txrt_status txrt_session_create(const txrt_artifact *artifact, const txrt_options *options, txrt_session **session,
                                txrt_error *error);

void txrt_session_destroy(txrt_session *session);

/* "host, 2 threads, OpenBLAS 0.3.21 SkylakeX": for logs. Lives as long as the session. */
const char *txrt_session_description(const txrt_session *session);

/* For an allocation that failed: "memory ran out; the least is left of ...", with whose limit that is. */
void txrt_describe_memory(char *text, size_t size);

int txrt_session_threads(const txrt_session *session);

/* Bytes that the session's arena really occupies (0 under dryrun): equal to the manifest's sum, or the session is not
   created. */
uint64_t txrt_session_arena_bytes(const txrt_session *session);

/* Bytes of a device's own memory, by what its driver counts as in use: when the session began, with the arena, and now.
   All 0 where the arena is the host's. */
typedef struct {
  uint64_t arena;     /* txrt_session_arena_bytes, as the driver rounds them */
  uint64_t libraries; /* since then: kernels, libraries, graphs, communicators */
  uint64_t context;   /* before: the context, and what other processes have */
  uint64_t total;     /* that the device has */
} txrt_device_memory;

/* What the session takes besides its arena is in no plan; after some steps all of it is there. Other processes must
   rest meanwhile. */
txrt_status txrt_session_device_memory(const txrt_session *session, txrt_device_memory *memory, txrt_error *error);

/* Copy the caller's bytes to [offset, offset + bytes) of a segment, and back. The arena may be a device's memory, so
   there are no pointers into it. Fails when the range is not inside the segment or the backend keeps no memory. While
   no entry runs, several threads may copy at the same time. */
txrt_status txrt_session_write(txrt_session *session, txrt_segment segment, uint64_t offset, uint64_t bytes,
                               const void *from, txrt_error *error);
txrt_status txrt_session_read(const txrt_session *session, txrt_segment segment, uint64_t offset, uint64_t bytes,
                              void *to, txrt_error *error);

/*===-- Tensors ----------------------------------------------------------===*/

/* A global (a parameter, its gradient, optimizer state), or an argument or a result of an entry. Its texts live as long
   as the artifact. */
typedef struct {
  const char *name;
  txrt_dtype dtype;
  int rank; /* how many extents the shape has; 0: a single number */
  const uint64_t *shape;
  uint64_t elements;
  const void *place; /* for the runtime */
} txrt_tensor;

/* Finds a global by its name where `entry` is NULL, else an argument or, if there is none, a result of that entry. */
txrt_status txrt_session_find_tensor(const txrt_session *session, const char *entry, const char *name,
                                     txrt_tensor *tensor, txrt_error *error);

/* The globals, numbered from 0; TXRT_USAGE past the last. */
txrt_status txrt_session_global(const txrt_session *session, int index, txrt_tensor *tensor, txrt_error *error);

/* Copy a tensor as a plain row-major array of `elements` numbers out of the session, and into it; that is how it looks,
   however it lies in the arena. `dtype` is the array's: the tensor's own, or f32 for a bf16 tensor, whose numbers are
   widened, or rounded to the nearest. A result is there until the next entry runs. An entry's arguments are not checked
   here: an id that is not in a table makes a kernel read outside of it. */
txrt_status txrt_session_read_tensor(const txrt_session *session, const txrt_tensor *tensor, txrt_dtype dtype,
                                     uint64_t elements, void *to, txrt_error *error);
txrt_status txrt_session_write_tensor(txrt_session *session, const txrt_tensor *tensor, txrt_dtype dtype,
                                      uint64_t elements, const void *from, txrt_error *error);

/*===-- Runs -------------------------------------------------------------===*/

/* The index of an entry, -1 if there is none of that name. */
int txrt_session_find_entry(const txrt_session *session, const char *name);

/* Runs one entry to its end. */
txrt_status txrt_session_run(txrt_session *session, int entry, txrt_error *error);

/* Allocations (malloc family and mmap) that the process made during all txrt_session_run calls of this session: 0, by
   promise. Counted when the program links the CMake target txrt-allocation-counter, else -1. */
int64_t txrt_session_step_allocations(const txrt_session *session);

/*===-- Launches and profiles --------------------------------------------===*/

typedef struct {
  uint32_t number;    /* its index in the artifact's launch table, as in the step IR, a dry run and messages */
  const char *name;   /* module path and op */
  const char *kernel; /* a kernel's symbol, "gemm" or "all_reduce" */
  txrt_launch_kind kind;
  txrt_phase phase;
  int layer; /* -1: outside the layers */
  uint64_t flops;
  uint64_t bytes;        /* of all operands: the least it must move */
  uint64_t gemm[3];      /* m, n, k; zeros for a kernel */
  uint64_t batch;        /* matrices of a gemm; 0 for a kernel */
  uint64_t units, grain; /* of a kernel; zeros for a gemm */
  uint64_t sent_bytes;   /* what a rank sends in a collective */
  const char *waits_for; /* the collective that must be done before, or NULL */
  double seconds;        /* accumulated while profiling */
  uint64_t runs;         /* how many runs `seconds` adds up */
  double last_start;     /* of the last of them: seconds after its entry began */
  double last_seconds;
} txrt_launch_info;

/* Number of entries, and an entry's name and number of launches. */
int txrt_session_entry_count(const txrt_session *session);
const char *txrt_session_entry_name(const txrt_session *session, int entry);
int txrt_session_launch_count(const txrt_session *session, int entry);

/* Fills `info` for a launch of an entry; its strings live as long as the artifact. */
txrt_status txrt_session_launch_info(const txrt_session *session, int entry, int launch, txrt_launch_info *info,
                                     txrt_error *error);

/* Turns the clock around each launch on or off; on also sets all times to 0. On a GPU it is the device's own. Launches
   that run side by side do so when they are timed, too: times may add up to more than an entry takes. */
void txrt_session_profile(txrt_session *session, int enabled);

#ifdef __cplusplus
}
#endif

#endif /* TXRT_RUNTIME_H */
