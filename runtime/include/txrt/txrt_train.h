//===- txrt_train.h - Train from a program of one's own ---------------------------------------------------*- C -*-===//
//
// The library libtxrt_train trains with a step that tx-compile made: it keeps the weights, the data and the position of
// the run. tx-run trains with the same code, so the same seed and data give the same bits (docs/Library.md).
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
// Every call returns a status and fills `error` when it fails; `error` may be NULL. Messages name options as tx-run's
// flags do: --data-format is `format` of txrt_train_data. No call throws, prints, ends the process or handles a signal.
// The library has no global state: one process may have several handles, each used by one thread at a time.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_H
#define TXRT_TRAIN_H

#include "txrt/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct txrt_train txrt_train;

/* A struct of zeros is a good choice. */
typedef struct {
  /* Backend, threads, ranks ... With several ranks, every rank makes the same calls; a call that fails on one rank
     fails on all, with the same status and message. When a rank is lost (TXRT_PEER), the others can only call
     txrt_world_abort. */
  txrt_options session;
  uint64_t global_batch_size; /* samples of an iteration, over all ranks; 0: one micro batch for each rank */
  /* 1: go on when the loss or a gradient is NaN or Inf; 0: the step fails with TXRT_NUMERIC. Such gradients change no
     weight in either case. */
  int ignore_nonfinite;
  /* Gets notes that are no errors, one line each; may be NULL. */
  void (*note)(void *context, const char *line);
  /* Returns 1 when somebody wants the run to stop: an evaluation then ends early and returns the loss over the rows so
     far. May be NULL. */
  int (*interrupted)(void *context);
  void *context;
} txrt_train_options;

/* Reads and checks the artifact and makes a session from it. The session has no weights yet. `options` may be NULL. An
   artifact contains native code: open only artifacts that you trust. */
txrt_status txrt_train_open(const char *artifact, const txrt_train_options *options, txrt_train **train,
                            txrt_error *error);
/* Does nothing for NULL. */
void txrt_train_close(txrt_train *train);

typedef struct {
  uint64_t micro_batch, sequence; /* one run of the step takes micro_batch rows of `sequence` tokens */
  uint64_t vocabulary;            /* token ids are below this number */
  uint64_t global_batch;          /* rows of an iteration, over all ranks */
  int has_ignored;                /* 1: a target with the id `ignored` counts in no loss */
  int32_t ignored;
  uint64_t seed; /* the seed that the artifact was compiled with; tx-run uses it unless --seed gives another */
} txrt_train_info;

txrt_status txrt_train_describe(txrt_train *train, txrt_train_info *info, txrt_error *error);

/* The session that `train` runs, for txrt_session_find_tensor and the like; it lives as long as `train`. NULL for NULL.
 */
txrt_session *txrt_train_session(txrt_train *train);

/*===-- Weights ----------------------------------------------------------===*/

/* Begins a run at iteration 0 with initial weights. The same seed also orders the data and drives dropout. */
txrt_status txrt_train_initialize(txrt_train *train, uint64_t seed, txrt_error *error);

/* Begins with stored weights (Hugging Face's names): of a folder that `transformers` or txrt_train_save wrote, of an
   index (model.safetensors.index.json) or of one safetensors file, in F32, F16 or BF16. If they come with optimizer
   state, the run continues where the saved run stopped, unless `weights_only`. After a failure `train` has no weights.
 */
txrt_status txrt_train_load(txrt_train *train, const char *path, int weights_only, txrt_error *error);

/* Saves weights and, without `weights_only`, optimizer state and position: a run that loads them continues with the
   same bits. A path that ends in .safetensors is a file's, every other one a folder's, which `transformers` loads; what
   else is in the folder stays. After a crash the file or the folder holds the old state or the new. Rank 0 writes. */
txrt_status txrt_train_save(txrt_train *train, const char *path, int weights_only, txrt_error *error);

typedef struct {
  int64_t iteration; /* how many iterations are done */
  uint64_t samples;  /* how many samples they consumed */
  uint64_t seed;     /* of the data's order and of dropout */
} txrt_train_position;

txrt_status txrt_train_where(const txrt_train *train, txrt_train_position *position, txrt_error *error);

