//===- comm.h - How ranks talk to each other --------------------------------------------------------------*- C -*-===//
//
// A transport is one table of functions, listed in comm/World.cpp. It joins the processes of one run, numbers them from
// 0, and carries bytes between them. comm/Collectives.h builds the collectives on it, so what they compute (the order
// of sums above all) is the same over every transport.
//
// All ranks make matching calls in the same order. When a call fails, its error names the operation and, where the
// transport knows it, the rank that did not answer; after that the caller can only `abort`.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_H
#define TXRT_COMM_H

#include "txrt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes that go from one rank to another, as one of the two ranks describes them. Both ranks give the same `bytes`, at
   most TXRT_MESSAGE_BYTES. */
#define TXRT_MESSAGE_BYTES (1u << 30)
typedef struct {
  int peer;
  int sends; /* 1: from this rank to the peer; 0: from the peer to this rank */
  void *data;
  uint64_t bytes;
} txrt_message;

typedef struct {
  const char *name;
  /* How many ranks a launcher of this transport has started for this run; 0 if none started this process. */
  int (*launched_ranks)(void);
  txrt_status (*create)(const txrt_world_options *options, void **state, txrt_error *error);
  /* Waits until all ranks call it, then leaves the run. */
  void (*destroy)(void *state);
  int (*rank)(void *state);
  int (*size)(void *state);
  /* How many ranks share this machine's CPUs, this rank included; 1 when the launcher has given each rank its own. */
  int (*local_ranks)(void *state);
  /* This rank's place among the ranks of its machine, from 0. */
  int (*local_rank)(void *state);
  const char *(*description)(void *state);
  /* Carries all messages at the same time, and returns when each message to this rank has arrived and each from it has
     left. Between two ranks the n-th message that one sends is the n-th that the other receives. `what` names the
     operation in errors. Allocates nothing for at most `2 * size` messages. */
  txrt_status (*exchange)(void *state, const txrt_message *messages, uint32_t count, const char *what,
                          txrt_error *error);
  /* Whether any thread may call `exchange` and `watch`, one call at a time; if not, only the thread of `create` may. */
  int (*takes_threads)(void *state);
  /* For a caller that waits for other ranks outside of `exchange` (in NCCL) and has seen no progress for `seconds`.
     Fails when a rank has left (as far as the transport can see that), when the timeout has passed, or when somebody
     ends this run. Never waits itself. */
  txrt_status (*watch)(void *state, const char *what, double seconds, txrt_error *error);
  /* Tells the other ranks why this rank leaves, as far as the transport can, and ends this process; some transports end
     the processes of all ranks. */
  void (*abort)(void *state, int code, const char *why);
} txrt_transport;

#ifdef __cplusplus
}
#endif

#endif /* TXRT_COMM_H */
