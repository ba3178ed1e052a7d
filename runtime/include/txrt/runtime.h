//===- runtime.h - Load an artifact and run its entries ---------------------------------------------------*- C -*-===//
//
// The runtime's C interface. An artifact is a checked `step.txa`. A session runs an artifact's entries: it has a
// backend, one arena and all that a step needs. txrt_session_create allocates all of it; a step allocates nothing.
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
  TXRT_USAGE = 2,         /* the call is wrong, or this machine or build lacks something that it needs */
  TXRT_OUT_OF_MEMORY = 3, /* the message says how much is needed and how much is free */
  TXRT_DEVICE = 4,        /* device, driver or CPU features */
  TXRT_PEER = 5,          /* another rank left, or did not answer within the timeout */
  TXRT_NUMERIC = 6,       /* the loss or a gradient is NaN or Inf */
  TXRT_IO = 7,            /* the system refused a read or a write */
  TXRT_INTERRUPTED = 130, /* a signal or the caller asked the process to end */
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

/* The same for `size` bytes in memory, which it copies. Messages call the artifact `name` (NULL: "artifact"). */
txrt_status txrt_artifact_open_memory(const void *bytes, size_t size, const char *name, txrt_artifact **artifact,
                                      txrt_error *error);

void txrt_artifact_close(txrt_artifact *artifact);

/* The manifest's JSON text, NUL-terminated; lives as long as the artifact. */
const char *txrt_artifact_manifest(const txrt_artifact *artifact);

/* The backend that the artifact was compiled for: "host". Lives as long as the artifact. */
const char *txrt_artifact_backend(const txrt_artifact *artifact);

/* SHA-256 of the file in 64 hexadecimal digits, NUL-terminated. Lives as long as the artifact. */
const char *txrt_artifact_digest(const txrt_artifact *artifact);

/* Bytes that the manifest plans for a segment. A session allocates the sum of all segments. */
uint64_t txrt_artifact_segment_bytes(const txrt_artifact *artifact, txrt_segment segment);

/* Prints which value lies where in the arena, one row for each value: the values of all entries (`what` is "all"), of
   the entry with the name `what`, or those live at the launch with the number `what`. */
txrt_status txrt_artifact_print_memory_map(const txrt_artifact *artifact, const char *what, FILE *output,
                                           txrt_error *error);

/* Bytes [begin, end) of the arena, and who holds them while an entry runs. Blocks of one moment do not overlap, but
   that a launch may write a block in place of one that it reads last. */
typedef struct {
  uint64_t begin, end;
  int number; /* the launch that writes the block first, as its index in the launch table; -1: state or an argument,
                 which is there when the entry begins */
  int last;   /* the last launch that uses it; -1: state or a result, which is still there when the entry ends */
  const char *name;   /* of state, an argument or a result; else "" */
  txrt_dtype dtype;   /* of the first value in it; TXRT_DTYPE_BYTE for state and arguments */
  const char *launch; /* the name of launch `number`: module path and op; "" if there is none */
  txrt_phase phase;   /* of that launch, and its layer (-1: outside the layers) */
  int layer;
} txrt_memory_block;

/* Calls `visit` for each block of an entry (an index as in the launch table, from 0): first for all state, then for
   arguments, then in the order of launches. `name` lives until `visit` returns, `launch` as long as the artifact. */
txrt_status txrt_artifact_visit_memory(const txrt_artifact *artifact, int entry,
                                       void (*visit)(void *context, const txrt_memory_block *block), void *context,
                                       txrt_error *error);

/*===-- Ranks ------------------------------------------------------------===*/

/* The processes that run one step together, numbered from 0. */
typedef struct txrt_world txrt_world;

typedef struct {
  double timeout_seconds; /* how long one operation may wait for another rank; 0: without end */
  /* Returns 1 when the launcher ends this run (SIGTERM): this rank then waits no full timeout for a rank that does not
     answer. May be NULL. */
  int (*stopping)(void);
  /* Returns 1 when somebody wants this process to end: txrt_world_create, while it waits for ranks that have not yet
     joined, then fails with TXRT_INTERRUPTED. May be NULL. */
  int (*interrupted)(void);
} txrt_world_options;

/* How many ranks a launcher (mpirun, tx-run) has started for this run; 0 if no launcher started this process. */
int txrt_world_launched_ranks(void);

/* Joins the ranks of this run. Without a launcher it makes a world of one rank, which needs no library. `options` may
   be NULL. */
txrt_status txrt_world_create(const txrt_world_options *options, txrt_world **world, txrt_error *error);