/*===-- Data -------------------------------------------------------------===*/

typedef enum {
  TXRT_DATA_AUTO = 0, /* follows from the file's header, its name or the vocabulary */
  TXRT_DATA_TEXT = 1, /* one token a byte */
  TXRT_DATA_UINT16 = 2,
  TXRT_DATA_UINT32 = 3,
} txrt_data_format;

typedef struct {
  const char *path;       /* a file of text or ids, or .safetensors with samples; NULL: no training data */
  const char *valid_path; /* validation data; NULL: a part of `path` */
  int validates;          /* 1: the caller will call txrt_train_evaluate */
  int format;             /* txrt_data_format */
  int sequential;         /* 1: read window after window; 0: at places drawn from (seed, sample's number) */
  double split[3];        /* the shares of `path` for training, validation and test; all 0: 90, 10, 0 */
} txrt_train_data;

/* Opens the data files. The next sample follows from the seed and the number of samples consumed so far, so a run that
   continues from a checkpoint gets the samples that it has not had. */
txrt_status txrt_train_open_data(txrt_train *train, const txrt_train_data *data, txrt_error *error);

/*===-- Rates ------------------------------------------------------------===*/

typedef enum {
  TXRT_DECAY_CONSTANT = 0,
  TXRT_DECAY_LINEAR = 1,
  TXRT_DECAY_COSINE = 2,
  TXRT_DECAY_INVERSE_SQUARE_ROOT = 3,
} txrt_decay;

/* Megatron's learning-rate schedule, with warm-up and decay counted in iterations. */
typedef struct {
  double lr, min_lr;
  int64_t warmup_iters, decay_iters;
  int decay; /* txrt_decay */
} txrt_lr_schedule;

/* Which schedule a run takes when its checkpoint was trained with another one than the caller gives. */
typedef enum {
  TXRT_SCHEDULE_SAME = 0,   /* neither: the call fails unless the two are the same */
  TXRT_SCHEDULE_GIVEN = 1,  /* the one given here */
  TXRT_SCHEDULE_STORED = 2, /* the checkpoint's */
} txrt_schedule_choice;

/* Call it after the weights are there. A checkpoint stores the run's schedule; `choice` says what happens when the
   loaded one and this one differ. */
txrt_status txrt_train_set_schedule(txrt_train *train, const txrt_lr_schedule *schedule,
                                    int choice /* txrt_schedule_choice */, txrt_error *error);

/* The schedule's rate for the next iteration; 0 without one. */
double txrt_train_lr(const txrt_train *train);

/*===-- Steps ------------------------------------------------------------===*/

typedef struct {
  double loss;     /* mean over the valid targets of the global batch, nats per token */
  float grad_norm; /* before clipping; if it is not finite, the step has updated nothing */
  uint64_t valid_count, tokens;
} txrt_step_result;

/* Runs one iteration on the opened data. `result` may be NULL. After a failure the run's position is unchanged. */
txrt_status txrt_train_step(txrt_train *train, double lr, txrt_step_result *result, txrt_error *error);

/* Runs one iteration on ids in memory: `tokens` and `targets` are [rows, sequence], and `rows` is the global batch.
   With several ranks, every rank gives the whole global batch and trains on its own rows. The call checks all ids
   before anything runs, and keeps no pointer to them. */
txrt_status txrt_train_step_batch(txrt_train *train, const int32_t *tokens, const int32_t *targets, uint64_t rows,
                                  double lr, txrt_step_result *result, txrt_error *error);

typedef struct {
  double loss; /* mean, nats per token */
  double perplexity, bits_per_token;
  uint64_t valid_count;
} txrt_evaluation;

/* Computes the loss without dropout over the first `micro_batches` micro batches of the validation data; 0: over all.
 */
txrt_status txrt_train_evaluate(txrt_train *train, uint64_t micro_batches, txrt_evaluation *evaluation,
                                txrt_error *error);

/* The same over `rows` rows in memory, of any number. */
txrt_status txrt_train_evaluate_batch(txrt_train *train, const int32_t *tokens, const int32_t *targets, uint64_t rows,
                                      txrt_evaluation *evaluation, txrt_error *error);

#ifdef __cplusplus
}
#endif

#endif /* TXRT_TRAIN_H */
