//===- comm.h - How ranks talk to each other -------------------*- C -*-===//
//
// A transport is one table of functions, listed in comm/World.cpp. It joins the
// processes of one run, numbers them from 0, and runs collectives on host
// memory. All ranks make the same calls in the same order. A call that fails
// names the operation and, where it is known, the rank that did not answer;
// after that nothing is left to do but `abort`.
//
//===----------------------------------------------------------------------===//

#ifndef TXRT_COMM_H
#define TXRT_COMM_H

#include "txrt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  const char *name;
  /* Whether a launcher of this transport started this process; then how many. */
  int (*launched_ranks)(void);
  txrt_status (*create)(const txrt_world_options *options, void **state,
                        txrt_error *error);
  /* After the last call of all ranks; waits for them. */
  void (*destroy)(void *state);
  int (*rank)(void *state);
  int (*size)(void *state);
  const char *(*description)(void *state);
  /* `to` = the sum of all ranks' `from`, in the order of ranks, in f32 (i32 for
     i32). `from` may be `to`. `what` names the operation in messages. */
  txrt_status (*all_reduce)(void *state, const void *from, void *to,
                            uint64_t count, txrt_dtype dtype, const char *what,
                            txrt_error *error);
  /* Ends the processes of all ranks; does not return. */
  void (*abort)(void *state, int code);
} txrt_transport;

#ifdef __cplusplus
}
#endif

#endif /* TXRT_COMM_H */
