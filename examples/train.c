/* Trains a step on a file of text, byte by byte, and goes on where it stopped:
 *
 *   tx-compile --num-layers 2 --hidden-size 64 --num-attention-heads 2 --seq-length 64 --vocab-size 256 -o step.txa
 *   train step.txa text.txt 100 run.safetensors
 *   train step.txa text.txt 200 run.safetensors
 *
 * The second call does the second hundred iterations, with the bits of one call that does all 200. */

#include <txrt/txrt_train.h>

#include <stdio.h>
#include <stdlib.h>

static txrt_error error;

static void check(txrt_status status) {
  if (status == TXRT_OK)
    return;
  fprintf(stderr, "train: %s\n", error.message);
  exit(status);
}

static unsigned char *readFile(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) || (*size = (size_t)ftell(file)) == 0)
    return NULL;
  unsigned char *bytes = malloc(*size);
  rewind(file);
  *size = bytes ? fread(bytes, 1, *size, file) : 0;
  fclose(file);
  return bytes;
}

int main(int argc, char **argv) {
  if (argc != 5)
    return fprintf(stderr, "usage: train STEP.txa TEXT ITERATIONS RUN.safetensors\n"), TXRT_USAGE;
  txrt_train *train;
  txrt_train_info info;
  check(txrt_train_open(argv[1], NULL, &train, &error));
  check(txrt_train_describe(train, &info, &error));

  FILE *saved = fopen(argv[4], "rb");
  check(saved ? txrt_train_load(train, argv[4], 0, &error) : txrt_train_initialize(train, 1234, &error));
  if (saved)
    fclose(saved);

  size_t size = 0, count = info.global_batch * info.sequence;
  unsigned char *text = readFile(argv[2], &size);
  if (!text || size <= count)
    return fprintf(stderr, "train: %s: too short, or not to be read\n", argv[2]), TXRT_IO;
  int32_t *tokens = malloc(2 * count * sizeof *tokens), *targets = tokens + count;

  txrt_train_position at;
  for (check(txrt_train_where(train, &at, &error)); at.iteration < atol(argv[3]); ++at.iteration) {
    /* Where an iteration's text lies follows from its number: so a run goes on with what it had not. */
    size_t begin = (size_t)at.iteration * count % (size - count);
    for (size_t i = 0; i < count; ++i) {
      tokens[i] = text[begin + i];
      targets[i] = text[begin + i + 1];
    }
    txrt_step_result result;
    check(txrt_train_step_batch(train, tokens, targets, info.global_batch, 1e-3, &result, &error));
    if ((at.iteration + 1) % 10 == 0)
      printf("iteration %lld  loss %.4f\n", (long long)at.iteration + 1, result.loss);
  }
  check(txrt_train_save(train, argv[4], 0, &error));
  txrt_train_close(train);
  free(tokens);
  free(text);
  return 0;
}
