//===- txrt_train.h - Train from a program of one's own ---------------------------------------------------*- C -*-===//
//
// The library libtxrt_train: a training step that tx-compile made, with its weights, its data and the place where the
// run stands. tx-run trains with the same code, so the same seed and data give the same bits (docs/Library.md).
//
//   txrt_error error;
//   txrt_train *train;
//   if (txrt_train_open("step.txa", NULL, &train, &error) ||
//       txrt_train_initialize(train, 1234, &error))
//     return fprintf(stderr, "%s\n", error.message), error.code;
//   for (int i = 0; i < 100; ++i) {
//     txrt_step_result result;
//     ... fill tokens and targets, [global_batch, sequence] each ...
//     if (txrt_train_step_batch(train, tokens, targets, rows, 3e-4, &result, &error))
//       ...
//     printf("loss %f\n", result.loss);
//   }
//   txrt_train_save(train, "run.safetensors", 0, &error);
//   txrt_train_close(train);
//
// Every call returns a status and fills `error` when it fails; `error` may be NULL. Messages speak of options by the
// names of tx-run's flags: --data-format is `format` of txrt_train_data. No call throws, prints, ends the process or
// handles a signal. There is no state but that of handles: several may be open in one process, each used by one thread
// at a time.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_H
#define TXRT_TRAIN_H

#include "txrt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct txrt_train txrt_train;

/* All zero is a good one. */
typedef struct {
  /* Backend, threads, ranks ... With several ranks each makes the same calls; what fails on one of them fails on all,
     with one status and message, but for a lost rank: then nothing is left to do but txrt_world_abort. */
  txrt_options session;
  uint64_t global_batch_size; /* samples of an iteration; 0: one micro batch for each rank */
  /* Go on when loss or gradients are NaN or Inf. Such gradients update nothing, with or without this; without it the
     step fails with TXRT_NUMERIC. */
  int ignore_nonfinite;
  /* Gets what is worth a word and no failure, one line; may be NULL. */
  void (*note)(void *context, const char *line);
  /* Whether somebody wants this to stop: ends an evaluation early, with what it has. May be NULL. */
  int (*interrupted)(void *context);
  void *context;
} txrt_train_options;

/* Reads and checks the artifact and makes a session of it. It has no weights yet. `options` may be NULL. An artifact
   holds native code: open only those you trust. */
txrt_status txrt_train_open(const char *artifact, const txrt_train_options *options, txrt_train **train,
                            txrt_error *error);
/* NULL is nothing to close. */
void txrt_train_close(txrt_train *train);

typedef struct {
  uint64_t micro_batch, sequence; /* what one run of the step takes */
  uint64_t vocabulary;            /* ids are below it */
  uint64_t global_batch;          /* rows of an iteration, of all ranks */
  int has_ignored;                /* whether there is a target that counts in no loss: */
  int32_t ignored;
  uint64_t seed; /* that it was compiled with; tx-run's, if no other is given */
} txrt_train_info;

txrt_status txrt_train_describe(txrt_train *train, txrt_train_info *info, txrt_error *error);

/* The session below, for txrt_session_find_tensor and the like; it lives as long as `train`. NULL for NULL. */
txrt_session *txrt_train_session(txrt_train *train);

/*===-- Weights ----------------------------------------------------------===*/

/* Begins at iteration 0 with initial weights. The seed is that of the data's order and of dropout, too. */
txrt_status txrt_train_initialize(txrt_train *train, uint64_t seed, txrt_error *error);

/* Begins with the weights of a safetensors file (Hugging Face's names). If it was saved with optimizer state, goes on
   where its run stood, unless `weights_only`. After a failure there are no weights. */
txrt_status txrt_train_load(txrt_train *train, const char *path, int weights_only, txrt_error *error);

/* Replaces the file in one move: after a crash there is the old one or the new one. Without `weights_only` a run that
   loads it goes on bit by bit. The first rank writes. */
txrt_status txrt_train_save(txrt_train *train, const char *path, int weights_only, txrt_error *error);

typedef struct {
  int64_t iteration; /* done */
  uint64_t samples;  /* consumed */
  uint64_t seed;     /* of data order and dropout */
} txrt_train_position;