/* Waits for all ranks to call it. Destroy the sessions that use this world first. */
void txrt_world_destroy(txrt_world *world);

int txrt_world_rank(const txrt_world *world);
int txrt_world_size(const txrt_world *world);
/* How many ranks share this machine's CPUs, this rank included; 1 when the launcher has given each rank its own CPUs.
 */
int txrt_world_local_ranks(const txrt_world *world);
/* "rank 0 of 4, Open MPI v4.1.4". Lives as long as the world. */
const char *txrt_world_description(const txrt_world *world);

/* Replaces the `count` values by their sums over all ranks, added in the order of ranks. `what` names the operation in
   messages. After a failure the caller can only call txrt_world_abort. */
txrt_status txrt_world_all_reduce(txrt_world *world, void *values, uint64_t count, txrt_dtype dtype, const char *what,
                                  txrt_error *error);

/* Writes every rank's `bytes` bytes of `from` to `to`, in the order of ranks: size * bytes bytes. */
txrt_status txrt_world_all_gather(txrt_world *world, const void *from, void *to, uint64_t bytes, const char *what,
                                  txrt_error *error);

/* Ends this process with this exit code, and so the run: the transport tells the other ranks why, as far as it can, or
   ends their processes too. Does not return. */
void txrt_world_abort(txrt_world *world, int code, const char *why);

/*===-- Sessions ---------------------------------------------------------===*/

/* The names that txrt_options.backend takes, numbered from 0; NULL for an index past the last. */
const char *txrt_backend_name(int index);

typedef struct txrt_session txrt_session;

typedef struct {
  const char *backend; /* a name of txrt_backend_name; NULL: the backend that the artifact was compiled for */
  int threads;         /* host: 0 means one thread for each CPU that this process may use */
  FILE *output;        /* dryrun: where launches are printed; NULL: stdout */
  int no_graph;        /* cuda: queue launches one by one, for debugging */
  int no_overlap;      /* run no launch beside a collective, for comparison */
  txrt_world *world;   /* the ranks that collectives run on; NULL: one rank */
  int no_cudnn;        /* cuda: compute attention with generated kernels only */
  int no_nccl_buffers; /* cuda: do not register the arena with NCCL */
  int tune;            /* cuda: time the algorithms of each matrix product */
  /* cuda: the file from which the session reads the chosen algorithms, and to which `tune` writes them; NULL: none. */
  const char *tuning_cache;
  /* Gets warnings, one line each; NULL: the session drops them. */
  void (*warn)(const char *message);
  /* host: bytes that the caller will allocate beside the session, as far as it knows. txrt_session_create counts them
     when it compares the memory it needs with the limits. */
  uint64_t own_bytes;
} txrt_options;

/* Compares the memory that the session needs with every limit of memory, then allocates the zero-filled arena and loads
   the kernels. Fails with TXRT_OUT_OF_MEMORY when a limit is too low. `options` may be NULL. */
txrt_status txrt_session_create(const txrt_artifact *artifact, const txrt_options *options, txrt_session **session,
                                txrt_error *error);

void txrt_session_destroy(txrt_session *session);

/* A line for logs: "host, 2 threads, OpenBLAS 0.3.21 SkylakeX". Lives as long as the session. */
const char *txrt_session_description(const txrt_session *session);

/* Writes a message for an allocation that failed to `text` (`size` bytes): "memory ran out; the least is left of ...",
   which names the limit that has the least left. */
void txrt_describe_memory(char *text, size_t size);

int txrt_session_threads(const txrt_session *session);

/* Bytes that the session has allocated for its arena (0 under dryrun). They equal the sum of the manifest's segments:
   otherwise txrt_session_create fails. */
uint64_t txrt_session_arena_bytes(const txrt_session *session);

/* Bytes of a device's memory. The session reads from the driver how many bytes of the device are in use, at three
   times: when it begins, when it has the arena, and now; the fields are the differences. All 0 where the arena is in
   the host's memory. */
typedef struct {
  uint64_t arena;     /* txrt_session_arena_bytes, as the driver rounds them */
  uint64_t libraries; /* taken after the arena: kernels, libraries, graphs, communicators */
  uint64_t context;   /* taken before the arena: the context, and the memory of other processes */
  uint64_t total;     /* all memory of the device */
} txrt_device_memory;

/* The plan does not contain the memory that libraries take beside the arena; they have taken all of it after a few
   steps. The numbers are right only if no other process allocates on the device meanwhile. */
txrt_status txrt_session_device_memory(const txrt_session *session, txrt_device_memory *memory, txrt_error *error);

