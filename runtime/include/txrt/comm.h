//===- comm.h - How ranks talk to each other --------------------------------------------------------------*- C -*-===//
//
// A transport is one table of functions, listed in comm/World.cpp. It joins the processes of one run, numbers them from
// 0, and carries bytes between them; what collectives do with the bytes, the order of sums above all, is the same over
// every transport (comm/Collectives.h).
//
// All ranks make matching calls in the same order. A call that fails names the operation and, where it is known, the
// rank that did not answer; after that nothing is left to do but `abort`.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_H
#define TXRT_COMM_H

#include "txrt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes from one rank to another, as one of the two sees them. `bytes` is the same number on both sides, at most
   TXRT_MESSAGE_BYTES. */
#define TXRT_MESSAGE_BYTES (1u << 30)
typedef struct {
  int peer;
  int sends; /* 1: from here to the peer; 0: from the peer to here */
  void *data;
  uint64_t bytes;
} txrt_message;

typedef struct {
  const char *name;
  /* Whether a launcher of this transport started this process; then how many. */
  int (*launched_ranks)(void);
  txrt_status (*create)(const txrt_world_options *options, void **state, txrt_error *error);
  /* After the last call of all ranks; waits for them. */
  void (*destroy)(void *state);
  int (*rank)(void *state);
  int (*size)(void *state);
  /* Ranks that share this machine's CPUs with this one, itself counted; 1 when the launcher has given each its own. */
  int (*local_ranks)(void *state);
  /* This one's place among the ranks of its machine, from 0. */
  int (*local_rank)(void *state);
  const char *(*description)(void *state);
  /* Carries all of the messages at the same time, and returns when each has arrived, or left. Between two ranks the
     n-th sent one is the n-th received one. `what` names the operation in messages for people. Allocates nothing for at
     most `2 * size` messages. */
  txrt_status (*exchange)(void *state, const txrt_message *messages, uint32_t count, const char *what,
                          txrt_error *error);
  /* Whether calls may come from any thread, one at a time. */
  int (*takes_threads)(void *state);
  /* For whoever waits for the ranks elsewhere than in `exchange`, `seconds` without progress so far. Fails when a rank
     has left, as far as that can be seen, when it was too long, or when this run is being ended. Never waits. */
  txrt_status (*watch)(void *state, const char *what, double seconds, txrt_error *error);
  /* Tells the other ranks why this one leaves, as far as the transport can, and ends the process; some transports end
     those of all ranks. */
  void (*abort)(void *state, int code, const char *why);
} txrt_transport;

#ifdef __cplusplus
}
#endif

#endif /* TXRT_COMM_H */