txrt_status txrt_train_where(const txrt_train *train, txrt_train_position *position, txrt_error *error);

/*===-- Data -------------------------------------------------------------===*/

typedef enum {
  TXRT_DATA_AUTO = 0, /* as its header, its name or the vocabulary say */
  TXRT_DATA_TEXT = 1, /* one token a byte */
  TXRT_DATA_UINT16 = 2,
  TXRT_DATA_UINT32 = 3,
} txrt_data_format;

typedef struct {
  const char *path;       /* a file of text or ids, or .safetensors with samples; NULL: no training data */
  const char *valid_path; /* NULL: a part of `path` is for validation */
  int validates;          /* whether txrt_train_evaluate will be called */
  int format;             /* txrt_data_format */
  int sequential;         /* window after window; 0: at places drawn from (seed, sample's number) */
  double split[3];        /* shares of training, validation and test; all 0: 90, 10, 0 */
} txrt_train_data;

/* Opens them. Samples follow the seed and the samples that are consumed, so a run that goes on gets those that it had
   not. */
txrt_status txrt_train_open_data(txrt_train *train, const txrt_train_data *data, txrt_error *error);

/*===-- Rates ------------------------------------------------------------===*/

typedef enum {
  TXRT_DECAY_CONSTANT = 0,
  TXRT_DECAY_LINEAR = 1,
  TXRT_DECAY_COSINE = 2,
  TXRT_DECAY_INVERSE_SQUARE_ROOT = 3,
} txrt_decay;

/* Megatron's, counted in iterations. */
typedef struct {
  double lr, min_lr;
  int64_t warmup_iters, decay_iters;
  int decay; /* txrt_decay */
} txrt_lr_schedule;

/* Which one holds where a checkpoint was trained with another schedule. */
typedef enum {
  TXRT_SCHEDULE_SAME = 0,   /* neither: they must be the same */
  TXRT_SCHEDULE_GIVEN = 1,  /* the one given here */
  TXRT_SCHEDULE_STORED = 2, /* the checkpoint's */
} txrt_schedule_choice;

/* After the weights. A checkpoint keeps the schedule, and is held against it. */
txrt_status txrt_train_set_schedule(txrt_train *train, const txrt_lr_schedule *schedule,
                                    int choice /* txrt_schedule_choice */, txrt_error *error);

/* The schedule's rate for the next iteration; 0 without one. */
double txrt_train_lr(const txrt_train *train);

/*===-- Steps ------------------------------------------------------------===*/

typedef struct {
  double loss;     /* mean over the valid targets of the global batch, nats a token */
  float grad_norm; /* before clipping; not finite: nothing was updated */
  uint64_t valid_count, tokens;
} txrt_step_result;

/* One iteration on the opened data. `result` may be NULL. After a failure the run stands where it stood. */
txrt_status txrt_train_step(txrt_train *train, double lr, txrt_step_result *result, txrt_error *error);

/* One iteration on ids in memory: `rows` rows of `sequence` tokens, as many as the global batch has, and a target for
   each. With several ranks each gives the whole global batch, and trains on its own rows. Checked before anything runs;
   not kept. */
txrt_status txrt_train_step_batch(txrt_train *train, const int32_t *tokens, const int32_t *targets, uint64_t rows,
                                  double lr, txrt_step_result *result, txrt_error *error);

typedef struct {
  double loss; /* nats a token */
  double perplexity, bits_per_token;
  uint64_t valid_count;
} txrt_evaluation;

/* The loss without dropout over the validation data, or over its first micro batches; 0: all. */
txrt_status txrt_train_evaluate(txrt_train *train, uint64_t micro_batches, txrt_evaluation *evaluation,
                                txrt_error *error);

/* The same over any number of rows in memory. */
txrt_status txrt_train_evaluate_batch(txrt_train *train, const int32_t *tokens, const int32_t *targets, uint64_t rows,
                                      txrt_evaluation *evaluation, txrt_error *error);

#ifdef __cplusplus
}
#endif

#endif /* TXRT_TRAIN_H */