/* Copy the caller's bytes to [offset, offset + bytes) of a segment, and back. The arena may be in a device's memory, so
   the interface gives no pointers into it. Fails when the range is not inside the segment or the backend has no arena.
   While no entry runs, several threads may copy at the same time. */
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
  const void *place; /* the runtime's own */
} txrt_tensor;

/* With `entry` NULL finds the global of this name; otherwise that entry's argument of this name or, if there is none,
   its result. */
txrt_status txrt_session_find_tensor(const txrt_session *session, const char *entry, const char *name,
                                     txrt_tensor *tensor, txrt_error *error);

/* Fills `tensor` with the global of this index, from 0; returns TXRT_USAGE for an index past the last. */
txrt_status txrt_session_global(const txrt_session *session, int index, txrt_tensor *tensor, txrt_error *error);

/* Copy a tensor out of the session, and into it. The caller's array is plain and row-major, of `elements` numbers of
   `dtype`, whatever the tensor's layout in the arena. `dtype` is the tensor's own, or f32 for a bf16 tensor: reading
   then widens the numbers, and writing rounds them to the nearest bf16. A result can be read until the next entry runs.
   These calls do not check the values of an entry's arguments: a token id outside of the embedding table makes a kernel
   read outside of the table. */
txrt_status txrt_session_read_tensor(const txrt_session *session, const txrt_tensor *tensor, txrt_dtype dtype,
                                     uint64_t elements, void *to, txrt_error *error);
txrt_status txrt_session_write_tensor(txrt_session *session, const txrt_tensor *tensor, txrt_dtype dtype,
                                      uint64_t elements, const void *from, txrt_error *error);

/*===-- Runs -------------------------------------------------------------===*/

/* The index of the entry of this name; -1 if there is none. */
int txrt_session_find_entry(const txrt_session *session, const char *name);

/* Runs one entry to its end. */
txrt_status txrt_session_run(txrt_session *session, int entry, txrt_error *error);

/* How many allocations (malloc family and mmap) the process made during all txrt_session_run calls of this session; the
   runtime promises 0. They are counted only in a program that links the CMake target txrt-allocation-counter; else -1.
 */
int64_t txrt_session_step_allocations(const txrt_session *session);

/*===-- Launches and profiles --------------------------------------------===*/

typedef struct {
  uint32_t number;    /* the launch's index in the artifact's launch table, as in the step IR, a dry run and messages */
  const char *name;   /* module path and op */
  const char *kernel; /* a kernel's symbol, "gemm" or "all_reduce" */
  txrt_launch_kind kind;
  txrt_phase phase;
  int layer; /* -1: outside the layers */
  uint64_t flops;
  uint64_t bytes;               /* of all operands: the least that the launch must move */
  uint64_t gemm[3];             /* m, n, k; zeros for a kernel */
  uint64_t batch;               /* how many products a gemm computes; 0 for a kernel */
  int transpose_a, transpose_b; /* of a gemm; zeros for a kernel */
  txrt_dtype dtype;             /* of a gemm's A and B; of a kernel: bf16 if one of its operands or results is */
  uint32_t buffers;             /* operands and results, without scratch */
  uint64_t units, grain;        /* of a kernel (txrt_kernel_launch); zeros for a gemm */
  uint64_t sent_bytes;          /* of a collective: the least that a rank has to send */
  const char *waits_for; /* the name of the last launch of another lane that must be done before this one, or NULL */
  double seconds;        /* sum over all runs while profiling */
  uint64_t runs;         /* how many runs `seconds` adds up */
  double last_start;     /* the last run: when the launch began, in seconds after its entry began */
  double last_seconds;   /* the last run: how long the launch took */
} txrt_launch_info;

/* Number of entries, and an entry's name and number of launches. */
int txrt_session_entry_count(const txrt_session *session);
const char *txrt_session_entry_name(const txrt_session *session, int entry);
int txrt_session_launch_count(const txrt_session *session, int entry);

/* Fills `info` for a launch of an entry; its strings live as long as the artifact. */
txrt_status txrt_session_launch_info(const txrt_session *session, int entry, int launch, txrt_launch_info *info,
                                     txrt_error *error);

/* Turns the timing of each launch on or off; turning it on also sets all times to 0. On a GPU the device's own clock
   measures. Launches that run side by side do so when they are timed, too, so their times may add up to more than the
   entry takes. */
void txrt_session_profile(txrt_session *session, int enabled);

#ifdef __cplusplus
}
#endif

#endif /* TXRT_RUNTIME_H */
